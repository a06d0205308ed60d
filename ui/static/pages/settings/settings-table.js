// What the server was started with: those that differ from the default first to the eye.
import { ask } from '../../lib/api.js';
import { h } from '../../lib/dom.js';

export async function rules(box) {
  try {
    const { settings } = await ask('GET', 'admin/settings');
    box.replaceChildren(h('div', { class: 'manage' }, h('table', { class: 'rules' }, h('tbody', {}, ...settings.map(row)))));
  } catch (refusal) {
    const again = h('button', { type: 'button', class: 'small', click: () => rules(box) }, 'Try again');
    box.replaceChildren(h('p', { class: 'message bad', role: 'alert' }, `The settings could not be loaded: ${refusal.message} `, again));
  }
}

function row({ name, value, default: usual, about }) {
  const changed = value !== usual;
  return h('tr', {},
    h('td', {}, h('code', {}, `--${name}`)),
    h('td', {}, h('code', { class: changed ? 'changed' : value ? '' : 'unset' }, value || 'not set'), ...(changed && usual ? [h('span', { class: 'hint' }, ` default ${usual}`)] : [])),
    h('td', { class: 'muted' }, about));
}
