// The keys of the applications. A new one is shown once, to be copied.
import { copyButton } from './copy.js';
import { crudList } from './crud-list.js';
import { field, h } from './dom.js';
import { local } from './time.js';

const SCOPES = { sessions: 'Report logins and logouts', read: 'See who is online', admin: 'Everything, also end sessions' };

// Fills box with the keys. listed is called with all apps that have one, created with
// each new key and its secret, changed after each that was made or deleted.
export function keyList(box, { listed = () => {}, created = () => {}, changed } = {}) {
  const secret = h('div', { 'data-new-key': '', hidden: true });
  const boxes = Object.entries(SCOPES).map(([scope, words]) => h('label', { class: 'check' },
    h('input', { type: 'checkbox', name: 'scope', value: scope, checked: scope === 'sessions' }),
    h('span', {}, scope, h('span', { class: 'hint' }, words))));
  const keys = crudList(box, {
    one: 'key',
    path: 'admin/keys',
    of: (key) => `of ${key.app}`,
    columns: { App: (key) => key.app, Scopes: (key) => key.scopes.join(', '), Created: (key) => local(key.created_at) },
    fields: [
      field('App', h('input', { id: 'app', name: 'app', maxlength: '64', required: true, autocomplete: 'off', placeholder: 'crm', spellcheck: 'false' })),
      h('fieldset', {}, h('legend', {}, 'Scopes'), ...boxes),
    ],
    action: 'Create key',
    body: (data) => ({ app: data.get('app').trim(), scopes: data.getAll('scope') }),
    empty: 'No keys yet. Each application gets its own.',
    listed: (all) => listed(all.map((key) => key.app)),
    created(key) {
      reveal(key);
      created(key);
    },
    changed,
  });
  keys.after(secret);

  function reveal(key) {
    secret.hidden = false;
    secret.className = 'message good secret';
    secret.replaceChildren(
      h('p', {}, h('strong', {}, `The key of ${key.app}. `), 'Copy it now: it is not shown again.'),
      h('div', { class: 'line' }, h('code', { 'data-secret': '' }, key.secret), copyButton(() => key.secret)));
  }
}
