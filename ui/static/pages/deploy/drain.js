// The drain: whether new logins are kept out, and the form that begins, changes and ends it.
import { ask } from '../../lib/api.js';
import { button, field, h, options } from '../../lib/dom.js';
import { openModal } from '../../lib/modal.js';
import { actor } from '../../lib/session-state.js';
import { duration, local } from '../../lib/time.js';

const ENDS = { '': 'nobody is signed out', 300000: 'signed out in 5 minutes', 600000: 'signed out in 10 minutes', 1800000: 'signed out in 30 minutes', 3600000: 'signed out in 1 hour' };

const people = (n) => (n === 1 ? '1 person is in' : `${n.toLocaleString()} people are in`);

// Fills box; changed is called once something may be different.
export function drainBox(box, { admin, clock, changed }) {
  let shown; // what is drawn, as text
  let online = 0;

  function show(drain) {
    online = drain.online;
    const text = JSON.stringify({ ...drain, timestamp: '', online: '', came_in: '', still_there: '', unidentified: '' });
    if (text !== shown) {
      shown = text;
      box.replaceChildren(drain.draining ? draining(drain) : open());
    }
    box.querySelector('[data-online]').textContent = drain.draining ? stillHere(drain) : people(drain.online);
    const rest = box.querySelector('[data-rest]');
    if (rest) rest.textContent = left(drain);
  }

  // Applications that do not ask let people in all the same.
  function stillHere({ online, came_in: cameIn, still_there: still, unidentified: unknown }) {
    return [cameIn ? `${online}, of whom ${cameIn} came in since` : online, ...(still ? [`${still} after the end of their session`] : []), ...(unknown ? [`${unknown} unidentified`] : [])].join('; ');
  }

  function left({ end_sessions_at: end, sessions_ended_at: ended }) {
    if (ended) return `all ended at ${local(ended)}`;
    const ms = Date.parse(end) - clock.now();
    return ms > 0 ? `end at ${local(end)}, in ${duration(ms)}` : 'are ending now';
  }

  const mark = (state, words) => h('p', { class: 'mark', 'data-state': state }, h('i', { 'aria-hidden': 'true' }), words);

  function open() {
    const top = h('div', { class: 'top' }, mark('open', 'Open'), h('span', { class: 'muted', 'data-online': true }));
    return h('div', { class: 'panel drain' }, top, ...(admin ? [form('Begin to drain…', '')] : []));
  }

  function draining(drain) {
    const again = button('Open again', () => act(again, () => ask('DELETE', 'admin/drain')), { class: 'primary', 'data-open': true });
    const change = button('Change…', () => {
      change.remove();
      card.append(form('Change…', drain.message));
    });
    const facts = { Since: local(drain.started_at), By: actor(drain.started_by) };
    const rows = Object.entries(facts).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)));
    rows.push(h('div', {}, h('dt', {}, 'Still here'), h('dd', { 'data-online': true })));
    if (drain.end_sessions_at) rows.push(h('div', {}, h('dt', {}, 'Sessions'), h('dd', { 'data-rest': true })));
    const card = h('div', { class: 'panel drain' },
      h('div', { class: 'top' }, mark('draining', 'Draining: nobody new gets in'), ...(admin ? [h('div', { class: 'buttons' }, change, again)] : [])),
      h('blockquote', {}, drain.message), h('dl', {}, ...rows));
    return card;
  }

  function form(words, message) {
    const text = h('input', { id: 'drain-message', name: 'message', maxlength: '500', required: true, autocomplete: 'off', value: message, placeholder: 'Moving to the new server, back at 18:30' });
    const end = h('select', { id: 'drain-end', name: 'end' }, ...options(ENDS).sort((a, b) => a.value - b.value));
    const submit = (event) => {
      event.preventDefault();
      confirm(text.value.trim(), end.value, words);
    };
    return h('form', { submit },
      field('What people are told', text),
      field('Who is in', end),
      h('button', { type: 'submit' }, words));
  }

  // Says how many it concerns before anything happens.
  function confirm(message, end, words) {
    const cancel = button('Cancel', () => dialog.close());
    const yes = button(words.replace('…', ''), begin, { class: 'danger solid' });
    const fate = end ? `All of them are ${ENDS[end]}, after a countdown.` : 'They see the message, and stay until they leave.';
    const dialog = openModal('drain-question', h('h2', { id: 'drain-question' }, 'Keep new people out?'),
      h('p', {}, `${people(online)}. ${fate} Users with the role admin are not concerned, nor is this panel.`),
      h('blockquote', { class: 'banner' }, message), h('div', { class: 'buttons' }, cancel, yes));
    cancel.focus();

    async function begin() {
      await act(yes, () => ask('PUT', 'admin/drain', { message, ...(end && { end_sessions_in_ms: Number(end) }) }));
      dialog.close();
    }
  }

  async function act(pressed, call) {
    pressed.disabled = true;
    try {
      show(await call());
    } catch (refusal) {
      box.firstElementChild.querySelector('.message')?.remove();
      box.firstElementChild.append(h('p', { class: 'message bad', role: 'alert' }, `Nothing was changed: ${refusal.message}`));
    }
    pressed.disabled = false;
    changed();
  }

  return { show };
}
