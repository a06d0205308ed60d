// The audit log: newest first, by who did it, what was done and to whom.
import { ask } from '../../lib/api.js';
import { button, h, options, tryAgain } from '../../lib/dom.js';
import { actor } from '../../lib/session-state.js';
import { local } from '../../lib/time.js';

const PAGE = 50;
const KINDS = {
  '': 'Everything', user: 'People', session: 'Sessions', account: 'Accounts', key: 'Keys', settings: 'Settings', notice: 'Notices', drain: 'Drains', panel: 'Sign-ins', database: 'Restores',
};

// Fills box with the log. load has it show what is the newest now.
export function auditLog(box) {
  const rows = h('tbody');
  const head = h('tr', {}, ...['When', 'Who', 'What'].map((text) => h('th', { scope: 'col' }, text)));
  const list = h('div', { class: 'manage' }, h('table', { class: 'audit' }, h('thead', {}, head), rows));
  const words = h('p', { class: 'empty', role: 'status' }, 'Loading…');
  const more = button('Show earlier entries', () => load(next), { class: 'small', hidden: true });
  const kind = h('select', { name: 'action', 'aria-label': 'What was done' }, ...options(KINDS));
  const search = h('input', { type: 'search', name: 'q', 'aria-label': 'Search the audit log', placeholder: 'Search who or whom…', autocomplete: 'off', spellcheck: 'false', maxlength: '200' });
  const file = h('a', { class: 'button small', href: 'admin/audit?format=csv', download: '' }, 'Download CSV');
  const form = h('form', { class: 'search', role: 'search', submit: (event) => event.preventDefault() }, search, kind, file);
  let next = '';
  let asked;
  let typing;
  form.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(load, 250);
  });
  box.replaceChildren(form, words, list, more);
  list.hidden = true;
  load();
  return { load };

  async function load(cursor) {
    const mine = (asked = {});
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim()));
    file.href = `admin/audit?${new URLSearchParams([...query, ['format', 'csv']])}`;
    query.set('limit', PAGE);
    if (cursor) query.set('cursor', cursor);
    try {
      const answer = await ask('GET', `admin/audit?${query}`);
      if (mine !== asked) return;
      if (!cursor) rows.replaceChildren();
      rows.append(...answer.entries.map(row));
      next = answer.next_cursor;
      more.hidden = !next;
      say(rows.children.length ? '' : 'Nothing has been recorded that matches.');
    } catch (refusal) {
      if (mine === asked) say(`The audit log could not be loaded: ${refusal.message} `, tryAgain(() => load(cursor)));
    }
  }

  function say(...what) {
    words.replaceChildren(...what);
    words.hidden = !what[0];
    list.hidden = !rows.children.length;
  }
}

function row(entry) {
  const target = entry.target_name || entry.target;
  return h('tr', { 'data-action': entry.action },
    h('td', {}, h('time', { datetime: entry.at, title: entry.at }, local(entry.at))),
    h('td', { title: entry.actor }, entry.actor_name || actor(entry.actor)),
    h('td', {}, h('code', {}, entry.action), target ? ` ${target}` : '', ...(entry.detail ? [h('span', { class: 'detail' }, entry.detail)] : [])));
}
