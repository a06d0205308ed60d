// What the elements for host pages have in common: their attributes src, token and refresh, and a
// list that is open while the element is in a page.
import { PeopleList } from './list.js';
import { Server } from './server.js';
import { styleSheet } from './style-sheet.js';

export class ServerElement extends HTMLElement {
  static observedAttributes = ['src', 'token', 'refresh'];
  #present; // aborted when the element leaves the page

  // styles is the text of a style sheet; on and size are those of a PeopleList.
  constructor(styles, on, size) {
    super();
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [styleSheet(styles)];
    this.list = new PeopleList({ every: () => this.seconds * 1000, ...on }, size);
  }

  connectedCallback() {
    const { signal } = (this.#present = new AbortController());
    document.addEventListener('visibilitychange', () => this.list.visibilityChanged(), { signal });
    this.connected(signal);
    this.#restart();
  }

  disconnectedCallback() {
    this.#present.abort();
    this.list.close();
    this.server = undefined;
  }

  attributeChangedCallback(name) {
    if (!this.isConnected || !this.server) return;
    if (name === 'refresh') return this.list.plan();
    // Several attributes are often set in one go.
    queueMicrotask(() => this.isConnected && this.#restart());
  }

  // Another server or another caller: nothing on the screen is theirs.
  #restart() {
    const src = this.getAttribute('src');
    const token = this.getAttribute('token');
    if (this.server?.src === src && this.server.token === token) return;
    this.server = new Server(src, token);
    this.forget();
    this.opened();
    this.list.open(this.server);
  }

  connected() {}

  // Nothing is known of anybody.
  forget() {
    this.list.forget();
  }

  // Looks again now.
  refresh() {
    return this.server && this.list.load();
  }

  get seconds() {
    return Number(this.getAttribute('refresh')) || 30;
  }

  fire(name, detail) {
    this.dispatchEvent(new CustomEvent(`rollcall:${name}`, { bubbles: true, composed: true, detail }));
  }
}
