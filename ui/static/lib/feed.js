/*
 * The live feed of a Rollcall server. <online-users-panel> and <online-users-badge> load
 * this module themselves; both do without it, by asking every 30 seconds.
 */
// A hidden page keeps its connection for so long.
const REST = 5 * 60000;
// A connection that lived for so long was no failure.
const STEADY = 5000;
// Some proxies accept a connection and never answer.
const HELLO = 10000;

export class Feed {
  #on;
  #url;
  #token;
  // Of the last that was heard.
  #cursor;
  #socket;
  #timer;
  #resting;
  #tries = 0;
  #ears = new AbortController();

  // Of the server at base, whose address ends with a slash. on.heard(message) gets what
  // the feed says, on.live(yes) whether it flows, on.refused(status) is the end.
  constructor(base, token, on) {
    this.#url = new URL('admin/users/online/live', base);
    this.#url.protocol = this.#url.protocol.replace('http', 'ws');
    this.#token = token;
    this.#on = on;
  }

  // Follows what happened after cursor, for ever. An empty one is told to read the list.
  start(cursor = '') {
    this.#cursor = cursor;
    const { signal } = this.#ears;
    const retry = () => this.#connect();
    document.addEventListener('visibilitychange', () => this.#seen(), { signal });
    // As after a sleep, of which no connection hears by itself.
    addEventListener('offline', () => this.doubt(), { signal });
    addEventListener('online', () => document.hidden || retry(), { signal });
    // A page with a connection is not kept for the way back.
    addEventListener('pagehide', () => this.#hang(), { signal });
    addEventListener('pageshow', (event) => event.persisted && retry(), { signal });
    this.#connect();
  }

  stop() {
    this.#ears.abort();
    clearTimeout(this.#resting);
    this.#hang();
  }

  // The server does not answer elsewhere, so this connection is likely dead as well.
  doubt() {
    if (!this.#socket) return;
    this.#hang();
    this.#later();
  }

  #connect() {
    clearTimeout(this.#timer);
    if (this.#socket || this.#ears.signal.aborted) return;
    this.#url.searchParams.set('since', this.#cursor);
    const socket = (this.#socket = new WebSocket(this.#url));
    let since;
    this.#timer = setTimeout(() => this.doubt(), HELLO);
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
      this.#hang();
      if (Date.now() - since > STEADY) this.#tries = 0;
      const status = code === 1008 && { unauthenticated: 401, forbidden: 403 }[reason];
      if (!status) return this.#later();
      this.stop();
      this.#on.refused(status);
    };
  }

  #hang() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    if (socket) this.#on.live(false);
  }

  // Anywhere in the time, so that a thousand panels do not come back as one.
  #later() {
    this.#timer = setTimeout(() => this.#connect(), Math.random() * Math.min(30000, 1000 * 2 ** this.#tries++));
  }

  #seen() {
    clearTimeout(this.#resting);
    if (document.hidden) this.#resting = setTimeout(() => this.#hang(), REST);
    else this.#connect();
  }
}
