// The keys of the applications. A new one is shown once, to be copied.
import { ask } from './api.js';
import { crudList } from './crud-list.js';
import { field, h } from './dom.js';
import { showSecret } from './secret-box.js';
import { local } from './time.js';

const SCOPES = { sessions: 'Report logins and logouts', read: 'See who is online', admin: 'Everything, also end sessions' };

// Fills box with the keys. listed is called with all apps that have one, created with
// each new key and its secret, changed after each that was made or deleted.
export function keyList(box, { listed = () => {}, created = () => {}, changed } = {}) {
  const secret = h('div', { 'data-new-key': '', hidden: true });
  const boxes = Object.entries(SCOPES).map(([scope, words]) => h('label', { class: 'check' },
    h('input', { type: 'checkbox', name: 'scope', value: scope, checked: scope === 'sessions' }),
    h('span', {}, scope, h('span', { class: 'hint' }, words))));
  const known = h('datalist', { id: 'directories' });
  const directory = field('Directory', h('input', {
    id: 'directory', name: 'directory', maxlength: '64', autocomplete: 'off', placeholder: 'the app’s own', spellcheck: 'false', list: known.id,
    title: 'One name for all apps that have the same people',
  }));
  directory.append(known);
  const keys = crudList(box, {
    one: 'key',
    path: 'admin/keys',
    of: (key) => `of ${key.app}`,
    columns: { App: (key) => key.app, Directory: (key) => key.directory, Scopes: (key) => key.scopes.join(', '), Created: (key) => local(key.created_at) },
    fields: [
      field('App', h('input', { id: 'app', name: 'app', maxlength: '64', required: true, autocomplete: 'off', placeholder: 'crm', spellcheck: 'false' })),
      directory,
      h('fieldset', {}, h('legend', {}, 'Scopes'), ...boxes),
    ],
    action: 'Create key',
    body: (data) => ({ app: data.get('app').trim(), directory: data.get('directory').trim() || undefined, scopes: data.getAll('scope') }),
    empty: 'No keys yet. Each application gets its own.',
    option: sessionsToo,
    listed(all) {
      known.replaceChildren(...[...new Set(all.map((key) => key.directory))].map((name) => h('option', { value: name })));
      listed(all.map((key) => key.app));
    },
    created(key) {
      reveal(key);
      created(key);
    },
    changed,
  });
  keys.after(secret);

  function reveal(key) {
    showSecret(secret, `The key of ${key.app}.`, 'Copy it now: it is not shown again.', key.secret);
  }
}

// Asks whether the sessions that a key reported are to end with it. Those with access do in any case.
async function sessionsToo(key) {
  const count = (which) => ask('DELETE', `admin/keys/${encodeURIComponent(key.id)}?dry_run=true&sessions=${which}`).then(({ sessions }) => sessions);
  try {
    const [all, access] = [await count('all'), await count('access')];
    if (all === access) return {};
    const box = h('input', { type: 'checkbox', name: 'sessions' });
    const also = access ? `, not only ${access} with access` : '';
    return { element: h('label', { class: 'check' }, box, h('span', {}, `End the ${all === 1 ? 'one session' : `${all} sessions`} that it reported${also}`)), query: () => (box.checked ? '?sessions=all' : '') };
  } catch {
    return {}; // how many is unknown: the deletion itself says what is wrong
  }
}
