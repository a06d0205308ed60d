// What is around the rows: the count, how fresh the list is, and what stands in place of a list.
import { button, h, put } from '../../lib/dom.js';
import { countWords } from '../../lib/status.js';
import { SECONDS } from '../../lib/time.js';
import { iconOf } from './icons.js';

const HEADS = ['Person', 'Organization', 'Role', 'App and page', 'Status', 'Online for', 'Last activity'];

export class Frame {
  constructor({ filters, rows, own, refresh, loadMore }) {
    const action = (name, label, iconName, click) => h('button', { type: 'button', class: `square ${name}`, part: name, 'aria-label': label, title: label, click }, iconOf(iconName));
    this.count = h('span', { part: 'count' }, '– online');
    this.mode = h('span', { class: 'mode', part: 'mode', role: 'status', hidden: true });
    this.split = h('span', { class: 'split' });
    this.slash = h('kbd', { 'aria-hidden': 'true' }, '/');
    const toggle = action('filter-toggle', 'Filters', 'filter', () => (toggle.ariaExpanded = filters.element.classList.toggle('open')));
    toggle.ariaExpanded = false;
    const head = h('div', { class: 'head', part: 'header' },
      h('div', { class: 'count', 'aria-live': 'polite', 'aria-atomic': 'true' }, h('i', { class: 'pulse', part: 'pulse' }), this.count),
      this.mode,
      this.split,
      h('div', { class: 'tools' }, own.button, h('label', { class: 'search' }, iconOf('search'), filters.search, this.slash), toggle, action('refresh', 'Refresh', 'refresh', refresh)));
    this.notice = h('div', { class: 'notice', part: 'notice', role: 'status', hidden: true });
    this.table = h('div', { role: 'table', class: 'table', part: 'table', 'aria-label': 'People online' },
      h('div', { role: 'rowgroup', class: 'columns-group' }, h('div', { role: 'row', class: 'columns' }, ...HEADS.map((text) => h('div', { role: 'columnheader' }, text)))),
      rows.element);
    this.blank = h('div', { class: 'blank', part: 'blank', hidden: true });
    this.shown = h('span');
    this.more = button('Load more', loadMore, { part: 'more', hidden: true });
    this.updated = h('span', { class: 'updated', part: 'updated' });
    const foot = h('div', { class: 'foot', part: 'footer' }, this.shown, this.more, this.updated);
    this.element = h('div', { class: 'panel', part: 'panel', 'data-state': 'loading' }, head, filters.element, this.notice, this.table, this.blank, foot);
  }

  // How much of the list is shown.
  showSize({ users, count, next_cursor: more }) {
    this.shown.textContent = more ? `${users.length.toLocaleString()} of ${count.toLocaleString()} shown` : '';
    this.more.hidden = !more;
  }

  showCounts({ count, counts }, filtered, loadedAt) {
    put(this.count, `${count.toLocaleString()} online`);
    put(this.split, [...(filtered ? ['matching'] : []), ...countWords(counts)].join(' · '));
    this.updated.textContent = `Updated ${SECONDS.format(loadedAt)}`;
    this.element.dataset.live = count ? 'yes' : '';
  }

  // Whether the list follows the live feed, or is only read from time to time.
  renderMode({ failures, live, loadedAt }, seconds) {
    const every = `every ${seconds} s`;
    const [name, words, title] = failures ? ['warning', 'Reconnecting', 'The server cannot be reached.']
      : live ? ['live', 'Live', `Changes show at once. The list is read again ${every}.`]
        : ['poll', `E${every.slice(1)}`, `The live feed cannot be reached, so the list is read again ${every}.`];
    this.mode.hidden = live === undefined || !loadedAt;
    if (this.mode.dataset.mode === name && this.mode.textContent === words) return;
    this.mode.dataset.mode = name;
    this.mode.title = title;
    this.mode.replaceChildren(iconOf(name), words);
  }

  // Shows a list, or with a title what stands in its place.
  state(name, iconName, title, words, label, click) {
    this.element.dataset.state = name;
    this.blank.hidden = !title;
    this.table.hidden = Boolean(title);
    if (!title) return;
    this.blank.replaceChildren(iconOf(iconName), h('strong', {}, title), h('p', {}, words));
    if (label) this.blank.append(button(label, click, { part: 'retry' }));
  }

  // Nothing of an older list is left on the screen.
  empty(state, title, words, retry) {
    this.element.dataset.live = 'no';
    this.more.hidden = this.notice.hidden = true;
    put(this.count, '– online');
    this.split.textContent = this.shown.textContent = this.updated.textContent = '';
    this.state(state, 'warning', title, words, 'Try again', retry);
  }

  stale(loadedAt, message, retry) {
    this.element.dataset.live = 'no';
    this.element.dataset.state = 'stale';
    this.notify(`Not updated since ${SECONDS.format(loadedAt)} – retrying. ${message}`, 'Try again', retry);
  }

  notify(words, label, click) {
    this.notice.hidden = false;
    this.notice.replaceChildren(iconOf('warning'), h('span', {}, words), button(label, click));
  }
}
