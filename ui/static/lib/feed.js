// The live feed of a Rollcall server: who comes, goes and changes. Some networks do not let it
// through, so whoever follows it also reads the list from time to time.

const HIDDEN_DISCONNECT_MS = 5 * 60000; // for so long a hidden page keeps its connection
const STABLE_AFTER_MS = 5000; // a connection that lived for so long was no failure
const HELLO_TIMEOUT_MS = 10000; // some proxies accept a connection and never answer

export class Feed {
  #on;
  #url;
  #token;
  #cursor; // of the last message
  #socket;
  #timer;
  #hiddenTimer;
  #tries = 0;
  #abort = new AbortController();

  // Of the server at base, whose address ends with a slash. on.heard(message) gets what
  // the feed says, on.live(yes) whether it flows, on.refused(status) is the end.
  constructor(base, token, on) {
    this.#url = new URL('admin/users/online/live', base);
    this.#url.protocol = this.#url.protocol.replace('http', 'ws');
    if (token) this.#url.searchParams.set('auth', 'message'); // not the cookie of whoever is signed in to a panel of this origin
    this.#token = token;
    this.#on = on;
  }

  // Follows what happens after cursor until stop() or refusal. Without one, the first message is to read the list.
  start(cursor = '') {
    this.#cursor = cursor;
    const { signal } = this.#abort;
    document.addEventListener('visibilitychange', () => this.#visibilityChanged(), { signal });
    // After a sleep, no connection notices by itself that it is dead.
    addEventListener('offline', () => this.reconnect(), { signal });
    addEventListener('online', () => document.hidden || this.#connect(), { signal });
    // Browsers do not keep a page with an open connection for going back to it.
    addEventListener('pagehide', () => this.#disconnect(), { signal });
    addEventListener('pageshow', (event) => event.persisted && this.#connect(), { signal });
    this.#connect();
  }

  stop() {
    this.#abort.abort();
    clearTimeout(this.#hiddenTimer);
    this.#disconnect();
  }

  // The server does not answer elsewhere, so this connection is likely dead as well.
  reconnect() {
    if (!this.#socket) return;
    this.#disconnect();
    this.#later();
  }

  #connect() {
    clearTimeout(this.#timer);
    if (this.#socket || this.#abort.signal.aborted) return;
    this.#url.searchParams.set('since', this.#cursor);
    const socket = (this.#socket = new WebSocket(this.#url));
    let since;
    this.#timer = setTimeout(() => this.reconnect(), HELLO_TIMEOUT_MS);
    socket.onopen = () => this.#token && socket.send(JSON.stringify({ token: this.#token }));
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      const message = JSON.parse(data);
      this.#cursor = message.cursor || this.#cursor;
      if (message.type === 'hello') {
        clearTimeout(this.#timer);
        since = Date.now();
        this.#on.live(true);
      }
      this.#on.heard(message);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      this.#disconnect();
      if (Date.now() - since > STABLE_AFTER_MS) this.#tries = 0;
      const status = code === 1008 && { unauthenticated: 401, forbidden: 403 }[reason];
      if (!status) return this.#later();
      this.stop();
      this.#on.refused(status);
    };
  }

  #disconnect() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    if (socket) this.#on.live(false);
  }

  // At a random time, so that a thousand panels do not come back as one.
  #later() {
    this.#timer = setTimeout(() => this.#connect(), Math.random() * Math.min(30000, 1000 * 2 ** this.#tries++));
  }

  #visibilityChanged() {
    clearTimeout(this.#hiddenTimer);
    if (document.hidden) this.#hiddenTimer = setTimeout(() => this.#disconnect(), HIDDEN_DISCONNECT_MS);
    else this.#connect();
  }
}
