// What is wrong with how the server is set up, as `rollcall doctor` says it, and what to
// do about it. What is as it should be stays folded away.
import { ask } from '../../lib/api.js';
import { copyButton } from '../../lib/copy.js';
import { button, h } from '../../lib/dom.js';

const ORDER = ['problem', 'warning', 'ok'];

export async function health(box) {
  const again = (words) => button(words, anew, { class: 'small', 'data-again': '' });

  async function anew() {
    await health(box);
    box.querySelector('[data-again]').focus(); // as the button before, which was replaced
  }

  try {
    const { findings } = await ask('GET', 'admin/doctor');
    const open = findings.filter(({ state }) => state !== 'ok').sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
    const fine = findings.filter(({ state }) => state === 'ok');
    box.replaceChildren(
      h('ul', { class: 'health' }, ...open.map(row)),
      h('details', { open: open.length === 0 },
        h('summary', {}, `${fine.length} of ${findings.length} checks are fine`),
        h('ul', { class: 'health' }, ...fine.map(row))),
      h('p', {}, again('Check again')));
  } catch (refusal) {
    box.replaceChildren(h('p', { class: 'message bad', role: 'alert' }, `The checks could not be made: ${refusal.message} `, again('Try again')));
  }
}

function row({ check, state, words, fix, paste }) {
  return h('li', { 'data-check': check, 'data-state': state },
    h('i', { 'aria-hidden': 'true' }),
    h('div', {},
      h('p', {}, h('b', {}, state === 'ok' ? 'OK' : state === 'problem' ? 'Problem' : 'Warning'), ' ', h('span', { class: 'muted' }, check), ' ', words),
      ...(fix ? [h('p', { class: 'muted' }, fix)] : []),
      ...paste.map((line) => h('div', { class: 'line' }, h('code', {}, line), copyButton(() => line)))));
}
