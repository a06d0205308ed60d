/*
 * <online-users-badge>: how many people are online, as "3 online" with a pulse.
 *
 *   <script src="https://rollcall.example/online-users-badge.js" defer></script>
 *   <online-users-badge src="https://rollcall.example" token="..."></online-users-badge>
 *
 * src      the Rollcall server; without it, this origin and its cookie
 * token    a session's, sent as bearer and as the live feed's first message
 * theme    light or dark, against the system's preference
 * refresh  seconds between two looks, 30 without it; between them the live feed tells
 *          what changes, where it can be reached
 *
 * Method refresh(). Events rollcall:updated, detail {count, counts}, and
 * rollcall:unauthenticated. Looks: the --rollcall-* properties of badge.css, parts pulse
 * and count.
 */
import { h, put } from '../lib/dom.js';
import { Feed } from '../lib/feed.js';
import { countWords, total } from '../lib/status.js';
import style from './badge/badge.css';
import { fire, nextLook, Server } from './element.js';
import { styleSheet } from './style-sheet.js';

const STYLE = styleSheet(style);

class OnlineUsersBadge extends HTMLElement {
  static observedAttributes = ['src', 'token'];
  #pulse = h('i', { part: 'pulse' });
  #words = h('span', { part: 'count' }, '– online');
  #failures = 0;
  #told = 0; // how many counts the feed has told
  #known; // a number is on the screen
  #onVisible = () => document.hidden || this.refresh();
  #server;
  #asking;
  #timer;
  #feed;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [STYLE];
    root.append(this.#pulse, this.#words);
  }

  connectedCallback() {
    document.addEventListener('visibilitychange', this.#onVisible);
    this.#restart();
  }

  disconnectedCallback() {
    document.removeEventListener('visibilitychange', this.#onVisible);
    this.#unfollow();
    this.#asking?.abort();
    clearTimeout(this.#timer);
  }

  // Several attributes are often set in one go.
  attributeChangedCallback() {
    if (this.isConnected) queueMicrotask(() => this.isConnected && this.#restart());
  }

  #restart() {
    this.#server = new Server(this.getAttribute('src'), this.getAttribute('token'));
    this.#unfollow();
    this.#blank();
    this.refresh();
  }

  // Looks again now.
  async refresh() {
    this.#asking?.abort();
    clearTimeout(this.#timer);
    const { signal } = (this.#asking = new AbortController());
    const told = this.#told;
    try {
      const { counts, cursor } = await this.#server.ask('admin/users/online', { params: { limit: 1 }, signal });
      if (signal.aborted) return;
      this.#failures = 0;
      // The feed is never behind.
      if (told === this.#told) this.#show(counts);
      this.#follow(cursor);
    } catch (refusal) {
      if (signal.aborted) return;
      this.#fail(refusal);
    }
    const every = (Number(this.getAttribute('refresh')) || 30) * 1000;
    if (!document.hidden) this.#timer = setTimeout(() => this.refresh(), nextLook(every, this.#failures));
  }

  #follow(cursor) {
    if (this.#feed) return;
    this.#feed = new Feed(this.#server.base, this.#server.token, {
      heard: ({ type, counts }) => {
        if (type === 'reset') return this.refresh();
        if (!counts) return;
        this.#told++;
        this.#show(counts);
      },
      live: (yes) => yes || this.#lookSoon(),
      refused: (status) => this.#fail({ status }),
    });
    this.#feed.start(cursor);
  }

  // The feed was cut: does the server still answer?
  #lookSoon() {
    if (!this.isConnected || document.hidden || !this.#known) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), Math.random() * 1000);
  }

  #unfollow() {
    const feed = this.#feed;
    this.#feed = undefined;
    feed?.stop();
  }

  #show(counts) {
    const count = total(counts);
    this.#known = true;
    this.#say(`${count.toLocaleString()} online`, count ? 'yes' : '', countWords(counts).join(', ') || 'Nobody is online');
    fire(this, 'updated', { count, counts });
  }

  #say(words, state, title) {
    put(this.#words, words);
    this.#pulse.dataset.state = state;
    this.#pulse.title = this.#words.title = title;
  }

  #blank(state = '', title = '') {
    this.#known = false;
    this.#say('– online', state, title);
  }

  #fail({ status }) {
    this.#failures++;
    if (status === 401 || status === 403) {
      this.#unfollow();
      this.#blank('no', status === 401 ? 'Not signed in to Rollcall' : 'Not allowed to see who is online');
      if (status === 401) fire(this, 'unauthenticated');
      return;
    }
    this.#feed?.reconnect();
    const words = this.#words.textContent;
    this.#say(words, 'no', `${this.#known ? 'Not up to date: t' : 'T'}he server can not be reached. Trying again.`);
  }
}

if (!customElements.get('online-users-badge')) customElements.define('online-users-badge', OnlineUsersBadge);
