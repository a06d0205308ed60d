/*
 * The live connection of heartbeat.js, which loads this file for data-live: it hears at once what
 * a heartbeat would bring within a minute. Where it can not be had, the heartbeats are enough.
 */
const STABLE_AFTER_MS = 5000; // a connection that lived for so long after the first message was no failure

// Follows the server of the heartbeat script until signal aborts. on.notices(list, ahead) and
// on.ended(reason) get what it says; without a token, this origin's cookie tells who we are, or a proxy
// and the name of this browser.
export function follow(script, token, signal, on, client = '') {
  const url = new URL('live', script);
  url.protocol = url.protocol.replace('http', 'ws');
  url.search = token ? 'auth=message' : `client=${client}`; // with a token not the cookie of whoever is signed in to a panel of this origin
  let socket;
  let timer;
  let tries = 0;

  function connect() {
    clearTimeout(timer);
    if (socket || signal.aborted) return;
    const mine = (socket = new WebSocket(url));
    let since;
    mine.onopen = () => token && mine.send(JSON.stringify({ token }));
    mine.onmessage = ({ data }) => {
      if (signal.aborted) return;
      since ??= Date.now();
      const said = JSON.parse(data);
      if (said.type === 'notices') on.notices(said.notices, Date.parse(said.timestamp) - Date.now());
      if (said.type === 'session_ended') on.ended(said.reason);
    };
    mine.onclose = ({ code, reason }) => {
      if (socket !== mine) return;
      socket = undefined;
      // Heartbeats are told why, except where only the token came too late.
      if (signal.aborted || (code === 1008 && !(token && reason === 'unauthenticated'))) return;
      if (Date.now() - since > STABLE_AFTER_MS) tries = 0;
      later();
    };
  }

  // At a random time, so that a thousand browsers do not come back as one.
  function later() {
    timer = setTimeout(connect, 1000 + Math.random() * Math.min(60000, 2000 * 2 ** tries++));
  }

  function stop() {
    clearTimeout(timer);
    socket?.close();
    socket = undefined;
  }

  // A page whose policy forbids the connection is not asked again and again.
  document.addEventListener('securitypolicyviolation', ({ blockedURI, disposition }) => {
    if (disposition === 'enforce' && blockedURI.startsWith(url.origin)) stop();
  }, { signal });
  addEventListener('online', connect, { signal });
  signal.addEventListener('abort', stop);
  connect();
}
