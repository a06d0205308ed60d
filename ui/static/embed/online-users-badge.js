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
 * rollcall:unauthenticated. Looks: the --rollcall-* properties under STYLE, parts pulse
 * and count.
 */
import { Feed } from '../lib/feed.js';

(() => {
  'use strict';
  if (customElements.get('online-users-badge')) return;

  const STYLE = new CSSStyleSheet();
  STYLE.replaceSync(`
:host {
  --text: var(--rollcall-text, light-dark(#15181e, #e7eaef));
  --muted: var(--rollcall-muted, light-dark(#5b6270, #9aa3b0));
  --available: var(--rollcall-available, light-dark(#1a7f45, #45c27a));
  --away: var(--rollcall-away, light-dark(#8a5b00, #dba642));
  color-scheme: light dark; display: inline-flex; align-items: center; gap: 6px; color: var(--text); white-space: nowrap;
  font: 500 13px/20px var(--rollcall-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif); font-variant-numeric: tabular-nums;
}
:host([hidden]) { display: none }
:host([theme=light]) { color-scheme: light }
:host([theme=dark]) { color-scheme: dark }
i { position: relative; flex: none; box-sizing: border-box; width: 10px; height: 10px; border: 2px solid; border-radius: 50%; color: var(--muted) }
[data-state=yes] { background: currentColor; color: var(--available) }
[data-state=yes]::after { content: ""; position: absolute; inset: -2px; border-radius: 50%; background: currentColor; animation: pulse 2.4s ease-out infinite }
[data-state=no] { color: var(--away) }
[data-state=no] + span { color: var(--muted) }
@keyframes pulse { from { opacity: .5 } to { opacity: 0; transform: scale(2.4) } }
@media (prefers-reduced-motion: reduce) { i::after { animation: none !important } }
`);

  class OnlineUsersBadge extends HTMLElement {
    static observedAttributes = ['src', 'token'];
    #pulse = document.createElement('i');
    #words = document.createElement('span');
    #failures = 0;
    // Counts that the feed told.
    #heard = 0;
    #onVisible = () => document.hidden || this.refresh();
    #asking;
    #timer;
    #feed;
    // A number is on the screen.
    #known;

    constructor() {
      super();
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [STYLE];
      this.#pulse.part = 'pulse';
      this.#words.part = 'count';
      this.#words.textContent = '– online';
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
      const base = new URL(this.getAttribute('src') ?? '.', document.baseURI).href;
      this.base = base.endsWith('/') ? base : base + '/';
      this.token = this.getAttribute('token');
      this.#unfollow();
      this.#blank();
      this.refresh();
    }

    // Looks again now.
    async refresh() {
      this.#asking?.abort();
      clearTimeout(this.#timer);
      const { signal } = (this.#asking = new AbortController());
      const heard = this.#heard;
      const answer = await this.#ask(signal).catch(() => ({}));
      if (signal.aborted) return;
      if (answer.success) {
        this.#failures = 0;
        // The feed is never behind.
        if (heard === this.#heard) this.#show(answer.counts);
        this.#follow(answer.cursor);
      } else this.#fail(answer);
      const refresh = (Number(this.getAttribute('refresh')) || 30) * 1000;
      const wait = this.#failures ? 200 + Math.random() * Math.min(refresh, 1000 * 2 ** this.#failures) : refresh;
      if (!document.hidden) this.#timer = setTimeout(() => this.refresh(), wait);
    }

    async #ask(signal) {
      const url = new URL('admin/users/online?limit=1', this.base);
      // Another origin does not get our cookie: it would refuse.
      if (!this.token && url.origin !== location.origin) return { status: 401 };
      const response = await fetch(url, {
        headers: this.token ? { Authorization: `Bearer ${this.token}` } : {},
        credentials: this.token ? 'omit' : 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.any([signal, AbortSignal.timeout(20000)]),
      });
      return { status: response.status, ...(await response.json()) };
    }

    #follow(cursor) {
      if (this.#feed) return;
      this.#feed = new Feed(this.base, this.token, {
        heard: ({ type, counts }) => {
          if (type === 'reset') return this.refresh();
          if (!counts) return;
          this.#heard++;
          this.#show(counts);
        },
        live: (yes) => yes || this.#pause(),
        refused: (status) => this.#fail({ status }),
      });
      this.#feed.start(cursor);
    }

    // The feed was cut: does the server still answer?
    #pause() {
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
      const count = Object.values(counts).reduce((sum, n) => sum + n, 0);
      const words = Object.entries(counts).filter(([, n]) => n).map(([status, n]) => `${n.toLocaleString()} ${status}`);
      this.#known = true;
      this.#say(`${count.toLocaleString()} online`, count ? 'yes' : '', words.join(', ') || 'Nobody is online');
      this.#fire('updated', { count, counts });
    }

    #say(words, state, title) {
      if (this.#words.textContent !== words) this.#words.textContent = words;
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
        if (status === 401) this.#fire('unauthenticated');
        return;
      }
      this.#feed?.doubt();
      const words = this.#words.textContent;
      this.#say(words, 'no', this.#known ? 'Not up to date: the server does not answer. Trying again.' : 'The server does not answer. Trying again.');
    }

    #fire(name, detail) {
      this.dispatchEvent(new CustomEvent(`rollcall:${name}`, { bubbles: true, composed: true, detail }));
    }
  }

  customElements.define('online-users-badge', OnlineUsersBadge);
})();
