/*
 * <online-users-badge>: how many people are online, as "3 online" with a pulse.
 *
 *   <script src="https://rollcall.example/online-users-badge.js" async>
 *   <online-users-badge src="https://rollcall.example" token="...">
 *
 * src      the Rollcall server; without it, this origin and its cookie
 * token    a session's, sent as bearer and as the live feed's first message
 * theme    light or dark, against the system's preference
 * refresh  seconds between two looks, 30 without it; between them the live feed tells
 *          what changes, where it can be reached
 *
 * Method refresh(). Events rollcall:updated, detail {count, counts, level}, and
 * rollcall:unauthenticated. Looks: the --rollcall-* properties of badge.css, parts pulse
 * and count.
 */
import { countWords, total } from '../lib/status.js';
import style from './badge/badge.css';
import { ServerElement } from './element.js';

const element = (tag, part) => Object.assign(document.createElement(tag), { part });

class OnlineUsersBadge extends ServerElement {
  #pulse = element('i', 'pulse');
  #words = element('span', 'count');

  constructor() {
    super(style, {
      query: () => ({ params: {} }),
      news: (news) => ({ page: { ...news.at(-1), count: total(news.at(-1).counts) } }),
      shown: (page) => this.#show(page),
      failed: () => this.#fail(),
      refused: (status) => this.#refuse(status),
    }, 0);
    this.shadowRoot.append(this.#pulse, this.#words);
  }

  opened(state = '', title = '') {
    this.#say('– online', state, title);
  }

  #show({ count, counts, level }) {
    this.#say(`${count.toLocaleString()} online`, count ? 'yes' : '', countWords(counts).join(', ') || 'Nobody is online');
    this.fire('updated', { count, counts, level });
  }

  #say(words, state, title) {
    this.#words.textContent = words;
    this.#pulse.dataset.state = state;
    this.#pulse.title = this.#words.title = title;
  }

  #fail() {
    this.#say(this.#words.textContent, 'no', `${this.list.loadedAt ? 'Not up to date: t' : 'T'}he server cannot be reached. Trying again.`);
  }

  #refuse(status) {
    this.forget();
    this.opened('no', status === 401 ? 'Not signed in to Rollcall' : 'Not allowed to see who is online');
    if (status === 401) this.fire('unauthenticated');
  }
}

if (!customElements.get('online-users-badge')) customElements.define('online-users-badge', OnlineUsersBadge);
