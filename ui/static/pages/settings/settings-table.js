// What the server was started with. What differs from the default stands out.
import { ask } from '../../lib/api.js';
import { failure, h } from '../../lib/dom.js';

export async function settingsTable(box) {
  try {
    const { settings } = await ask('GET', 'admin/settings');
    if (!settings.length) {
      box.replaceChildren(h('p', { class: 'muted' }, 'This server, a demo say, was started without any.'));
      return;
    }
    box.replaceChildren(h('div', { class: 'manage' }, h('table', { class: 'rules' }, h('tbody', {}, ...settings.map(row)))));
  } catch (refusal) {
    box.replaceChildren(failure('The settings could not be loaded', refusal, () => settingsTable(box)));
  }
}

function row({ name, value, default: usual, about }) {
  const changed = value !== usual;
  return h('tr', {},
    h('td', {}, h('code', {}, `--${name}`)),
    h('td', {}, h('code', { class: changed ? 'changed' : value ? '' : 'unset' }, value || 'not set'), ...(changed && usual ? [h('span', { class: 'hint' }, ` default ${usual}`)] : [])),
    h('td', { class: 'muted' }, about));
}
