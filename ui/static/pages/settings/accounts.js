// The accounts of the panel.
import { ask } from '../../lib/api.js';
import { crudList } from '../../lib/crud-list.js';
import { button, field, h, options } from '../../lib/dom.js';
import { local } from '../../lib/time.js';

// Fills box with the accounts; me is who is signed in. changed is called after each that was made or deleted.
export function accountList(box, me, changed) {
  crudList(box, {
    one: 'account',
    path: 'admin/accounts',
    of: (account) => account.name,
    columns: { Name: (account) => h('a', { href: `sessions?${new URLSearchParams({ app: 'rollcall', user: account.id })}`, title: 'Where they are signed in' }, account.name), Access: (account) => account.access, Created: (account) => local(account.created_at) },
    fields: [
      field('Name', h('input', { id: 'account-name', name: 'name', maxlength: '64', required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' })),
      field('Password', h('input', { id: 'account-password', name: 'password', type: 'password', maxlength: '1000', required: true, autocomplete: 'new-password', placeholder: 'at least 15 characters' })),
      field('Access', h('select', { id: 'account-access', name: 'access' }, ...options({ viewer: 'Viewer', admin: 'Administrator' }))),
    ],
    action: 'Create account',
    body: (data) => Object.fromEntries(data),
    empty: 'No accounts.',
    changed,
    keeps: (account) => (account.id === me.id ? h('span', { class: 'muted' }, 'You ', button('Sign out everywhere', signOutEverywhere, { class: 'plain small', 'data-action': 'sign-out-everywhere' })) : ''),
  });
}

async function signOutEverywhere({ currentTarget }) {
  currentTarget.disabled = true;
  window.rollcall?.stop();
  try {
    await ask('POST', 'auth/logout?everywhere=true');
  } finally {
    location.reload(); // which leads to the page Login, unless it failed
  }
}
