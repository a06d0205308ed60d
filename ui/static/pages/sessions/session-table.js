// The table of the page Sessions. Rows are patched, not made anew, so that a selection,
// the focus and a text that somebody marks survive a refresh.
import { deviceMark } from '../../lib/device.js';
import { button, h, put, putLong } from '../../lib/dom.js';
import { endTime, lastActivity, lasted, placeWords, stateMark } from '../../lib/session-state.js';
import { lookalikes, shownName } from '../../lib/status.js';
import { local } from '../../lib/time.js';

const COLUMNS = [
  ['Person'], ['State'], ['App'], ['Device'], ['Logged in', 'created'], ['Last activity', 'last_activity'], ['Ended', 'ended'], ['Duration'],
];

export class SessionTable {
  // sort is called with the name of an order, open with a user and the button that was
  // used, selected when another set of sessions is.
  constructor(clock, { sort, open, selected }) {
    Object.assign(this, { clock, open, selected });
    this.rows = new Map();
    this.sorters = COLUMNS.filter(([, order]) => order).map(([words, order]) => button(words, () => sort(order), { class: 'sorter', 'data-sort': order }));
    this.all = h('input', { type: 'checkbox', 'aria-label': 'Select all that are shown', change: () => this.selectAll() });
    this.body = h('tbody');
    this.body.addEventListener('change', () => this.chosen());
    const heads = COLUMNS.map(([words, order]) => h('th', { scope: 'col', 'data-column': words }, this.sorters.find((one) => one.dataset.sort === order) || words));
    this.element = h('table', { class: 'sessions' }, h('thead', {}, h('tr', {}, h('td', { class: 'pick' }, this.all), ...heads)), this.body);
  }

  // Shows these sessions, in this order. Only an administrator can select any.
  show(sessions, { sort, ended, admin }) {
    this.element.dataset.ended = ended;
    this.element.dataset.admin = admin;
    for (const sorter of this.sorters) sorter.closest('th').ariaSort = sorter.dataset.sort === sort ? 'descending' : null;
    this.alike = lookalikes(sessions.map(({ user }) => user));
    const before = this.rows;
    this.rows = new Map(sessions.map((session) => [session.id, before.get(session.id) || this.row(session)]));
    for (const session of sessions) this.fill(this.rows.get(session.id), session);
    const order = [...this.rows.values()].map((row) => row.element);
    if (order.length !== this.body.children.length || order.some((element, i) => element !== this.body.children[i])) this.body.replaceChildren(...order);
    this.chosen();
  }

  row({ id }) {
    const row = { picked: h('input', { type: 'checkbox' }), cells: COLUMNS.map(([words]) => h('td', { 'data-column': words })) };
    row.element = h('tr', { 'data-session-id': id }, h('td', { class: 'pick' }, row.picked), ...row.cells);
    return row;
  }

  fill(row, session) {
    row.session = session;
    row.picked.disabled = Boolean(endTime(session));
    row.picked.checked &&= !row.picked.disabled;
    row.picked.ariaLabel = `Select the session of ${shownName(session.user)} in ${session.app}`;
    const seen = JSON.stringify([session, this.alike(session.user)]);
    if (row.seen !== seen) this.fillFacts(row.cells, session);
    row.seen = seen;
    this.tick(row);
  }

  fillFacts([person, state, app, device, began], session) {
    const { user } = session;
    const details = person.querySelector('button') || h('button', { type: 'button', class: 'name', click: () => this.open(user, details) });
    putLong(details, shownName(user));
    const about = [user.email, user.organization_name, user.team_name, this.alike(user) && user.directory].filter(Boolean).join(' · ');
    person.replaceChildren(details, h('span', { class: 'sub', title: about }, about));
    state.replaceChildren(stateMark(session));
    app.replaceChildren(h('span', { title: session.app }, session.app));
    device.replaceChildren(
      h('span', { class: 'device', title: session.user_agent }, ...deviceMark(session)),
      h('span', { class: 'sub' }, placeWords(session)));
    began.replaceChildren(h('time', { datetime: session.session_started_at }, local(session.session_started_at)));
  }

  // What changes by time alone.
  tick({ cells: [, , , , , activity, ended, length], session }) {
    const now = this.clock.now();
    const end = endTime(session);
    put(activity, lastActivity(session, now));
    put(ended, end ? local(end) : '–');
    put(length, lasted(session, now));
  }

  tickAll() {
    for (const row of this.rows.values()) this.tick(row);
  }

  get picked() {
    return [...this.rows.values()].filter((row) => row.picked.checked).map((row) => row.session);
  }

  selectAll() {
    for (const { picked } of this.rows.values()) picked.checked = this.all.checked && !picked.disabled;
    this.chosen();
  }

  clear() {
    this.all.checked = false;
    this.selectAll();
  }

  chosen() {
    const { length } = this.picked;
    const possible = [...this.rows.values()].filter((row) => !row.picked.disabled).length;
    this.all.disabled = !possible;
    this.all.checked = possible > 0 && length === possible;
    this.all.indeterminate = length > 0 && length < possible;
    this.selected(this.picked);
  }
}
