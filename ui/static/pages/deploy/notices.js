// What is announced: the form with its preview, and the list with who has seen it.
import { ask } from '../../lib/api.js';
import { button, h } from '../../lib/dom.js';
import { levelMark, LEVELS } from '../../lib/notice-levels.js';
import { actor } from '../../lib/session-state.js';
import { local } from '../../lib/time.js';

// A notice without what changes all the time: where this is the same, it is not drawn anew.
const lasting = ({ seen, of, ...notice }) => JSON.stringify(notice);

// Fills box, and has form announce; changed is called once something may be different.
export function noticeList(box, form, { admin, clock, changed }) {
  let shown;
  let rows = new Map();
  const summary = h('summary');
  const over = h('details');
  const picture = form.querySelector('[data-preview]');
  const error = form.querySelector('[data-compose-error]');
  form.hidden = !admin;
  form.addEventListener('input', drawPreview);
  form.addEventListener('submit', announce);
  form.addEventListener('focusin', suggest, { once: true });
  drawPreview();

  function drawPreview() {
    const { message, level } = form.elements;
    picture.dataset.level = level.value;
    picture.replaceChildren(levelMark(level.value), h('p', {}, h('b', {}, `${LEVELS[level.value]}: `), message.value.trim() || message.placeholder));
  }

  // Suggests the apps and organizations of those who are online now.
  async function suggest() {
    const { users = [] } = await ask('GET', 'admin/users/online?limit=1000').catch(() => ({}));
    const fill = (id, all) => document.getElementById(id).replaceChildren(...[...new Set(all)].filter(Boolean).sort().map((value) => h('option', { value })));
    fill('apps', users.flatMap((user) => user.apps));
    fill('organizations', users.map((user) => user.organization_name));
  }

  async function announce(event) {
    event.preventDefault();
    const { message, level, for: lasts, app, organization } = Object.fromEntries(new FormData(form));
    const submit = form.querySelector('[type=submit]');
    submit.disabled = true;
    error.hidden = true;
    try {
      // What is pasted may have line breaks, which a banner does not.
      await ask('POST', 'admin/notices', { message: message.replace(/\s+/g, ' ').trim(), level, app: app.trim(), organization: organization.trim(), ...(lasts && { for_ms: Number(lasts) }) });
      form.reset();
      drawPreview();
    } catch (refusal) {
      error.textContent = `Nothing was announced: ${refusal.message}`;
      error.hidden = false;
    }
    submit.disabled = false;
    changed();
  }

  function show(notices) {
    const text = notices.map(lasting).join();
    if (text !== shown) draw(notices);
    shown = text;
    for (const notice of notices) rows.get(notice.id).element.querySelector('.seen').textContent = seenBy(notice);
  }

  function draw(notices) {
    const focused = document.activeElement;
    rows = new Map(notices.map((notice) => [notice.id, kept(notice)]));
    const list = (some) => h('ul', { class: 'notices' }, ...some.map(({ id }) => rows.get(id).element));
    const active = notices.filter(({ state }) => state === 'active');
    const past = notices.filter(({ state }) => state !== 'active');
    summary.textContent = past.length === 1 ? '1 that is over' : `${past.length} that are over`;
    over.replaceChildren(summary, list(past));
    box.replaceChildren(active.length ? list(active) : h('p', { class: 'empty' }, 'Nothing is announced.'), ...(past.length ? [over] : []));
    if (box.contains(focused)) focused.focus({ preventScroll: true });
  }

  // A row that says the same stays, with its error and the focus.
  function kept(notice) {
    const text = lasting(notice);
    const before = rows.get(notice.id);
    return before?.text === text ? before : { text, element: row(notice) };
  }

  function row(notice) {
    const { id, level, message, state } = notice;
    const facts = [`to ${audience(notice)}`, `by ${actor(notice.created_by)}`, `since ${local(notice.created_at)}`, ending(notice)].filter(Boolean);
    return h('li', { 'data-notice-id': id, 'data-level': level, 'data-over': state !== 'active' },
      levelMark(level),
      h('div', { class: 'words' }, h('p', {}, h('b', {}, `${LEVELS[level]}: `), message), h('p', { class: 'hint' }, facts.join(' · '))),
      h('span', { class: 'seen' }, seenBy(notice)),
      h('div', { class: 'actions' }, ...(admin && state === 'active' ? [withdrawal(notice)] : [])));
  }

  const seenBy = ({ state, seen, of }) => (state === 'active' ? `Seen by ${seen} of ${of}` : `Seen by ${seen}`);

  function audience({ app, organization }) {
    if (app && organization) return `${organization} in ${app}`;
    return organization || app || 'everybody';
  }

  function ending({ state, until, withdrawn_at: withdrawn }) {
    if (state === 'withdrawn') return `withdrawn ${local(withdrawn)}`;
    if (state === 'over') return `ended ${local(until)}`;
    return until && Date.parse(until) > clock.now() ? `until ${local(until)}` : '';
  }

  function withdrawal({ id, message }) {
    const withdrawer = button('Withdraw', () => withdraw(), { class: 'small', 'data-withdraw': true, 'aria-label': `Withdraw: ${message.slice(0, 80)}` });

    async function withdraw() {
      withdrawer.disabled = true;
      try {
        await ask('DELETE', `admin/notices/${encodeURIComponent(id)}`);
      } catch (refusal) {
        withdrawer.disabled = false;
        // Being disabled takes the focus.
        if (document.activeElement === document.body) withdrawer.focus();
        withdrawer.closest('li').querySelector('.hint').textContent = `It was not withdrawn: ${refusal.message}`;
      }
      changed();
    }

    return withdrawer;
  }

  return { show };
}
