/*
 * What <online-users-panel> shows when it is asked for: one person's sessions with the
 * reason for their status, and the menu that sets one's own.
 *
 * The panel loads this module by itself, and lends it its elements and words.
 */
import { deviceIcon, deviceWords } from '../../lib/device.js';

const { h, icon, put, putLong, duration, ago, local, until, claimText, shownName, statusMark, STATUSES } = customElements.get('online-users-panel').kit;

// Both, for one panel.
export function details(panel) {
  const made = { sheet: new Sheet(panel), menu: new StatusMenu(panel) };
  panel.shadowRoot.adoptedStyleSheets.push(STYLE);
  panel.root.append(made.sheet.element, made.menu.element);
  return made;
}

// ---- the details of one person ----

class Sheet {
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
    this.ended = new Map(); // session id: what became of the wish to end it
    this.admin = false;
    this.why = new Why(this.panel, user);
    this.draw();
    this.element.showModal();
    this.body.scrollTop = 0;
    this.title.focus();
    this.panel.api.me().then((me) => {
      this.admin = me?.access === 'admin';
      this.draw();
    });
  }

  closed() {
    this.user = undefined;
    if (this.panel.shadowRoot.activeElement) return; // the browser, or the user, was faster
    (this.back?.isConnected ? this.back : this.panel.search).focus();
  }

  outside(event) {
    if (event.target === this.element) this.element.close();
  }

  // Something is new. Someone who is asked whether they are sure is not disturbed.
  update(user) {
    if (!this.user || (!user && this.gone) || (!this.gone && JSON.stringify(user) === JSON.stringify(this.user))) return;
    const before = this.status();
    this.gone = !user;
    if (user) this.user = user;
    if (!this.body.querySelector('.confirm')) this.draw();
    if (before !== this.status()) this.why.again();
  }

  status() {
    return this.gone ? 'offline' : this.user.status;
  }

  draw() {
    if (!this.user) return;
    const { user, panel } = this;
    const focused = panel.shadowRoot.activeElement;
    const seen = (time) => ago(panel.now() - Date.parse(time));
    putLong(this.title, shownName(user));
    this.body.replaceChildren(
      h('div', { class: 'badge', 'data-status': this.status() }, ...statusMark(this.status()), h('span', { class: 'claim' }, this.gone ? '' : claimText(user)), this.why.button),
      this.why.element,
      facts([
        ['Email', user.email], ['Role', user.role], ['Organization', user.organization_name], ['Team', user.team_name],
        ['Online for', this.gone ? '' : duration(panel.now() - Date.parse(user.session_started_at))], ['Last activity', seen(user.last_activity_at)],
      ]),
      h('h3', {}, user.sessions.length === 1 ? '1 session' : `${user.sessions.length} sessions`),
      ...user.sessions.map((session) => this.session(session, seen(session.last_activity_at))));
    // A button that was drawn anew is the same to whoever had it under the keyboard.
    const { session } = focused?.dataset || {};
    if (session) this.body.querySelector(`[data-session="${CSS.escape(session)}"]`)?.focus();
    else if (this.body.contains(focused)) focused.focus();
  }

  session(session, seen) {
    const state = this.ended.get(session.id) === true || this.gone ? 'Ended' : session.idle ? 'Idle' : 'Active';
    return h('section', { class: 'session', part: 'session', 'data-session-id': session.id },
      h('div', { class: 'session-head' }, h('strong', {}, session.app), h('span', { class: 'sub' }, this.gone ? 'No longer online' : state)),
      facts([
        ['Page', session.page, 'mono'], ['Logged in', local(session.session_started_at)], ['Last activity', seen],
        ['Expires', local(session.expires_at)], ['Device', device(session), 'device'], ['Place', session.location], ['Address', session.ip_address, 'mono'], ['Session', session.id, 'mono'],
      ]),
      this.admin ? this.ending(session) : undefined);
  }

  ending(session) {
    const state = this.ended.get(session.id);
    if (state === true) return h('p', { class: 'sub', role: 'status' }, 'Ended. Its next request is refused.');
    const failed = state && h('p', { class: 'failed', role: 'alert' }, `Not ended: ${state}`);
    const ask = h('button', { class: 'danger', type: 'button', 'data-session': session.id, 'data-action': 'end-session', click: () => this.confirm(session, slot) }, 'End session');
    const slot = h('div', { class: 'ending' }, failed || undefined, ask);
    return slot;
  }

  confirm(session, slot) {
    const yes = h('button', { class: 'danger solid', type: 'button', 'data-action': 'confirm-end', click: () => this.end(session, slot, yes) }, 'Yes, end it');
    const no = h('button', { type: 'button', 'data-action': 'cancel-end', click: () => this.settle(slot) }, 'Cancel');
    slot.replaceChildren(h('p', { class: 'confirm' }, `End this session? ${shownName(this.user)} will be logged out of ${session.app}.`), yes, no);
    no.focus();
  }

  async end(session, slot, button) {
    button.disabled = true;
    button.textContent = 'Ending…';
    const outcome = await this.panel.api.ask(`admin/sessions/${encodeURIComponent(session.id)}`, { method: 'DELETE' }).then(
      () => true,
      (error) => error.message,
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
  const shown = pairs.filter(([, value]) => value);
  return h('dl', {}, ...shown.flatMap(([label, value, kind]) => [h('dt', {}, label), h('dd', { class: kind }, value)]));
}

// ---- why somebody has the status they have ----

const STATES = { online: 'Online', left: 'Left', timed_out: 'Timed out', expired: 'Expired', ended: 'Ended' };

class Why {
  constructor(panel, user) {
    this.panel = panel;
    this.id = user.id;
    this.button = h('button', { class: 'plain', part: 'why', type: 'button', 'aria-expanded': 'false', 'aria-controls': 'why', click: () => this.toggle() }, 'Why?');
    this.element = h('div', { class: 'why', id: 'why', part: 'explanation', role: 'status', hidden: true });
  }

  toggle() {
    this.element.hidden = !this.element.hidden;
    this.button.setAttribute('aria-expanded', !this.element.hidden);
    this.again();
  }

  // Asks again where the answer is on the screen.
  async again() {
    if (this.element.hidden) return;
    if (!this.element.firstChild) this.element.append(h('p', { class: 'sub' }, 'Looking…'));
    const asked = (this.asked = {});
    const shown = await this.panel.api.ask(`admin/users/${encodeURIComponent(this.id)}/explain`).then(
      (answer) => this.explanation(answer),
      (error) => [h('p', { class: 'failed' }, `No explanation: ${error.message} `, h('button', { type: 'button', click: () => this.again() }, 'Try again'))],
    );
    if (asked === this.asked) this.element.replaceChildren(...shown);
  }

  explanation({ status, decided_by: by, claims, sessions }) {
    const next = (sessions || []).map((session) => session.next?.at).filter(Boolean);
    return [
      h('p', {}, h('strong', {}, STATUSES[status] || status), verdict(by, claims)),
      next.length || !sessions?.length ? undefined : h('p', { class: 'sub' }, 'Nothing will change by itself.'),
      h('ol', {}, ...(sessions || []).map((session) => this.session(session))),
    ].filter(Boolean);
  }

  session({ app, state, idle, rule, next }) {
    const words = state === 'online' && idle ? 'Online, idle' : STATES[state] || state;
    return h('li', { 'data-state': state },
      h('strong', {}, app), h('span', { class: 'sub' }, words),
      h('p', {}, rule),
      next ? h('p', { class: 'sub' }, `${this.when(next.at)}: ${STATES[next.state] || STATUSES[next.state] || next.state}. ${next.because}`) : undefined);
  }
  when(time) {
    const wait = Date.parse(time) - this.panel.now();
    return `At ${local(time)}${wait > 0 ? `, in ${duration(wait)}` : ''}`;
  }
}

// What decided, as the end of a sentence that begins with the status.
function verdict(by, claims = []) {
  const claim = claims.find((one) => (one.by === 'person') === (by === 'person_claim'));
  const said = claim ? [claim.text && `“${claim.text}”`, until(claim.until)].filter(Boolean).join(', ') : '';
  const words = {
    no_session_online: ' because no session is online.',
    person_claim: ' because they said so themselves',
    app_claim: ` because the application ${claim?.by} says so`,
    active_session: ' because of a session with recent input.',
    all_idle: ' because no session has had input for a while.',
  }[by] || '.';
  return words.endsWith('.') ? words : `${words}${said && `: ${said}`}.`;
}

// ---- the own status ----

const LASTS = { 30: '30 minutes', 60: '1 hour', 240: '4 hours', '': 'Until I change it' };

class StatusMenu {
  constructor(panel) {
    this.panel = panel;
    this.choices = ['available', 'busy', 'away'].map((value) => h('input', { type: 'radio', name: 'status', value, change: () => this.chosen() }));
    this.text = h('input', { id: 'status-text', maxlength: '80', autocomplete: 'off', placeholder: 'Recording a meeting' });
    this.lasts = h('select', { id: 'status-lasts' });
    this.failed = h('p', { class: 'failed', role: 'alert', hidden: true });
    this.save = h('button', { class: 'go', type: 'submit' }, 'Save');
    this.extra = h('div', { class: 'extra' }, h('label', { for: 'status-text' }, 'Doing what?'), this.text, h('label', { for: 'status-lasts' }, 'For how long?'), this.lasts);
    this.element = h('form', { class: 'menu', part: 'status-menu', popover: 'auto', role: 'dialog', 'aria-label': 'Your status', submit: (event) => this.submit(event), beforetoggle: (event) => this.toggling(event), toggle: (event) => this.toggled(event) },
      h('fieldset', {}, h('legend', {}, 'Your status'), ...this.choices.map((choice) => h('label', { class: 'choice', 'data-status': choice.value }, choice, ...statusMark(choice.value)))),
      this.extra, this.failed,
      h('div', { class: 'ending' }, this.save, h('button', { type: 'button', click: () => this.element.hidePopover() }, 'Cancel')));
  }

  // A click on the button closes it first, as every click outside does.
  open() {
    if (this.element.matches(':popover-open')) return this.element.hidePopover();
    if (Date.now() - this.hidden < 300) return;
    const self = this.panel.self;
    const claimed = self.status !== 'available';
    const kept = claimed && self.status_until ? { keep: `${until(self.status_until).replace('u', 'U')}, as now` } : {};
    for (const choice of this.choices) choice.checked = choice.value === (claimed ? self.status : 'available');
    this.text.value = (claimed && self.status_text) || '';
    this.lasts.replaceChildren(...Object.entries({ ...kept, ...LASTS }).map(([value, words]) => h('option', { value }, words)));
    this.lasts.value = claimed ? Object.keys(kept)[0] || '' : '60';
    this.failed.hidden = true;
    this.chosen();
    this.element.showPopover();
    this.place();
    this.choices.find((choice) => choice.checked).focus();
  }

  moved = () => this.place();

  // Below the button, within the window. It scrolls with the page.
  place() {
    const button = this.panel.mine.getBoundingClientRect();
    const { style, offsetWidth } = this.element;
    const left = Math.min(button.left, document.documentElement.clientWidth - offsetWidth - 8);
    style.top = `${button.bottom + scrollY + 4}px`;
    style.left = `${Math.max(8, left) + scrollX}px`;
  }

  toggling({ newState }) {
    if (newState === 'closed') this.hidden = Date.now();
    this.panel.mine.ariaExpanded = newState === 'open';
    if (newState === 'open') addEventListener('resize', this.moved);
    else removeEventListener('resize', this.moved);
  }

  // The browser does not find its way back into the panel.
  toggled({ newState }) {
    const lost = document.activeElement === document.body || this.element.contains(this.panel.shadowRoot.activeElement);
    if (newState === 'closed' && lost) this.panel.mine.focus();
  }

  get status() {
    return this.choices.find((choice) => choice.checked).value;
  }

  // Nobody needs to say what they are available with.
  chosen() {
    this.extra.hidden = this.status === 'available';
  }

  async submit(event) {
    event.preventDefault();
    const { status, panel } = this;
    const lasts = this.lasts.value;
    const end = lasts === 'keep' ? { until: panel.self.status_until } : lasts ? { for_ms: lasts * 60000 } : {};
    const body = status === 'available' ? { status } : { status, text: this.text.value.trim(), ...end };
    this.save.disabled = true;
    try {
      await panel.api.ask('admin/users/me/status', { method: 'PUT', body });
      this.element.hidePopover();
      await panel.whoAmI(true);
      panel.refresh();
    } catch (error) {
      this.failed.hidden = false;
      put(this.failed, `Not saved: ${error.message}`);
    }
    this.save.disabled = false;
  }
}

// ---- STYLE: further properties are those of the panel ----

const STYLE = new CSSStyleSheet();
STYLE.replaceSync(`
.sheet {
  inset: 0 0 0 auto; width: min(440px, 100%); height: 100dvh; max-width: none; max-height: none; margin: 0; padding: 0; border: 0; border-left: 1px solid var(--border);
  background: var(--bg); color: var(--text); overflow: hidden;
}
.sheet[open] { display: flex; flex-direction: column }
.sheet::backdrop { background: #0009 }
.sheet-head, .session-head, .ending, .badge, .choice { display: flex; align-items: center; gap: 8px }
.sheet-head { padding: 12px 12px 12px 20px; border-bottom: 1px solid var(--border) }
h2 { flex: 1; font-size: 16px; line-height: 24px; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; outline: 0 !important }
.sheet-body { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 12px 20px 32px }
.badge { margin-bottom: 8px; min-height: 28px; font-weight: 500 }
.claim { flex: 1; min-width: 0; font-weight: 400; overflow-wrap: anywhere }
.badge .plain { margin-inline-end: -10px }
dt, h3, legend, .extra label { color: var(--muted) }
dl { display: grid; grid-template-columns: 96px minmax(0, 1fr); gap: 4px 12px }
dd { overflow-wrap: anywhere; unicode-bidi: plaintext; text-align: match-parent; text-align: -webkit-match-parent }
.device span { display: flex; gap: 6px; align-items: flex-start }
.device .icon { margin-top: 2px; color: var(--muted) }
h3 { margin: 24px 0 8px; font-size: 12px; line-height: 16px; font-weight: 600 }
.session, .why { border: 1px solid var(--border); border-radius: var(--radius); padding: 12px; margin-bottom: 12px }
.why { background: var(--raised); overflow-wrap: anywhere }
.why ol { list-style: none; padding: 0 }
.why li { margin-top: 8px; padding-top: 8px; border-top: 1px solid var(--border) }
.why li .sub { color: var(--muted) }
.why li span { margin-inline-start: 8px }
.session-head { margin-bottom: 8px }
.session-head strong { flex: 1 }
.ending { flex-wrap: wrap }
.ending, .session > .sub { margin-top: 12px }
.ending p { flex-basis: 100% }
.failed, .danger { color: var(--danger) }
.solid { border-color: var(--danger); font-weight: 600 }

.menu {
  position: absolute; inset: auto; width: min(264px, 100vw - 16px); margin: 0; padding: 12px 16px 16px; border: 1px solid var(--border); border-radius: calc(var(--radius) + 2px);
  background: var(--bg); color: var(--text); box-shadow: 0 8px 24px #0003;
}
fieldset { padding: 0; border: 0 }
legend { padding: 0; font-size: 12px; font-weight: 600 }
.choice { min-height: 32px; margin: 0 -8px; padding: 0 8px; border-radius: var(--radius); cursor: pointer }
.choice:hover { background: var(--raised) }
.choice input { width: 16px; height: 16px; accent-color: var(--accent) }
.choice:has(:focus-visible) { outline: 2px solid var(--accent); outline-offset: -2px }
.choice :focus-visible { outline: 0 }
.choice .shape + span { color: var(--text) }
.extra label { display: block; margin: 8px 0 4px; font-size: 12px; line-height: 16px }
.extra input, .extra select { width: 100%; max-width: none; height: 32px; padding-inline: 10px; border: 1px solid var(--border); border-radius: var(--radius); background-color: var(--bg) }
.menu .failed { margin-top: 8px }
.go { border-color: var(--accent); color: var(--accent); font-weight: 500 }
@container (max-width: 619px) {
  .extra input, .extra select { font-size: 16px; height: 36px }
}
`);
