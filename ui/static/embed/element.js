// What the elements for host pages have in common: their attributes, which are properties too, and
// a list that is open while the element is in a page.
import { PeopleList } from './list.js';
import { Server } from './server.js';
import { styleSheet } from './style-sheet.js';

const ATTRIBUTES = ['src', 'token', 'refresh', 'theme'];

export class ServerElement extends HTMLElement {
  static observedAttributes = ATTRIBUTES;
  #present; // aborted when the element leaves the page

  // styles is the text of a style sheet; on and size are those of a PeopleList.
  constructor(styles, on, size) {
    super();
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [styleSheet(styles)];
    this.list = new PeopleList({ every: () => this.seconds * 1000, ...on }, size);
  }

  connectedCallback() {
    // What was set before this script came hides the properties of the class.
    for (const name of ATTRIBUTES) if (Object.hasOwn(this, name)) reflect(this, name);
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

  // Of another server, nothing on the screen is true. Another token may be the next one of the same
  // person: what is shown stays until the server has answered to it.
  #restart() {
    const { src, token, server } = this;
    const same = server?.src === src;
    if (same && server.token === token) return;
    this.server = new Server(src, token);
    if (!(same && token && server.token)) {
      this.forget();
      this.opened();
    }
    this.list.open(this.server);
  }

  connected() {}

  // Nothing is known of anybody.
  forget() {
    this.list.forget();
  }

  // Looks again now.
  reload() {
    return this.server && this.list.load();
  }

  get seconds() {
    return Number(this.getAttribute('refresh')) || 30;
  }

  fire(name, detail) {
    this.dispatchEvent(new CustomEvent(`rollcall:${name}`, { bubbles: true, composed: true, detail }));
  }
}

function reflect(element, name) {
  const value = element[name];
  delete element[name];
  element[name] = value;
}

// Frameworks set an attribute as a property where there is one. refresh() is also how a page has the list read again.
for (const name of ATTRIBUTES) {
  Object.defineProperty(ServerElement.prototype, name, {
    get() {
      return name === 'refresh' ? () => this.reload() : this.getAttribute(name);
    },
    set(value) {
      if (value == null || value === '') this.removeAttribute(name);
      else this.setAttribute(name, value);
    },
  });
}
