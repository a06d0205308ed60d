// The details of one person: who they are, their sessions, and the buttons that end those.
import { deviceIcon, deviceWords } from '../../lib/device.js';
import { button, h, icon, putLong } from '../../lib/dom.js';
import { stateWords } from '../../lib/session-state.js';
import { claimText, shownName, statusMark } from '../../lib/status.js';
import { ago, duration, local } from '../../lib/time.js';
import { Why } from './why.js';

export class PersonSheet {
  constructor(panel) {
    this.panel = panel;
    this.title = h('h2', { id: 'person', tabindex: '-1' });
    this.body = h('div', { class: 'sheet-body' });
    const close = h('button', { class: 'square', part: 'close', type: 'button', 'aria-label': 'Close', click: () => this.element.close() }, icon('M4 4l8 8M12 4l-8 8'));
    this.element = h('dialog', { class: 'sheet', part: 'details', 'aria-labelledby': 'person', close: () => this.closed(), click: (event) => this.outside(event) },
      h('div', { class: 'sheet-head' }, this.title, close), this.body);
  }

  open(user, back) {
    this.user = user;
    this.back = back;
    this.gone = user.status === 'offline';
    this.ended = new Map(); // session id: true, or why it could not be ended
    this.admin = false;
    this.why = new Why(this.panel, user);
    this.draw();
    this.element.showModal();
    this.body.scrollTop = 0;
    this.title.focus();
    this.panel.own.me(this.panel.server()).then((me) => {
      this.admin = me?.access === 'admin';
      this.draw();
    });
  }

  closed() {
    this.user = undefined;
    const focused = this.panel.root.activeElement; // for a moment still in here, where nothing is shown any longer
    if (focused && !this.element.contains(focused)) return; // the browser, or the user, was faster
    (this.back?.isConnected ? this.back : this.panel.search).focus();
  }

  outside(event) {
    if (event.target === this.element) this.element.close();
  }

  // Something is new. Someone who is asked whether they are sure is not disturbed.
  update(user) {
    if (!this.user || (!user && this.gone) || (!this.gone && JSON.stringify(user) === JSON.stringify(this.user))) return;
    const before = this.status;
    this.gone = !user;
    if (user) this.user = user;
    if (!this.body.querySelector('.confirm')) this.draw();
    if (before !== this.status) this.why.refresh();
  }

  get status() {
    return this.gone ? 'offline' : this.user.status;
  }

  draw() {
    if (!this.user) return;
    const { user, panel } = this;
    const focused = panel.root.activeElement;
    const now = panel.clock.now();
    const seen = (time) => ago(now - Date.parse(time));
    putLong(this.title, shownName(user));
    this.body.replaceChildren(
      h('div', { class: 'badge', 'data-status': this.status }, ...statusMark(this.status), h('span', { class: 'claim' }, this.gone ? '' : claimText(user)), this.why.button),
      this.why.element,
      facts([
        ['Email', user.email], ['Role', user.role], ['Organization', user.organization_name], ['Team', user.team_name],
        ['Online for', this.gone ? '' : duration(now - Date.parse(user.session_started_at))], ['Last activity', seen(user.last_activity_at)],
      ]),
      h('h3', {}, sessionCount(user)),
      ...user.sessions.map((session) => this.session(session, seen(session.last_activity_at))));
    // A button that was drawn anew is the same to whoever had it under the keyboard.
    const { session } = focused?.dataset || {};
    if (session) this.body.querySelector(`[data-session="${CSS.escape(session)}"]`)?.focus();
    else if (this.body.contains(focused)) focused.focus();
  }

  session(session, seen) {
    const state = this.gone ? 'No longer online' : this.ended.get(session.id) === true ? 'Ended' : stateWords({ state: 'online', idle: session.idle });
    return h('section', { class: 'session', part: 'session', 'data-session-id': session.id },
      h('div', { class: 'session-head' }, h('strong', {}, session.app), h('span', { class: 'sub' }, state)),
      facts([
        ['Page', session.page, 'mono'], ['Logged in', local(session.session_started_at)], ['Last activity', seen],
        ['Expires', local(session.expires_at)], ['Device', device(session), 'device'], ['Place', session.location], ['Address', session.ip_address, 'mono'], ['Session', session.id, 'mono'],
      ]),
      this.admin ? this.ending(session) : undefined);
  }

  ending(session) {
    const outcome = this.ended.get(session.id);
    if (outcome === true) return h('p', { class: 'sub', role: 'status' }, 'Ended. Its next request is refused.');
    const failed = outcome && h('p', { class: 'failed', role: 'alert' }, `Not ended: ${outcome}`);
    const slot = h('div', { class: 'ending' }, failed || undefined,
      button('End session', () => this.confirm(session, slot), { class: 'danger', 'data-session': session.id, 'data-action': 'end-session' }));
    return slot;
  }

  confirm(session, slot) {
    const yes = button('Yes, end it', () => this.end(session, slot, yes), { class: 'danger solid', 'data-action': 'confirm-end' });
    const no = button('Cancel', () => this.settle(slot), { 'data-action': 'cancel-end' });
    slot.replaceChildren(h('p', { class: 'confirm' }, `End this session? ${shownName(this.user)} will be logged out of ${session.app}.`), yes, no);
    no.focus();
  }

  async end(session, slot, yes) {
    yes.disabled = true;
    yes.textContent = 'Ending…';
    const outcome = await this.panel.server().ask(`admin/sessions/${encodeURIComponent(session.id)}`, { method: 'DELETE' }).then(
      () => true,
      (refusal) => refusal.message,
    );
    this.ended.set(session.id, outcome);
    this.settle(slot);
    if (outcome === true) this.panel.refresh();
  }

  settle(slot) {
    const id = slot.closest('.session').dataset.sessionId;
    slot.replaceChildren();
    this.draw();
    (this.body.querySelector(`[data-session="${CSS.escape(id)}"]`) || this.title).focus();
  }
}

// What the session is used on; where nobody can tell, what it says of itself.
function device({ device: known, user_agent: said }) {
  const words = deviceWords(known);
  return words ? h('span', { title: said }, deviceIcon(known), words) : said;
}

function facts(pairs) {
  const known = pairs.filter(([, value]) => value);
  return h('dl', {}, ...known.flatMap(([label, value, kind]) => [h('dt', {}, label), h('dd', { class: kind }, value)]));
}

// How many sessions there are; of very many only the latest are listed.
function sessionCount({ sessions, session_count: all = sessions.length }) {
  const words = all === 1 ? '1 session' : `${all} sessions`;
  return all > sessions.length && sessions.length ? `${words}, of which the latest are` : words;
}
