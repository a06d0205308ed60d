// Ends sessions: shows what would end, asks whether that is meant and for a note, and then says how
// many ended.
import { ask } from '../../lib/api.js';
import { button, h } from '../../lib/dom.js';
import { openModal } from '../../lib/modal.js';
import { shownName } from '../../lib/status.js';

const count = (n) => (n === 1 ? '1 session' : `${n.toLocaleString()} sessions`);

// Ends whatever matches these filters of the list; with none of them, all sessions of
// all applications. done is called once something may have ended.
export async function endMatching({ user, directory, app, organization, device, ip, from, to, q, state, except }, done) {
  const filter = Object.fromEntries(Object.entries({ user, directory, app, organization, device, ip, from, to, q, state, except }).filter(([, value]) => value));
  const { state: _, except: __, ...narrow } = filter;
  const body = Object.keys(narrow).length ? filter : { ...filter, all: true };
  const dialog = new EndDialog(done);
  try {
    const { count: n, sample } = await ask('POST', 'admin/sessions/revoke', { ...body, dry_run: true });
    const everybody = body.all && !except;
    dialog.question(n, sample, everybody ? 'Everybody is logged out of every application.' : '', async (note) =>
      (await ask('POST', 'admin/sessions/revoke', { ...body, note })).count);
  } catch (refusal) {
    dialog.failed('Nothing has ended', refusal.message);
  }
}

// Ends exactly these. One that ended by itself meanwhile is no failure.
export function endThese(sessions, done) {
  new EndDialog(done).question(sessions.length, sessions, '', async (note) => {
    let ended = 0;
    for (const { id } of sessions) {
      try {
        await ask('DELETE', `admin/sessions/${encodeURIComponent(id)}?${new URLSearchParams({ note })}`);
        ended++;
      } catch (refusal) {
        if (refusal.status !== 404) throw Object.assign(refusal, { ended });
      }
    }
    return ended;
  });
}

class EndDialog {
  constructor(done) {
    this.done = done;
    this.element = openModal('end-title', h('h2', { id: 'end-title' }, 'End sessions'), h('p', { role: 'status' }, 'Counting…'));
    this.closer = button('Close', () => this.element.close(), { class: 'primary' });
  }

  draw(title, ...content) {
    this.element.replaceChildren(h('h2', { id: 'end-title' }, title), ...content);
  }

  question(n, sample, warning, end) {
    if (!n) return this.draw('Nothing to end', h('p', {}, 'No session that is logged in matches.'), buttons(this.closer));
    const note = h('input', { id: 'end-note', maxlength: '200', autocomplete: 'off', placeholder: 'Laptop was stolen' });
    const cancel = button('Cancel', () => this.element.close());
    const yes = button(`End ${count(n)}`, () => this.end(end, note.value.trim(), yes), { class: 'danger solid' });
    const shown = sample.map((session) => h('li', {}, h('strong', {}, shownName(session.user)), ` ${session.app}`));
    if (n > sample.length) shown.push(h('li', { class: 'muted' }, `and ${(n - sample.length).toLocaleString()} more`));
    this.draw(`End ${count(n)}?`,
      h('p', {}, `${warning} Their next request is refused, and their pages are told why.`.trim()),
      h('ul', { class: 'sample', tabindex: '0', 'aria-label': 'Whom it concerns' }, ...shown),
      h('label', { for: 'end-note' }, 'Note for the record'), note,
      buttons(cancel, yes));
    cancel.focus();
  }

  async end(end, note, yes) {
    yes.disabled = true;
    yes.textContent = 'Ending…';
    try {
      const ended = await end(note);
      this.finish(`${count(ended)} ended`);
    } catch (refusal) {
      this.failed(refusal.ended ? `Only ${count(refusal.ended)} ended` : 'Not all may have ended', refusal.message);
    }
    this.done();
  }

  reopen() {
    document.body.append(this.element);
    this.element.showModal();
  }

  failed(title, words) {
    this.finish(title, h('p', { class: 'message bad', role: 'alert' }, words));
  }

  finish(title, ...content) {
    this.draw(title, ...content, buttons(this.closer));
    if (!this.element.open) this.reopen(); // whoever pressed Escape meanwhile still has to know
    this.closer.focus();
  }
}

const buttons = (...all) => h('div', { class: 'buttons' }, ...all);
