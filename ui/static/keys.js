// The keys of the page Integrate: listed, made, deleted. Only administrators see them.
import { ask } from './api.js';
import { copyButton } from './copy.js';
import { h } from './dom.js';

const SCOPES = { sessions: 'Report logins and logouts', read: 'See who is online', admin: 'Everything, also end sessions' };

// Fills box with the keys. listed is called with all apps that have one, created with
// each new key and its secret.
export function keyManager(box, { listed, created }) {
  const error = h('p', { class: 'message bad', role: 'alert', hidden: true });
  const table = h('div', { class: 'keys', 'aria-busy': 'true' }, h('p', { class: 'muted' }, 'Loading the keys…'));
  const secret = h('div', { 'data-new-key': '', hidden: true });
  box.replaceChildren(form(), error, secret, table);
  load();

  function fail(refusal, words) {
    error.textContent = refusal ? `${words}: ${refusal.message}` : '';
    error.hidden = !refusal;
  }

  async function load() {
    try {
      const { keys } = await ask('GET', 'admin/keys');
      show(keys);
      listed(keys.map((key) => key.app));
    } catch (refusal) {
      const again = h('button', { type: 'button', class: 'small', click: load }, 'Try again');
      table.replaceChildren(h('p', { class: 'message bad' }, `The keys could not be loaded: ${refusal.message} `, again));
    }
    table.setAttribute('aria-busy', 'false');
  }

  function show(keys) {
    if (!keys.length) return table.replaceChildren(h('p', { class: 'empty' }, 'No keys yet. Each application gets its own.'));
    const head = h('tr', {}, ...['App', 'Scopes', 'Created'].map((text) => h('th', { scope: 'col' }, text)), h('td'));
    table.replaceChildren(h('table', {}, h('thead', {}, head), h('tbody', {}, ...keys.map(row))));
  }

  function row(key) {
    const actions = h('td', { class: 'actions' });
    const remove = h('button', { type: 'button', class: 'plain small danger', 'data-action': 'delete-key', 'aria-label': `Delete the key of ${key.app}`, click: confirm }, 'Delete');
    actions.append(remove);

    function confirm() {
      const yes = h('button', { type: 'button', class: 'small danger', 'data-action': 'confirm-delete', click: () => drop(key, yes) }, 'Delete for good');
      const no = h('button', { type: 'button', class: 'small', click: () => (actions.replaceChildren(remove), remove.focus()) }, 'Keep');
      actions.replaceChildren(yes, no);
      no.focus();
    }

    const date = new Date(key.created_at).toLocaleDateString([], { dateStyle: 'medium' });
    return h('tr', { 'data-key-id': key.id }, h('td', { class: 'app', title: key.app }, key.app), h('td', {}, key.scopes.join(', ')), h('td', { class: 'muted' }, date), actions);
  }

  async function drop(key, button) {
    button.disabled = true;
    fail();
    try {
      await ask('DELETE', `admin/keys/${encodeURIComponent(key.id)}`);
    } catch (refusal) {
      fail(refusal, `The key of ${key.app} was not deleted`);
    }
    load();
  }

  function form() {
    const app = h('input', { id: 'app', name: 'app', maxlength: '64', required: true, autocomplete: 'off', placeholder: 'crm', spellcheck: 'false' });
    const boxes = Object.entries(SCOPES).map(([scope, words]) => h('label', { class: 'check' },
      h('input', { type: 'checkbox', name: 'scope', value: scope, ...(scope === 'sessions' && { checked: true }) }),
      h('span', {}, scope, h('span', { class: 'hint' }, words))));
    const button = h('button', { type: 'submit', class: 'primary' }, 'Create key');
    const element = h('form', { class: 'new-key', 'data-new-key-form': '', submit: (event) => create(event, element, button) },
      h('div', { class: 'field' }, h('label', { for: 'app' }, 'App'), app),
      h('fieldset', {}, h('legend', {}, 'Scopes'), ...boxes), button);
    return element;
  }

  async function create(event, element, button) {
    event.preventDefault();
    const data = new FormData(element);
    button.disabled = true;
    fail();
    try {
      const { key } = await ask('POST', 'admin/keys', { app: data.get('app').trim(), scopes: data.getAll('scope') });
      reveal(key);
      created(key);
      element.reset();
      load();
    } catch (refusal) {
      fail(refusal, 'No key was made');
    }
    button.disabled = false;
  }

  function reveal(key) {
    secret.hidden = false;
    secret.className = 'message good secret';
    secret.replaceChildren(
      h('p', {}, h('strong', {}, `The key of ${key.app}. `), 'Copy it now: it is not shown again.'),
      h('div', { class: 'line' }, h('code', { 'data-secret': '' }, key.secret), copyButton(() => key.secret)));
  }
}
