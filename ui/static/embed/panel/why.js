// Why somebody has the status they have, as the server explains it.
import { button, h } from '../../lib/dom.js';
import { STATES, stateWords } from '../../lib/session-state.js';
import { STATUSES } from '../../lib/status.js';
import { duration, local, until } from '../../lib/time.js';

export class Why {
  constructor(panel, user) {
    this.panel = panel;
    this.user = user;
    this.button = button('Why?', () => this.toggle(), { class: 'plain', part: 'why', 'aria-expanded': 'false', 'aria-controls': 'why' });
    this.element = h('div', { class: 'why', id: 'why', part: 'explanation', role: 'status', hidden: true });
  }

  toggle() {
    this.element.hidden = !this.element.hidden;
    this.button.setAttribute('aria-expanded', !this.element.hidden);
    this.refresh();
  }

  // Asks the server again, if the answer is on the screen.
  async refresh() {
    if (this.element.hidden) return;
    if (!this.element.firstChild) this.element.append(h('p', { class: 'sub' }, 'Looking…'));
    const asked = (this.asked = {});
    const shown = await this.panel.server().ask(`admin/users/${encodeURIComponent(this.user.id)}/explain?${new URLSearchParams({ directory: this.user.directory || '' })}`).then(
      (answer) => this.explanation(answer),
      (refusal) => [h('p', { class: 'failed' }, `No explanation: ${refusal.message} `, button('Try again', () => this.refresh()))],
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

  session(session) {
    const { app, state, rule, next } = session;
    return h('li', { 'data-state': state },
      h('strong', {}, app), h('span', { class: 'sub' }, stateWords(session)),
      h('p', {}, rule),
      next ? h('p', { class: 'sub' }, `${this.when(next.at)}: ${STATES[next.state] || STATUSES[next.state] || next.state}. ${next.because}`) : undefined);
  }

  when(time) {
    const wait = Date.parse(time) - this.panel.clock.now();
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
