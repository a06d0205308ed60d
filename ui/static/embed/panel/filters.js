// What narrows, orders and groups the list: the search, and the bar of choices.
import { button, h, options } from '../../lib/dom.js';
import { CHOICES, STATUSES } from '../../lib/status.js';

// parameter: what it is called, and the field of a person that it is about
const FILTERS = {
  app: ['App', 'apps'], organization: ['Organization', 'organization_name'], team: ['Team', 'team_name'], role: ['Role', 'role'], status: ['Status', 'status'],
};
const SORTS = { last_activity: 'Last activity', name: 'Name', duration: 'Time online' };
const GROUPS = { '': 'No grouping', organization_name: 'By organization', team_name: 'By team', page: 'By page' };

export class Filters {
  #values = Object.fromEntries(Object.keys(FILTERS).map((name) => [name, new Set()])); // what there is to choose
  #typing;

  // changed is called for another question to the server, regrouped for another grouping of its answer.
  constructor(changed, regrouped) {
    this.changed = changed;
    this.search = h('input', { type: 'search', part: 'search', placeholder: 'Search people', 'aria-label': 'Search people', autocomplete: 'off', spellcheck: 'false', input: () => this.#typed() });
    this.selects = Object.fromEntries(Object.entries(FILTERS).map(([name, [label]]) => [name, picker(label, { '': label }, changed, { 'data-filter': name, hidden: true })]));
    this.sort = picker('Sort', SORTS, changed);
    this.group = picker('Group', GROUPS, regrouped);
    this.clearer = button('Clear filters', () => this.clear(), { class: 'plain', part: 'clear', hidden: true });
    this.element = h('div', { class: 'filters', part: 'filters' }, ...Object.values(this.selects), this.clearer, h('div', { class: 'order' }, this.sort, this.group));
    for (const status of CHOICES) this.#values.status.add(status);
  }

  query() {
    const chosen = Object.fromEntries(Object.entries(this.selects).map(([name, select]) => [name, select.value]));
    const narrow = { q: this.search.value.trim(), ...chosen };
    return { params: { ...narrow, sort: this.sort.value }, filtered: Object.values(narrow).some(Boolean) };
  }

  // Shows which of them narrow the list.
  mark() {
    for (const select of Object.values(this.selects)) select.classList.toggle('set', select.value !== '');
    this.clearer.hidden = !this.query().filtered;
  }

  clear() {
    for (const select of Object.values(this.selects)) select.value = '';
    this.search.value = '';
    this.search.focus();
    this.changed();
  }

  // Offers an app of which nobody is online.
  offerApp(name) {
    this.#values.app.add(name);
  }

  // Offers what these people have, beside what others had before.
  offer(users) {
    for (const [name, [, field]] of Object.entries(FILTERS)) {
      for (const user of users) [user[field]].flat().forEach((value) => this.#values[name].add(value));
      const select = this.selects[name];
      const values = [...this.#values[name]].filter(Boolean).sort((a, b) => a.localeCompare(b));
      select.hidden = !values.length;
      if (select.length === values.length + 1) continue;
      const { value } = select;
      select.replaceChildren(select.options[0], ...values.map((text) => h('option', { value: text }, name === 'status' ? STATUSES[text] || text : text)));
      select.value = value;
    }
  }

  stop() {
    clearTimeout(this.#typing);
  }

  #typed() {
    this.stop();
    this.#typing = setTimeout(this.changed, 250);
  }
}

function picker(label, words, change, props) {
  return h('select', { 'aria-label': label, change, ...props }, ...options(words));
}
