/*
 * <online-users-panel>: who is logged in right now.
 *
 *   <script src="https://rollcall.example/online-users-panel.js" defer></script>
 *   <online-users-panel src="https://rollcall.example" token="..."></online-users-panel>
 *
 * src      the Rollcall server; without it, this origin and its cookie
 * token    a session's, sent as bearer and as the live feed's first message
 * theme    light or dark, against the system's preference
 * refresh  seconds between two looks at the whole list, 30 without it; between them
 *          the live feed tells what changes, where it can be reached
 *
 * Method refresh(). Events rollcall:updated, detail {count, counts, all}, and
 * rollcall:unauthenticated. Looks: the --rollcall-* properties under STYLE, and parts.
 *
 * When somebody asks for details or sets a status, it loads a second script from where this
 * one is from, so a policy names its origin.
 */
import { Feed } from '../lib/feed.js';

(() => {
  'use strict';
  if (customElements.get('online-users-panel')) return;

  // Before anything is awaited: later there is no current script. A module has none.
  const { src: here } = document.currentScript || document.querySelector('script[src*="online-users-panel.js"]') || {};
  const PAGE = 100;
  // parameter: what it is called, and the field of an entry that it is about
  const FILTERS = {
    app: ['App', 'apps'], organization: ['Organization', 'organization_name'], team: ['Team', 'team_name'], role: ['Role', 'role'], status: ['Status', 'status'],
  };
  const SORTS = { last_activity: 'Last activity', name: 'Name', duration: 'Time online' };
  const GROUPS = { '': 'No grouping', organization_name: 'By organization', team_name: 'By team', page: 'By page' };
  const STATUSES = { available: 'Available', busy: 'Busy', away: 'Away', offline: 'Offline' };

  // ---- words ----

  function duration(ms) {
    const min = Math.floor(ms / 60000);
    const hours = Math.floor(min / 60);
    if (min < 1) return '< 1 min';
    if (hours < 1) return `${min} min`;
    if (hours < 24) return `${hours} h ${min % 60} min`;
    return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }

  // In steps of ten seconds: a list that changes every second is not calm.
  function ago(ms) {
    if (ms < 10000) return 'just now';
    if (ms < 60000) return `${Math.floor(ms / 10000) * 10} s ago`;
    return `${duration(ms)} ago`;
  }

  function initials(name) {
    const words = name.split(/[\s.@_-]+/).slice(0, 2);
    return words.map((word) => [...word][0]).join('').toUpperCase();
  }

  // Today's times without the day.
  function local(time) {
    const date = new Date(time);
    return (date.toDateString() === new Date().toDateString() ? TIME : DATE).format(date);
  }

  const TIME = new Intl.DateTimeFormat([], { timeStyle: 'short', hourCycle: 'h23' });
  const DATE = new Intl.DateTimeFormat([], { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });
  const CLOCK = new Intl.DateTimeFormat([], { timeStyle: 'medium', hourCycle: 'h23' });
  const until = (time) => (time ? `until ${local(time)}` : '');
  const claimText = (user) => [user.status_text, until(user.status_until)].filter(Boolean).join(', ');
  const shownName = (user) => user.name || user.email || user.id;

  // ---- elements ----

  // Text goes in as text nodes only, so nothing a stranger typed can become markup.
  function h(tag, props, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (typeof value === 'function') element.addEventListener(name, value);
      else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.filter((child) => child !== undefined));
    return element;
  }

  const ICONS = {
    search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14',
    refresh: 'M13.5 8a5.5 5.5 0 1 1-1.6-3.9L13.5 5.7M13.5 2.5v3.2h-3.2',
    filter: 'M2.5 4.5h11M4.5 8h7M6.5 11.5h3',
    warning: 'M8 2.5 14.5 13.5h-13ZM8 6.5v3.2M8 11.6v.1',
    live: 'M9 1.5 3.5 9H8l-1 5.5L12.5 7H8Z',
    poll: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.5V8l2.5 1.5',
    person: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2.5 14c.5-3 3-4 5.5-4s5 1 5.5 4',
  };

  // By its name, or its path.
  function icon(name) {
    const [svg, path] = ['svg', 'path'].map((tag) => document.createElementNS('http://www.w3.org/2000/svg', tag));
    svg.setAttribute('viewBox', '0 0 16 16');
    svg.setAttribute('class', 'icon');
    svg.ariaHidden = true;
    path.setAttribute('d', ICONS[name] || name);
    svg.append(path);
    return svg;
  }

  // Writes only what changed: 500 rows tick every second.
  function put(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // For text that may be cut off.
  function putLong(element, text) {
    put(element, text);
    if (element.title !== text) element.title = text;
  }

  function picker(label, options, change) {
    return h('select', { 'aria-label': label, change }, ...Object.entries(options).map(([value, text]) => h('option', { value }, text)));
  }

  // The colour comes from data-status on an element around.
  function statusMark(status) {
    return [h('i', { class: 'shape', 'aria-hidden': 'true' }), h('span', {}, STATUSES[status] || status)];
  }

  // ---- the server ----

  // A module beside this script. One that failed is asked for by another name, because
  // browsers remember failures.
  let attempts = 0;
  function load(name, base) {
    const url = new URL(name, here || base);
    if (attempts) url.search = attempts;
    return import(url.href).catch((error) => {
      attempts++;
      throw error;
    });
  }

  // A cursor is "epoch.number". Numbers of two epochs, as two servers have, tell nothing.
  const epoch = ({ cursor }) => cursor?.split('.')[0];
  const number = ({ cursor }) => Number(cursor?.split('.')[1]);

  const refusal = (status, message) => Object.assign(new Error(message), { status });

  class Api {
    constructor(src, token) {
      const base = new URL(src ?? '.', document.baseURI).href;
      this.base = base.endsWith('/') ? base : base + '/';
      this.src = src;
      this.token = token;
    }

    async ask(path, { method = 'GET', params = {}, body, signal } = {}) {
      const url = new URL(path, this.base);
      // Another origin does not get our cookie: it would refuse.
      if (!this.token && url.origin !== location.origin) throw refusal(401);
      for (const [name, value] of Object.entries(params)) if (value) url.searchParams.set(name, value);
      const limits = [AbortSignal.timeout(20000), signal].filter(Boolean);
      const response = await fetch(url, {
        method,
        headers: { ...(this.token && { Authorization: `Bearer ${this.token}` }), ...(body && { 'Content-Type': 'application/json' }) },
        body: body && JSON.stringify(body),
        credentials: this.token ? 'omit' : 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.any(limits),
      }).catch(() => {
        throw refusal(0, 'The server does not answer.');
      });
      const answer = await response.json().catch(() => ({}));
      if (!answer.success) throw refusal(response.status, answer.error || `The server answered with status ${response.status}.`);
      return answer;
    }

    // As many people as are on the screen already, so that a refresh keeps its length.
    async online(params, wanted, signal) {
      const users = [];
      let answer;
      let cursor = '';
      do {
        const limit = Math.min(1000, wanted - users.length);
        answer = await this.ask('admin/users/online', { params: { ...params, limit, cursor }, signal });
        users.push(...answer.users);
        cursor = answer.next_cursor;
      } while (cursor && users.length < wanted);
      return { ...answer, users };
    }

    // Whose credential this is, and their own status. A key is not a person.
    me() {
      if (this.token?.startsWith('rck_')) return Promise.resolve();
      this.asked ??= this.ask('auth/me').then(
        (answer) => ({ ...answer, ...answer.user }),
        () => (this.asked = undefined),
      );
      return this.asked;
    }
  }

  // Does what the feed told to a list of people, latest activity first. Who changed keeps
  // their place until the list is read again.
  function change(users, gone, user) {
    const at = users.findIndex(({ id }) => id === user.id);
    if (at >= 0) users.splice(at, 1, ...(gone ? [] : [user]));
    else if (!gone) users.unshift(user);
  }

  // ---- one person in the list ----

  class Row {
    constructor(open) {
      const cell = (name, ...children) => h('div', { role: 'cell', class: `cell ${name}` }, ...children);
      this.avatar = h('span', { class: 'avatar', 'aria-hidden': 'true' });
      this.name = h('button', { class: 'name', type: 'button', part: 'name', 'aria-haspopup': 'dialog', click: () => open(this.user) });
      this.email = h('span', { class: 'sub' });
      this.organization = h('span');
      this.team = h('span', { class: 'sub' });
      this.role = h('span');
      this.app = h('span');
      this.page = h('span', { class: 'sub mono' });
      this.since = h('span');
      this.seen = h('span');
      this.mark = h('span', { class: 'mark' });
      this.text = h('span', { class: 'sub' });
      this.element = h('div', { role: 'row', class: 'row', part: 'row' },
        cell('who', this.avatar, h('span', { class: 'stack' }, this.name, this.email)),
        cell('org', this.organization, this.team),
        cell('role', this.role),
        cell('place', this.app, this.page),
        cell('status', this.mark, this.text),
        cell('since', this.since),
        cell('seen', this.seen));
    }

    show(user, now) {
      this.user = user;
      this.element.dataset.userId = user.id;
      put(this.avatar, initials(shownName(user)));
      putLong(this.name, shownName(user));
      putLong(this.email, user.email);
      putLong(this.organization, user.organization_name);
      putLong(this.team, user.team_name);
      putLong(this.role, user.role);
      putLong(this.app, user.apps.join(', '));
      putLong(this.page, user.page);
      if (this.element.dataset.status !== user.status) {
        this.element.dataset.status = user.status;
        this.mark.replaceChildren(...statusMark(user.status));
      }
      put(this.text, user.status_text || until(user.status_until));
      this.text.title = claimText(user);
      this.started = Date.parse(user.session_started_at);
      this.active = Date.parse(user.last_activity_at);
      this.since.title = `Since ${local(this.started)}`;
      this.seen.title = local(this.active);
      this.tick(now);
    }

    tick(now) {
      put(this.since, duration(now - this.started));
      put(this.seen, ago(now - this.active));
    }
  }

  // ---- STYLE: the properties to set from outside are those with --rollcall- ----

  const STYLE = new CSSStyleSheet();
  STYLE.replaceSync(`
:host {
  --bg: var(--rollcall-bg, light-dark(#fff, #0f1216));
  --raised: var(--rollcall-raised, light-dark(#f6f7f9, #181c22));
  --text: var(--rollcall-text, light-dark(#15181e, #e7eaef));
  --muted: var(--rollcall-muted, light-dark(#5b6270, #9aa3b0));
  --border: var(--rollcall-border, light-dark(#e3e6eb, #272d36));
  --accent: var(--rollcall-accent, light-dark(#2f5bd0, #85a9ff));
  --available: var(--rollcall-available, light-dark(#1a7f45, #45c27a));
  --away: var(--rollcall-away, light-dark(#8a5b00, #dba642));
  --danger: var(--rollcall-danger, light-dark(#bf2c2c, #ff8379));
  --radius: var(--rollcall-radius, 6px);
  color-scheme: light dark;
  container-type: inline-size;
  display: block;
  background: var(--bg);
  color: var(--text);
  font: 13px/20px var(--rollcall-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
  font-variant-numeric: tabular-nums;
}
:host([theme=light]) { color-scheme: light }
:host([theme=dark]) { color-scheme: dark }
[hidden] { display: none !important }
* { box-sizing: border-box; margin: 0 }
button, select, input { font: inherit; color: inherit }
button, select, .search { height: 28px; padding: 0 10px; border: 1px solid var(--border); border-radius: var(--radius); background: var(--bg); white-space: nowrap }
button, select, [data-user-id] { cursor: pointer }
button:hover, select:hover, [data-user-id]:hover, .row:focus-within { background-color: var(--raised) }
:focus-visible, .search:focus-within, .row:has(:focus-visible) { outline: 2px solid var(--accent); outline-offset: -2px }
.icon { width: 16px; height: 16px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round }
.sub { font-size: 12px; line-height: 16px }
.sub, .split, .mode, .role, .seen, .columns, .foot, .blank p, .search { color: var(--muted) }
.mono { font-family: var(--rollcall-mono, ui-monospace, SFMono-Regular, Menlo, Consolas, monospace); font-size: 12px }
.square { display: grid; place-items: center; padding: 0; width: 28px }
.plain { border-color: #0000; color: var(--accent) }

.head, .filters, .foot, .count, .tools, .search, .order, .notice, .who, .mine, .mode { display: flex; align-items: center; gap: 8px }
.head, .filters, .foot { flex-wrap: wrap }
.head { padding: 4px 0 12px }
.count { font-weight: 600; font-size: 20px; line-height: 28px }
.tools, .order, .updated { margin-inline-start: auto }
.mode { gap: 4px; font-size: 12px }
.mode .icon { width: 12px; height: 12px }
[data-mode=live] { color: var(--available) }
[data-mode=warning] { color: var(--away) }
.filter-toggle { display: none }
.search { width: 240px; cursor: text }
.search input { flex: 1; min-width: 0; border: 0; outline: 0; background: none; padding: 0; color: var(--text); text-overflow: ellipsis; appearance: none }
.search input::placeholder { color: var(--muted); opacity: 1 }
kbd { font: inherit; font-size: 11px; line-height: 16px; padding: 0 5px; border: 1px solid var(--border); border-radius: 4px }

[data-live=yes], [data-status=available] { --sign: var(--available) }
[data-live=no], [data-status=away] { --sign: var(--away) }
[data-status=busy] { --sign: var(--danger) }
.shape, .pulse { position: relative; flex: none; width: 8px; height: 8px; border: 2px solid; border-radius: 50% }
.shape, .shape + span, .pulse { color: var(--sign, var(--muted)) }
.pulse { width: 10px; height: 10px; margin: 0 4px }
[data-live=yes] .pulse, [data-status=available] .shape, [data-status=busy] .shape { background: currentColor }
[data-status=busy] .shape, [data-status=offline] .shape { border-radius: 1px }
[data-live=yes] .pulse::after { content: ""; position: absolute; inset: -2px; border-radius: 50%; background: currentColor; animation: pulse 2.4s ease-out infinite }
@keyframes pulse { from { opacity: .5 } to { opacity: 0; transform: scale(2.4) } }

.filters { padding-bottom: 12px }
select {
  appearance: none; max-width: 200px; padding: 0 22px 0 10px; text-overflow: ellipsis;
  background: var(--bg) conic-gradient(from -45deg at bottom, var(--muted) 90deg, #0000 0) right 9px center / 8px 4px no-repeat;
}
.set, .panel:has(.set) .filter-toggle { border-color: var(--accent); color: var(--accent) }
option { color: var(--text); background: var(--bg) }
.notice { margin-bottom: 12px; padding: 6px 12px; border: 1px solid; border-radius: var(--radius); color: var(--away) }
.notice span { flex: 1; min-width: 0 }

.table { border-top: 1px solid var(--border) }
.row, .columns, .blank { border-bottom: 1px solid var(--border) }
.row, .columns {
  display: grid; align-items: center; column-gap: 16px; padding: 0 8px;
  grid-template-columns: minmax(180px, 2.4fr) minmax(110px, 1.4fr) minmax(64px, .8fr) minmax(100px, 1.3fr) minmax(96px, 1.1fr) 84px 84px;
}
.columns { position: sticky; top: var(--rollcall-sticky-top, 0px); z-index: 1; height: 32px; background: var(--bg); font-size: 12px }
.row { min-height: 48px; content-visibility: auto; contain-intrinsic-size: auto 49px }
.cell { min-width: 0 }
.cell > *, .stack > * {
  display: block; max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  unicode-bidi: plaintext; text-align: match-parent; text-align: -webkit-match-parent;
}
.stack { flex: 1 }
.avatar { flex: none; width: 28px; border-radius: 50%; background: var(--raised); border: 1px solid var(--border); color: var(--muted); font-size: 10px; font-weight: 600; line-height: 26px; text-align: center }
.name { height: auto; padding: 0; border: 0; background: none !important; font-weight: 500; outline: 0 }
.mark { display: flex; align-items: center; gap: 6px }
.group { min-height: 32px; background: var(--raised); font-weight: 600 }
.group div { grid-column: 1 / -1 }
[data-state=loading] .rows { height: 392px; background: repeating-linear-gradient(#0000 0 48px, var(--border) 48px 49px) }
.blank { display: grid; justify-items: center; gap: 4px; padding: 64px 8px; text-align: center; overflow-wrap: anywhere }
.blank .icon { width: 24px; height: 24px; margin-bottom: 8px; stroke-width: 1.2 }
.blank button { margin-top: 12px }
.foot { padding: 12px 8px; min-height: 52px }
[aria-busy=true] .refresh .icon { animation: turn 1s linear infinite }
@keyframes turn { to { transform: rotate(1turn) } }

@container (max-width: 839px) {
  .row, .columns { grid-template-columns: minmax(160px, 2fr) minmax(100px, 1.2fr) minmax(90px, 1fr) minmax(90px, 1fr) 84px }
  .columns > :nth-child(3), .role, .columns > :nth-child(6), .since { display: none }
}
@container (max-width: 619px) {
  button, select, .search { height: 36px }
  .square { width: 36px }
  .tools { flex-basis: 100% }
  .search { flex: 1; width: 0 }
  .search input { font-size: 16px }
  kbd, .columns, .org, .place, .filters:not(.open) { display: none }
  .filter-toggle { display: grid }
  .filters { display: grid; grid-template-columns: repeat(auto-fill, minmax(136px, 1fr)) }
  .order { display: contents }
  select { max-width: none; width: 100% }
  .row { grid-template: "who status" "who seen" / minmax(0, 1fr) auto; padding: 8px 4px }
  .group { display: block }
  .who { grid-area: who }
  .status { grid-area: status; max-width: 40cqi }
  .mark { justify-content: end }
  .seen, .status { text-align: end }
  .seen { grid-area: seen }
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation: none !important }
}
`);

  // ---- the element ----

  class OnlineUsersPanel extends HTMLElement {
    static observedAttributes = ['src', 'token', 'refresh'];
    // What the details are made with, so that both look and speak alike.
    static kit = { h, icon, put, putLong, duration, ago, local, until, claimText, shownName, statusMark, STATUSES };

    #present;
    #embedded;
    #rows = new Map();
    #options = Object.fromEntries(Object.keys(FILTERS).map((name) => [name, new Set()]));
    #wanted = PAGE;
    // The server's clock less ours.
    #skew = 0;
    #failures = 0;
    // The list as the server has it; this.users is what is shown.
    #latest = [];
    // Is that everybody, as the feed can keep it?
    #whole;
    // When the list on the screen was true.
    #loaded;
    // When it was last read.
    #asked = 0;
    #asking;
    #feed;
    // Undefined: not known yet.
    #live;
    // What the feed told and the list does not show yet.
    #news = [];
    // When the pointer last moved over the list.
    #pointed = 0;
    // The list would look different if nobody pointed at it.
    #deferred;
    #timers = {};

    constructor() {
      super();
      this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [STYLE];
      this.#build();
    }

    connectedCallback() {
      this.#embedded = this.hasAttribute('src');
      // Its own sessions show only when asked for.
      if (!this.#embedded) this.#options.app.add('rollcall');
      for (const status of ['available', 'busy', 'away']) this.#options.status.add(status);
      const { signal } = (this.#present = new AbortController());
      document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(this.#timers.next) : this.#load()), { signal });
      document.addEventListener('keydown', (event) => this.#shortcut(event), { signal });
      this.#timers.tick = setInterval(() => this.#tick(), 1000);
      this.#restart();
    }

    disconnectedCallback() {
      this.#present.abort();
      for (const timer of Object.values(this.#timers)) clearTimeout(timer);
      this.#timers = {};
      this.#unfollow();
      this.#asking?.abort();
      this.api = undefined;
    }

    attributeChangedCallback(name) {
      if (!this.isConnected || !this.api) return;
      if (name === 'refresh') return this.#plan();
      // Several attributes are often set in one go.
      queueMicrotask(() => this.isConnected && this.#restart());
    }

    // Looks again now.
    refresh() {
      return this.api && this.#load();
    }

    // -- building, once --

    #build() {
      const action = (name, label, iconName, click) => h('button', { type: 'button', class: `square ${name}`, part: name, 'aria-label': label, title: label, click }, icon(iconName));
      this.count = h('span', { part: 'count' }, '– online');
      this.split = h('span', { class: 'split' });
      this.mode = h('span', { class: 'mode', part: 'mode', role: 'status', hidden: true });
      this.mine = h('button', { type: 'button', class: 'mine', part: 'status', 'aria-haspopup': 'dialog', hidden: true, click: () => this.#details((details) => details.menu.open()) });
      this.search = h('input', { type: 'search', part: 'search', placeholder: 'Search people', 'aria-label': 'Search people', autocomplete: 'off', spellcheck: 'false', input: () => this.#typed() });
      this.slash = h('kbd', { 'aria-hidden': 'true' }, '/');
      this.toggle = action('filter-toggle', 'Filters', 'filter', () => this.#toggleFilters());
      this.toggle.ariaExpanded = false;
      this.notice = h('div', { class: 'notice', part: 'notice', role: 'status', hidden: true });
      this.blank = h('div', { class: 'blank', part: 'blank', hidden: true });
      this.box = h('div', {
        role: 'rowgroup', class: 'rows', part: 'rows', keydown: (event) => this.#walk(event), click: (event) => this.#clicked(event), pointermove: () => (this.#pointed = Date.now()), pointerleave: () => (this.#pointed = 0),
      });
      this.root = h('div', { class: 'panel', part: 'panel', 'data-state': 'loading' }, this.#head(action), this.#filterBar(), this.notice, this.#table(), this.blank, this.#foot());
      this.shadowRoot.append(this.root);
    }

    #head(action) {
      return h('div', { class: 'head', part: 'header' },
        h('div', { class: 'count', 'aria-live': 'polite', 'aria-atomic': 'true' }, h('i', { class: 'pulse', part: 'pulse' }), this.count),
        this.mode,
        this.split,
        h('div', { class: 'tools' }, this.mine, h('label', { class: 'search' }, icon('search'), this.search, this.slash), this.toggle, action('refresh', 'Refresh', 'refresh', () => this.#load())));
    }

    #filterBar() {
      const changed = () => this.#restartList();
      this.filters = Object.fromEntries(Object.entries(FILTERS).map(([name, [label]]) => {
        const select = picker(label, { '': label }, changed);
        select.dataset.filter = name;
        select.hidden = true;
        return [name, select];
      }));
      this.sort = picker('Sort', SORTS, changed);
      this.group = picker('Group', GROUPS, () => this.#arrange(this.#latest));
      this.clear = h('button', { class: 'plain', type: 'button', part: 'clear', hidden: true, click: () => this.#clearFilters() }, 'Clear filters');
      this.bar = h('div', { class: 'filters', part: 'filters' }, ...Object.values(this.filters), this.clear, h('div', { class: 'order' }, this.sort, this.group));
      return this.bar;
    }

    #table() {
      const heads = ['Person', 'Organization', 'Role', 'App and page', 'Status', 'Online for', 'Last activity'];
      this.table = h('div', { role: 'table', class: 'table', part: 'table', 'aria-label': 'People online' },
        h('div', { role: 'rowgroup', class: 'columns-group' }, h('div', { role: 'row', class: 'columns' }, ...heads.map((text) => h('div', { role: 'columnheader' }, text)))),
        this.box);
      return this.table;
    }

    #foot() {
      this.shown = h('span');
      this.more = h('button', { type: 'button', part: 'more', hidden: true, click: () => this.#loadMore() }, 'Load more');
      this.updated = h('span', { class: 'updated', part: 'updated' });
      return h('div', { class: 'foot', part: 'footer' }, this.shown, this.more, this.updated);
    }

    // -- asking --

    // Another server or another caller: nothing on the screen is theirs.
    #restart() {
      const src = this.getAttribute('src');
      const token = this.getAttribute('token');
      if (this.api?.src === src && this.api.token === token) return;
      this.api = new Api(src, token);
      this.slash.hidden = this.#embedded = src !== null;
      this.#forget();
      this.#state('loading');
      this.#restartList();
    }

    #forget() {
      this.#unfollow();
      this.#loaded = this.self = undefined;
      this.mine.hidden = true;
      this.sheet?.element.close();
      this.#arrange([]);
    }

    // Another question to the same server.
    #restartList() {
      this.#wanted = PAGE;
      this.reorder = true;
      for (const select of Object.values(this.filters)) select.classList.toggle('set', select.value !== '');
      this.clear.hidden = !this.#filtered();
      this.#load();
    }

    #typed() {
      clearTimeout(this.#timers.search);
      this.#timers.search = setTimeout(() => this.#restartList(), 250);
    }

    #clearFilters() {
      for (const select of Object.values(this.filters)) select.value = '';
      this.search.value = '';
      this.search.focus();
      this.#restartList();
    }

    #loadMore() {
      this.#wanted = this.#latest.length + PAGE;
      this.#load();
    }

    #params() {
      const params = { q: this.search.value.trim(), sort: this.sort.value };
      for (const [name, select] of Object.entries(this.filters)) params[name] = select.value;
      return params;
    }

    // The last question wins; an answer to an older one is dropped.
    async #load() {
      this.#asking?.abort();
      clearTimeout(this.#timers.next);
      const asking = (this.#asking = new AbortController());
      this.#asked = Date.now();
      this.root.ariaBusy = true;
      try {
        const page = await this.api.online(this.#params(), this.#wanted, asking.signal);
        if (!asking.signal.aborted) this.#succeed(page);
      } catch (error) {
        if (!asking.signal.aborted) this.#fail(error);
      }
      if (asking.signal.aborted) return;
      this.#asking = undefined;
      this.root.ariaBusy = false;
      this.#plan();
    }

    // In a moment, however often it is asked for; at most once a second.
    #soon(spread = 250) {
      const wait = Math.max(0, this.#asked + 1000 - Date.now()) + Math.random() * spread;
      this.#timers.soon ??= setTimeout(() => {
        this.#timers.soon = undefined;
        if (this.#asking) this.#soon();
        else this.#load();
      }, wait);
    }

    get #regular() {
      return Number(this.getAttribute('refresh')) || 30;
    }

    #plan() {
      clearTimeout(this.#timers.next);
      const regular = this.#regular * 1000;
      const wait = this.#failures ? 200 + Math.random() * Math.min(regular, 1000 * 2 ** this.#failures) : regular;
      if (!document.hidden && this.isConnected) this.#timers.next = setTimeout(() => this.#load(), wait);
      this.#tell();
    }

    // -- the live feed --

    #follow(cursor) {
      if (this.#feed) return;
      this.#feed = new Feed(this.api.base, this.api.token, {
        heard: (message) => this.#heard(message),
        live: (yes) => this.#flows(yes),
        refused: (status) => this.#refused(status),
      });
      this.#feed.start(cursor);
    }

    #unfollow() {
      const feed = this.#feed;
      this.#feed = this.#live = undefined;
      this.#news = [];
      feed?.stop();
      this.#tell();
    }

    #flows(yes) {
      if (!this.#feed) return;
      const lost = this.#live && !yes;
      this.#live = yes;
      this.#tell();
      // Does the server still answer?
      if (lost && this.#loaded && !document.hidden) this.#soon(1000);
    }

    #heard(message) {
      const { type } = message;
      // Who has just read the list is told by the feed what came after it.
      if (type === 'reset' || (type === 'hello' && Date.now() - this.#loaded > 2000)) this.#soon();
      if (!['online', 'updated', 'offline'].includes(type)) return;
      this.#news.push(message);
      this.#timers.news ??= setTimeout(() => {
        this.#timers.news = undefined;
        if (!this.#asking) this.#catchUp();
      }, 20);
    }

    // Of a part of the list, and of another order, only the server can say what it is.
    #catchUp() {
      const news = this.#news.splice(0);
      if (!news.length || !this.#loaded) return;
      const { counts } = news.at(-1);
      const count = Object.values(counts).reduce((sum, n) => sum + n, 0);
      const users = [...this.#latest];
      if (this.#whole) for (const { type, user } of news) change(users, type === 'offline', user);
      else this.#soon();
      if (!this.#filtered()) this.#show({ users, count, counts });
      for (const { type, user } of news) {
        if (user.id === this.sheet?.user?.id) this.sheet.update(type === 'offline' ? undefined : user);
        if (user.id === this.self?.id) this.whoAmI(true);
      }
    }

    // Which of the two the list follows.
    #tell() {
      const every = `every ${this.#regular} s`;
      const [name, words, title] = this.#failures ? ['warning', 'Reconnecting', 'The server does not answer.']
        : this.#live ? ['live', 'Live', `Changes show at once. The list is read again ${every}.`]
          : ['poll', `E${every.slice(1)}`, `The live feed can not be reached, so the list is read again ${every}.`];
      this.mode.hidden = this.#live === undefined || !this.#loaded;
      if (this.mode.dataset.mode === name && this.mode.textContent === words) return;
      this.mode.dataset.mode = name;
      this.mode.title = title;
      this.mode.replaceChildren(icon(name), words);
    }

    // -- showing --

    #succeed(page) {
      this.#failures = 0;
      this.#skew = page.timestamp ? Date.parse(page.timestamp) - Date.now() : 0;
      this.#whole = !page.next_cursor && !this.#filtered() && !this.sort.selectedIndex;
      this.shown.textContent = page.next_cursor ? `${page.users.length.toLocaleString()} of ${page.count.toLocaleString()} shown` : '';
      this.more.hidden = !page.next_cursor;
      this.notice.hidden = true;
      this.#show(page);
      const foreign = (told) => epoch(told) !== epoch(page);
      if (this.#news.some(foreign)) this.#soon();
      this.#news = this.#news.filter((told) => foreign(told) || !(number(told) <= number(page)));
      this.#catchUp();
      this.#follow(page.cursor);
      this.whoAmI();
    }

    #show(page) {
      this.#loaded = Date.now();
      this.#countPeople(page);
      this.#offer(page.users);
      this.#arrange(page.users);
      this.#settle(page);
      this.updated.textContent = `Updated ${CLOCK.format(this.#loaded)}`;
      const looked = this.sheet?.user && page.users.find(({ id }) => id === this.sheet.user.id);
      // Outside of the filters is not offline.
      if (looked || this.#whole) this.sheet?.update(looked);
      this.#fire('updated', { count: page.count, counts: page.counts, all: !this.#filtered() });
    }

    #settle(page) {
      this.root.dataset.live = page.count ? 'yes' : '';
      if (page.count) return this.#state('ready');
      if (this.#filtered()) return this.#state('filtered', 'filter', 'Nobody online matches', 'Others may be online outside of these filters.', 'Clear filters', () => this.#clearFilters());
      this.#state('empty', 'person', 'Nobody is online', 'People appear here when they log in.');
      this.blank.append(h('slot', { name: 'empty' }));
    }

    #filtered() {
      const { sort, ...rest } = this.#params();
      return Object.values(rest).some(Boolean);
    }

    #countPeople({ count, counts }) {
      put(this.count, `${count.toLocaleString()} online`);
      const parts = Object.entries(counts).filter(([, n]) => n).map(([status, n]) => `${n.toLocaleString()} ${status}`);
      if (this.#filtered()) parts.unshift('matching');
      put(this.split, parts.join(' · '));
    }

    #fail({ status, message }) {
      this.#failures++;
      this.root.dataset.live = 'no';
      if (status === 401 || status === 403) return this.#refused(status);
      if (!status) this.#feed?.doubt();
      if (!this.#loaded) return this.#empty('error', 'The list could not be loaded', message);
      this.root.dataset.state = 'stale';
      this.#notify(`Not updated since ${CLOCK.format(this.#loaded)} – retrying. ${message}`, () => this.#load());
    }

    #notify(words, retry) {
      this.notice.hidden = false;
      this.notice.replaceChildren(icon('warning'), h('span', {}, words), h('button', { type: 'button', click: retry }, 'Try again'));
    }

    // Whoever may not see the list does not go on seeing an old one.
    #refused(status) {
      this.#forget();
      if (status === 403) return this.#empty('forbidden', 'Not allowed', 'This needs viewer access, or a key with the scope read.');
      const words = this.#embedded ? 'The token is missing, has expired or is not known to this server.' : 'Your session has ended.';
      this.#empty('unauthenticated', 'Not signed in to Rollcall', words);
      this.#fire('unauthenticated');
    }

    #empty(state, title, words) {
      this.#arrange([]);
      this.root.dataset.live = 'no';
      this.more.hidden = this.notice.hidden = true;
      put(this.count, '– online');
      this.split.textContent = this.shown.textContent = this.updated.textContent = '';
      this.#state(state, 'warning', title, words, 'Try again', () => this.#load());
    }

    #state(state, iconName, title, words, button, click) {
      this.root.dataset.state = state;
      this.blank.hidden = !title;
      this.table.hidden = Boolean(title);
      if (!title) return;
      this.blank.replaceChildren(icon(iconName), h('strong', {}, title), h('p', {}, words));
      if (button) this.blank.append(h('button', { type: 'button', part: 'retry', click }, button));
    }

    // Filters offer what has been seen so far.
    #offer(users) {
      for (const [name, [, field]] of Object.entries(FILTERS)) {
        for (const user of users) [user[field]].flat().forEach((value) => this.#options[name].add(value));
      }
      for (const [name, select] of Object.entries(this.filters)) {
        const values = [...this.#options[name]].filter(Boolean).sort((a, b) => a.localeCompare(b));
        select.hidden = !values.length;
        if (select.length === values.length + 1) continue;
        const { value } = select;
        select.replaceChildren(select.options[0], ...values.map((text) => h('option', { value: text }, name === 'status' ? STATUSES[text] || text : text)));
        select.value = value;
      }
    }

    // -- rows --

    #arrange(latest) {
      this.#latest = latest;
      const users = (this.users = this.#steady(latest));
      const now = this.now();
      const ids = new Set(users.map((user) => user.id));
      for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
      for (const user of users) {
        if (!this.#rows.has(user.id)) this.#rows.set(user.id, new Row((shown) => this.#open(shown)));
        this.#rows.get(user.id).show(user, now);
      }
      this.#lay(this.#grouped(users));
    }

    // Where somebody points or is with the keyboard, the list keeps its order, and who
    // leaves stays as offline: nobody should click on the one person and get another. A
    // pointer that rests does not count.
    #steady(latest) {
      const held = this.#held();
      this.#deferred = held && !this.reorder;
      if (!this.#deferred) {
        this.reorder = false;
        return latest;
      }
      const here = new Map(latest.map((user) => [user.id, user]));
      const kept = this.users.map((user) => here.get(user.id) || { ...user, status: 'offline', status_text: '', status_until: null });
      const before = new Set(this.users.map((user) => user.id));
      return [...kept, ...latest.filter((user) => !before.has(user.id))];
    }

    #held() {
      const pointed = this.#pointed > Date.now() - 10000 && this.box.matches(':hover');
      return pointed || this.box.querySelector(':focus-visible');
    }

    #grouped(users) {
      const key = this.group.value;
      const elements = (some) => some.map((user) => this.#rows.get(user.id).element);
      if (!key) return elements(users);
      const groups = Map.groupBy(users, (user) => user[key]);
      const names = [...groups.keys()].sort((a, b) => !a - !b || a.localeCompare(b));
      return names.flatMap((name) => [this.#groupRow(name, groups.get(name).length), ...elements(groups.get(name))]);
    }

    #groupRow(name, size) {
      const words = name || `No ${this.group.value.replace('_name', '')}`;
      return h('div', { role: 'row', class: 'row group', part: 'group' }, h('div', { role: 'rowheader', 'aria-colspan': '7' }, words, ' ', h('span', { class: 'sub' }, size)));
    }

    // Moves as little as possible: a row that is moved loses the focus.
    #lay(elements) {
      const wanted = new Set(elements);
      for (const child of [...this.box.children]) if (!wanted.has(child)) child.remove();
      let at = this.box.firstChild;
      for (const element of elements) {
        if (element === at) at = at.nextSibling;
        else this.box.insertBefore(element, at);
      }
    }

    // -- moving about --

    #walk(event) {
      const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
      const names = [...this.box.querySelectorAll('.name')];
      const from = names.indexOf(this.shadowRoot.activeElement);
      if (!step || from < 0) return;
      event.preventDefault();
      names[Math.max(0, Math.min(names.length - 1, from + step))].focus();
    }

    #clicked(event) {
      const id = event.target.closest('.row')?.dataset.userId;
      const row = this.#rows.get(id);
      if (!row || event.target === row.name || !document.getSelection().isCollapsed) return;
      this.#open(row.user);
    }

    #open(user) {
      this.#details(({ sheet }) => sheet.open(user, this.#rows.get(user.id)?.name));
    }

    // Details and the status menu come with a script of their own.
    async #details(then) {
      try {
        this.details ??= (await load('static/built/online-users-panel-details.js', this.api.base)).details(this);
      } catch {
        return this.#notify('The details could not be loaded.', () => this.#details(then));
      }
      this.sheet = this.details.sheet;
      then(this.details);
    }

    // On a host's page, keys are the host's.
    #shortcut(event) {
      const target = event.composedPath()[0];
      const typing = target.closest?.('input, textarea, select, [contenteditable]');
      if (typing || event.ctrlKey || event.metaKey || event.altKey || this.sheet?.user) return;
      if (this.#embedded && !this.contains(event.target)) return;
      if (event.key === 'r') this.#load();
      if (event.key !== '/' || this.#embedded) return;
      event.preventDefault();
      this.search.focus();
    }

    #toggleFilters() {
      this.toggle.ariaExpanded = this.bar.classList.toggle('open');
    }

    // -- who looks at it --

    async whoAmI(again) {
      const { api } = this;
      if (again) api.asked = undefined;
      const user = await api.me();
      if (user && api === this.api && this.#loaded) this.#showMine(user);
    }

    // The own status, on the button that changes it.
    #showMine(user) {
      this.self = user;
      this.mine.dataset.status = user.status;
      this.mine.title = claimText(user);
      this.mine.replaceChildren(...(user.status === 'available' ? ['Set status'] : statusMark(user.status)));
      this.mine.hidden = false;
    }

    // -- time --

    now() {
      // As the server's clock has it.
      return Date.now() + this.#skew;
    }

    #tick() {
      if (document.hidden) return;
      const now = this.now();
      if (this.#deferred && !this.#held()) this.#arrange(this.#latest);
      for (const row of this.#rows.values()) row.tick(now);
      if (now > Date.parse(this.self?.status_until)) this.whoAmI(true);
    }

    #fire(name, detail) {
      this.dispatchEvent(new CustomEvent(`rollcall:${name}`, { bubbles: true, composed: true, detail }));
    }
  }

  customElements.define('online-users-panel', OnlineUsersPanel);
})();
