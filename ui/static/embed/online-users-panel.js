/*
 * <online-users-panel>: who is logged in right now.
 *
 *   <script src="https://rollcall.example/online-users-panel.js" async>
 *   <online-users-panel src="https://rollcall.example" token="...">
 *
 * src      the Rollcall server; without it, this origin and its cookie
 * token    a session's, sent as bearer and as the live feed's first message
 * theme    light or dark, against the system's preference
 * refresh  seconds between two looks at the whole list, 30 without it; between them
 *          the live feed tells what changes, where it can be reached
 *
 * Method refresh(). Events rollcall:updated, detail {count, counts, level, all}, and
 * rollcall:unauthenticated. Looks: the --rollcall-* properties of panel.css, and parts.
 *
 * When somebody asks for details or sets a status, it loads a second script from where
 * this one is from, so a policy names its origin.
 */
import { h } from '../lib/dom.js';
import { personKey } from '../lib/status.js';
import { ServerElement } from './element.js';
import { Filters } from './panel/filters.js';
import { Frame } from './panel/frame.js';
import { bringIn } from './panel/news.js';
import { OwnStatus } from './panel/own-status.js';
import style from './panel/panel.css';
import { Rows } from './panel/rows.js';

// Before anything is awaited: later there is no current script. A module has none.
const { src: here } = document.currentScript || document.querySelector('script[src*="online-users-panel.js"]') || {};
const PAGE = 100; // people

let attempts = 0;

// The second script. After a failure it is asked for by another name, because browsers remember failures.
async function loadDetails(base) {
  const url = new URL('static/built/online-users-panel-details.js', here || base);
  if (attempts) url.search = attempts;
  return import(url.href).catch(async (error) => {
    attempts++;
    throw (await isMissing(url)) ? new DOMException('', 'NotFoundError') : error;
  });
}

// A server that was upgraded has the scripts of its own version only.
const isMissing = (url) => fetch(url, { method: 'HEAD', credentials: 'omit' }).then(({ status }) => status === 404, () => false);

class OnlineUsersPanel extends ServerElement {
  #ticking;
  #embedded; // in another application's page
  #reorder; // the next list is shown in its own order
  #details; // {sheet, menu}, once the second script is there

  #filters = new Filters(() => this.#restartList(), () => this.#rows.showAgain());
  #own = new OwnStatus(() => this.#withDetails(({ menu }) => menu.open()));
  #rows = new Rows({
    groupedBy: () => this.#filters.group.value,
    now: () => this.list.clock.now(),
    open: (user, element) => this.#withDetails(({ sheet }) => sheet.open(user, element)),
  });
  #frame = new Frame({ filters: this.#filters, rows: this.#rows, own: this.#own, refresh: () => this.list.load(), loadMore: () => this.list.loadMore() });

  constructor() {
    super(style, {
      query: () => this.#filters.query(),
      news: (news, page, wanted) => bringIn(news, page, this.#filters.query(), wanted),
      busy: (yes) => (this.#frame.element.ariaBusy = yes),
      read: () => this.#read(),
      shown: (page) => this.#show(page),
      changed: (type, user) => this.#changed(type, user),
      modeChanged: () => this.#frame.renderMode(this.list, this.seconds),
      failed: (refusal) => this.#fail(refusal),
      refused: (status) => this.#refuse(status),
    }, PAGE);
    this.shadowRoot.append(this.#frame.element);
  }

  connected(signal) {
    // Sessions of our own pages show only when asked for.
    if (!this.hasAttribute('src')) this.#filters.offerApp('rollcall');
    document.addEventListener('keydown', (event) => this.#shortcut(event), { signal });
    this.#ticking = setInterval(() => document.hidden || this.#tick(), 1000);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#ticking);
    this.#filters.stop();
  }

  opened() {
    this.#frame.slash.hidden = this.#embedded = this.hasAttribute('src');
    this.#frame.state('loading');
    this.#reorder = true;
    this.#filters.mark();
  }

  forget() {
    super.forget();
    this.#own.forget();
    this.#details?.sheet.element.close();
    this.#rows.show([], true);
  }

  #restartList() {
    this.#reorder = true;
    this.#filters.mark();
    this.list.restart();
  }

  // ---- showing ----

  #read() {
    this.#frame.notice.hidden = true;
    this.#own.show(this.server);
  }

  #show(page) {
    const { filtered } = this.#filters.query();
    this.#frame.showSize(page);
    this.#frame.showCounts(page, filtered, this.list.loadedAt);
    this.#filters.offer(page.users);
    this.#rows.show(page.users, this.#reorder);
    this.#reorder = false;
    this.#settle(page, filtered);
    this.#updateSheet(page.users);
    const { count, counts, level } = page;
    this.fire('updated', { count, counts, level, all: !filtered });
  }

  #settle({ count }, filtered) {
    if (count) return this.#frame.state('ready');
    if (filtered) return this.#frame.state('filtered', 'filter', 'Nobody online matches', 'Others may be online outside of these filters.', 'Clear filters', () => this.#filters.clear());
    this.#frame.state('empty', 'person', 'Nobody is online', 'People appear here when they log in.');
    this.#frame.blank.append(h('slot', { name: 'empty' }));
  }

  // Whoever is outside of the filters is not offline.
  #updateSheet(users) {
    const sheet = this.#details?.sheet;
    const user = sheet?.user && users.find((one) => personKey(one) === personKey(sheet.user));
    if (user || this.list.complete) sheet?.update(user);
  }

  #changed(type, user) {
    const sheet = this.#details?.sheet;
    const isUser = (one) => one && personKey(one) === personKey(user);
    if (isUser(sheet?.user)) sheet.update(type === 'offline' ? undefined : user);
    if (isUser(this.#own.user)) this.#own.show(this.server, true);
  }

  #fail({ message }) {
    const again = () => this.list.load();
    if (this.list.loadedAt) return this.#frame.stale(this.list.loadedAt, message, again);
    this.#empty('error', 'The list could not be loaded', message);
  }

  // Whoever may not see the list does not go on seeing an old one.
  #refuse(status) {
    this.forget();
    if (status === 403) return this.#empty('forbidden', 'Not allowed', 'This needs viewer access, or a key with the scope read.');
    const words = this.#embedded ? 'The token is missing, has expired or is not known to this server.' : 'Your session has ended.';
    this.#empty('unauthenticated', 'Not signed in to Rollcall', words);
    this.fire('unauthenticated');
  }

  #empty(state, title, words) {
    this.#rows.show([], true);
    this.#frame.empty(state, title, words, () => this.list.load());
  }

  #tick() {
    const now = this.list.clock.now();
    this.#rows.tick();
    if (now > Date.parse(this.#own.user?.status_until)) this.#own.show(this.server, true);
  }

  // ---- what people do ----

  async #withDetails(then) {
    try {
      this.#details ??= (await loadDetails(this.server.base)).details({
        root: this.shadowRoot,
        frame: this.#frame.element,
        search: this.#filters.search,
        clock: this.list.clock,
        own: this.#own,
        server: () => this.server,
        refresh: () => this.refresh(),
      });
    } catch ({ name }) {
      if (name === 'NotFoundError') return this.#frame.notify('Rollcall was upgraded since this page was loaded.', 'Reload the page', () => location.reload());
      return this.#frame.notify('The details could not be loaded.', 'Try again', () => this.#withDetails(then));
    }
    then(this.#details);
  }

  // In another application's page, keys are the application's.
  #shortcut(event) {
    const target = event.composedPath()[0];
    const typing = target.closest?.('input, textarea, select, [contenteditable]');
    if (typing || event.ctrlKey || event.metaKey || event.altKey || this.#details?.sheet.user) return;
    if (this.#embedded && !this.contains(event.target)) return;
    if (event.key === 'r') this.list.load();
    if (event.key !== '/' || this.#embedded) return;
    event.preventDefault();
    this.#filters.search.focus();
  }
}

if (!customElements.get('online-users-panel')) customElements.define('online-users-panel', OnlineUsersPanel);
