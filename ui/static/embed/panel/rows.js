// The rows of the table: one for each person, patched rather than made anew, so that the focus and
// a text that somebody marks survive a change.
import { h, put, putLong } from '../../lib/dom.js';
import { claimText, lookalikes, personKey, shownName, statusMark } from '../../lib/status.js';
import { ago, duration, local, until } from '../../lib/time.js';

const RESTS_AFTER_MS = 10000;

export class Rows {
  #rows = new Map();
  #shown = []; // the people, in the order of the rows
  #latest = []; // the same as the server has them
  #usedAt = 0; // when the pointer last moved over the rows, or the keyboard in them
  #held; // the order is an older one, for the sake of somebody who is in it
  #on;

  // on.groupedBy() names a field of a person, or ''; on.now() is the server's time; on.open(user, element) is called
  // when somebody wants to know more.
  constructor(on) {
    this.#on = on;
    const use = () => (this.#usedAt = Date.now());
    this.element = h('div', {
      role: 'rowgroup', class: 'rows', part: 'rows', keydown: (event) => this.#walk(event), click: (event) => this.#clicked(event),
      pointermove: use, pointerleave: () => (this.#usedAt = 0), focusin: use,
    });
  }

  // Shows these people; in exactly this order if reorder says so.
  show(latest, reorder) {
    this.#latest = latest;
    this.#shown = this.#holdOrder(latest, reorder);
    const now = this.#on.now();
    const alike = lookalikes(this.#shown);
    this.#rows = new Map(this.#shown.map((user) => {
      const key = personKey(user);
      const row = this.#rows.get(key) || new Row(this.#on.open);
      row.show(user, now, alike(user));
      return [key, row];
    }));
    this.#reconcileRows(this.#grouped());
  }

  showAgain() {
    this.show(this.#latest);
  }

  tick() {
    if (this.#held) this.showAgain(); // nobody may be in it any longer
    const now = this.#on.now();
    for (const row of this.#rows.values()) row.tick(now);
  }

  // Where somebody points or is with the keyboard, the rows keep their order, and who leaves stays
  // as offline: nobody should click on one person and get another. A pointer or a keyboard that rests does not
  // count, or who left would stay for as long as a panel on a wall has the focus.
  #holdOrder(latest, reorder) {
    this.#held = !reorder && this.#usedAt > Date.now() - RESTS_AFTER_MS && (this.element.matches(':hover') || this.#focused());
    if (!this.#held) return latest;
    const online = new Map(latest.map((user) => [personKey(user), user]));
    const kept = this.#shown.map((user) => online.get(personKey(user)) || { ...user, status: 'offline', status_text: '', status_until: null });
    return [...kept, ...latest.filter((user) => !this.#rows.has(personKey(user)))];
  }

  #focused() {
    return this.element.querySelector(':focus-visible');
  }

  #grouped() {
    const key = this.#on.groupedBy();
    const elements = (some) => some.map((user) => this.#rows.get(personKey(user)).element);
    if (!key) return elements(this.#shown);
    const names = [...new Set(this.#shown.map((user) => user[key]))].sort((a, b) => !a - !b || a.localeCompare(b));
    return names.flatMap((name) => {
      const group = this.#shown.filter((user) => user[key] === name);
      return [groupRow(name || `No ${key.replace('_name', '')}`, group.length), ...elements(group)];
    });
  }

  // Moves as little as possible: a row that is moved loses the focus. It gets it back; of a row that is gone, the one in its place.
  #reconcileRows(elements) {
    const focused = this.#focused();
    const place = this.#names().indexOf(focused);
    const wanted = new Set(elements);
    for (const child of [...this.element.children]) if (!wanted.has(child)) child.remove();
    elements.forEach((element, i) => {
      const at = this.element.children[i];
      if (element !== at) this.element.insertBefore(element, at);
    });
    if (!focused || focused.matches(':focus')) return;
    const names = this.#names();
    (focused.isConnected ? focused : names[place] || names.at(-1))?.focus({ preventScroll: true });
    this.#usedAt = 0; // nobody pressed a key
  }

  #names() {
    return [...this.element.querySelectorAll('.name')];
  }

  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    const names = this.#names();
    const from = names.indexOf(event.target);
    if (!step || from < 0) return;
    event.preventDefault();
    names[Math.max(0, Math.min(names.length - 1, from + step))].focus();
  }

  // A click anywhere in a row is one on its name, unless it marks a text.
  #clicked({ target }) {
    const name = target.closest('.row')?.querySelector('.name'); // the row of a group has none
    if (target !== name && document.getSelection().isCollapsed) name?.click();
  }
}

function groupRow(words, size) {
  return h('div', { role: 'row', class: 'row group', part: 'group' }, h('div', { role: 'rowheader', 'aria-colspan': '7' }, words, ' ', h('span', { class: 'sub' }, size)));
}

function initials(name) {
  const words = name.split(/[\s.@_-]+/).slice(0, 2);
  return words.map((word) => [...word][0]).join('').toUpperCase();
}

class Row {
  constructor(open) {
    const cell = (name, ...children) => h('div', { role: 'cell', class: `cell ${name}` }, ...children);
    this.avatar = h('span', { class: 'avatar', 'aria-hidden': 'true' });
    this.name = h('button', { class: 'name', type: 'button', part: 'name', 'aria-haspopup': 'dialog', click: () => open(this.user, this.name) });
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

  // The directory is shown of who looks like somebody else.
  show(user, now, alike) {
    this.user = user;
    this.element.dataset.userId = user.id;
    put(this.avatar, initials(shownName(user)));
    putLong(this.name, shownName(user));
    putLong(this.email, [user.email, alike && user.directory].filter(Boolean).join(' · '));
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
