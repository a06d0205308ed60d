// The page Sessions: every session, by what the address says.
import { changedQuery, here, visit } from '../../lib/address.js';
import { ask } from '../../lib/api.js';
import { choose, fillChoices } from '../../lib/choices.js';
import { at, button, h, tryAgain } from '../../lib/dom.js';
import { signedIn } from '../../lib/session.js';
import { shownName } from '../../lib/status.js';
import { Clock, local } from '../../lib/time.js';
import { endMatching, endThese } from './end-sessions.js';
import { PersonSheet } from './person-sheet.js';
import { SessionTable } from './session-table.js';

const PAGE = 100;
const MOST = 1000; // sessions in one answer
const RELOAD_MS = 15000;
const FIELDS = ['q', 'state', 'app', 'organization', 'device', 'from', 'to', 'ip', 'reason'];

const form = at('filters');
const clock = new Clock();
const table = new SessionTable(clock, { sort: (order) => narrow({ sort: order }), open: (user, back) => sheet.open(user, back), selected: showSelection });
const sheet = new PersonSheet(clock, { ended: refresh, only: (user) => narrow({ user: user.id, directory: user.directory, state: 'all', sort: '' }) });
let typing; // the timer of a text that is not in the address yet
const page = { sessions: [], wanted: PAGE, next: '', admin: false, asked: undefined, loaded: 0 };

// ---- the address ----

// Goes to the address with these parameters changed, and shows what is there.
function narrow(changes) {
  const changed = changedQuery(changes);
  if (changed.get('state') !== 'ended' && changed.get('sort') === 'ended') changed.delete('sort');
  visit('sessions', changed);
  arrive(document.activeElement);
}

// Brings the form in line with the address, besides a field in which somebody is typing.
function arrive(inUse) {
  clearTimeout(typing);
  const query = here();
  for (const name of FIELDS) {
    const field = form.elements[name];
    const value = query.get(name) || '';
    if (field !== inUse) choose(field, value);
  }
  further(['from', 'to', 'ip', 'reason'].some((name) => query.get(name)) || undefined);
  page.sessions = [];
  page.wanted = PAGE;
  page.loaded = 0;
  table.clear();
  load();
}

// The address as a query for the server, which knows no local times.
function filters() {
  const query = here();
  for (const name of ['from', 'to']) {
    const time = new Date(query.get(name) || NaN);
    if (isNaN(time)) query.delete(name);
    else query.set(name, time.toISOString());
  }
  return query;
}

function further(open) {
  if (open !== undefined) at('further').ariaExpanded = open;
  document.getElementById('further').hidden = at('further').ariaExpanded !== 'true';
}

// ---- the list ----

// Loads what is shown again, or the next page after it. Only the latest question counts.
async function load(next = '') {
  const asked = (page.asked = {});
  const limit = next ? PAGE : Math.min(page.wanted, MOST);
  const query = filters();
  query.set('limit', limit);
  if (next) query.set('cursor', next);
  if (!page.sessions.length) at('list').ariaBusy = 'true';
  try {
    const answer = await ask('GET', `admin/sessions?${query}`);
    if (asked !== page.asked) return;
    clock.set(answer.timestamp);
    page.sessions = next ? page.sessions.concat(answer.sessions) : answer.sessions;
    page.next = answer.next_cursor;
    page.loaded = Date.now();
    stale();
    show();
  } catch (refusal) {
    if (asked === page.asked) stale(refusal);
  }
  if (asked === page.asked) at('list').ariaBusy = 'false';
}

function refresh() {
  return load();
}

// Where a refresh overtakes it, that brings as many.
function more() {
  page.wanted = page.sessions.length + PAGE;
  return load(page.next);
}

function show() {
  const { sessions, next, admin } = page;
  const query = here();
  const state = query.get('state') || (query.get('reason') ? 'ended' : query.get('from') || query.get('to') ? 'all' : 'active');
  const person = query.get('user');
  at('person').hidden = !person;
  at('person').firstElementChild.textContent = `Sessions of ${sessions.length ? shownName(sessions[0].user) : person}`;
  const sort = query.get('sort') || { ended: 'ended', all: 'created' }[state] || 'last_activity';
  at('found').textContent = sessions.length ? `${sessions.length.toLocaleString()}${next ? '+' : ''}` : '';
  at('more').hidden = !next;
  at('file').href = `admin/sessions?${new URLSearchParams([...filters(), ['format', 'csv']])}`;
  at('end').hidden = !admin || state === 'ended' || state === 'all' || !sessions.length;
  table.show(sessions, { sort, ended: state === 'ended' || state === 'all', admin });
  const shown = sessions.length ? table.element : empty(query);
  if (at('list').firstElementChild !== shown) at('list').replaceChildren(shown);
}

function empty(query) {
  if ([...query.keys()].some((name) => name !== 'sort')) {
    return h('div', { class: 'empty' }, h('p', {}, 'No session matches.'), button('Clear the filters', reset, { class: 'small' }));
  }
  return h('div', { class: 'empty' }, h('p', {}, 'Nobody is logged in.'), h('p', { class: 'muted' }, 'Sessions appear here as soon as an application reports a login. '), h('a', { href: 'integrate' }, 'Connect an application'));
}

function reset() {
  form.reset();
  narrow(Object.fromEntries([...FIELDS, 'user', 'directory'].map((name) => [name, ''])));
}

// Says that what is shown may be old, or that nothing can be shown.
function stale(refusal) {
  const box = at('stale');
  box.hidden = !refusal;
  if (!refusal) return;
  const since = page.loaded ? `Not updated since ${local(page.loaded)}: ` : 'The sessions could not be loaded: ';
  box.replaceChildren(`${since}${refusal.message} `, tryAgain(refresh));
  if (!page.sessions.length) at('list').replaceChildren(h('p', { class: 'empty' }, 'Nothing to show.'));
}

function showSelection(picked) {
  at('selection').hidden = !picked.length;
  at('selected').textContent = picked.length === 1 ? '1 session selected' : `${picked.length} sessions selected`;
}

// ---- what people do ----

form.addEventListener('input', ({ target }) => {
  clearTimeout(typing);
  typing = setTimeout(() => narrow({ [target.name]: target.value.trim() }), target.tagName === 'SELECT' ? 0 : 250);
});
form.addEventListener('submit', (event) => event.preventDefault());
at('further').addEventListener('click', () => further(at('further').ariaExpanded !== 'true'));
at('person').querySelector('button').addEventListener('click', () => narrow({ user: '', directory: '' }));
at('refresh').addEventListener('click', refresh);
at('more').addEventListener('click', more);
at('clear').addEventListener('click', () => table.clear());
at('end').addEventListener('click', () => endMatching(Object.fromEntries(filters()), refresh));
at('end-selected').addEventListener('click', () => endThese(table.picked, () => (table.clear(), refresh())));
addEventListener('popstate', () => arrive());

// Whoever reads further down, or is about to do something, is not disturbed.
setInterval(() => {
  table.tickAll();
  if (!document.hidden && page.sessions.length <= MOST && !document.querySelector('dialog[open]')) refresh();
}, RELOAD_MS);

const user = await signedIn();
page.admin = sheet.admin = user?.access === 'admin';
arrive();
fillChoices(form);
