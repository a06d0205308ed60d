// The accounts of the panel. Nobody types a password for somebody else: whoever has the link of an account chooses it.
import { ask, baseAddress } from '../../lib/api.js';
import { crudList } from '../../lib/crud-list.js';
import { button, field, h, options } from '../../lib/dom.js';
import { showSecret } from '../../lib/secret-box.js';
import { local } from '../../lib/time.js';

// Fills box with the accounts; me is who is signed in. changed is called after each that was made, deleted or changed.
export function accountList(box, me, changed) {
  const shown = h('div', { 'data-link': '', hidden: true });
  let whose; // id of the account whose link is shown
  const list = crudList(box, {
    one: 'account',
    path: 'admin/accounts',
    of: (account) => account.name,
    columns: { Name: (account) => h('a', { href: `sessions?${new URLSearchParams({ app: 'rollcall', user: account.id })}`, title: 'Where they are signed in' }, account.name), Access: (account) => account.access, 'Signs in by': signInWords, Created: (account) => local(account.created_at) },
    fields: [
      field('Name', h('input', { id: 'account-name', name: 'name', maxlength: '64', required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' })),
      field('Access', h('select', { id: 'account-access', name: 'access' }, ...options({ viewer: 'Viewer', admin: 'Administrator' }))),
    ],
    action: 'Invite',
    body: (data) => Object.fromEntries(data),
    empty: 'No accounts.',
    changed,
    listed: (accounts) => accounts.some(({ id, link_expires_at: until }) => id === whose && until) || hide(),
    created: (account, { link }) => show(account, link),
    also: (account) => [
      account.link_expires_at ? action(account, 'withdraw-link', 'Withdraw link', () => ask('DELETE', `${path(account)}/link`)) : undefined,
      action(account, 'new-link', account.has_password ? 'Reset password' : 'New link', async () => show(account, (await ask('POST', `${path(account)}/link`)).link)),
      account.has_totp ? action(account, 'reset-totp', 'Reset two-factor', () => ask('DELETE', `${path(account)}/totp`)) : undefined,
    ].filter(Boolean),
    keeps: (account) => (account.id === me.id ? h('span', { class: 'muted' }, 'You: ', h('a', { href: 'account' }, 'your account')) : ''),
  });
  list.after(shown);

  function hide() {
    shown.hidden = true;
    shown.replaceChildren();
  }

  function show({ id, name, has_password: known }, { path, expires_at: until }) {
    whose = id;
    const words = `Give it to nobody else: whoever opens it chooses the password. It works once, until ${local(until)}, and is not shown again.`;
    showSecret(shown, known ? `The link with which ${name} chooses a new password.` : `The invitation of ${name}.`, words, `${baseAddress()}/${path}`);
  }

  // A button for what is done with an account; it takes a second click.
  function action(account, name, words, act) {
    const once = button(words, () => {
      if (once.dataset.sure === undefined) {
        once.dataset.sure = '';
        once.textContent = `${words}: sure?`;
        return;
      }
      perform();
    }, { class: 'plain small', 'data-action': name, 'aria-label': `${words} of ${account.name}` });

    async function perform() {
      once.disabled = true;
      hide();
      list.fail();
      try {
        await act();
        changed();
      } catch (refusal) {
        list.fail(refusal, `Nothing was changed for ${account.name}`);
      }
      list.load();
    }

    return once;
  }
}

const path = (account) => `admin/accounts/${encodeURIComponent(account.id)}`;

function signInWords({ has_password: known, has_totp: totp, link_expires_at: until }) {
  const words = known ? (totp ? 'password and code' : 'password') : until ? 'invited' : 'nothing: the invitation is void';
  const open = until && new Date(until) > new Date();
  return until ? h('span', {}, words, h('span', { class: 'hint', title: until }, open ? ` link until ${local(until)}` : ' link expired')) : words;
}
