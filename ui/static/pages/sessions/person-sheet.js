// What is known of one person's sessions: a timeline, and each session in words, with the
// buttons that end it.
import { ask } from '../../lib/api.js';
import { deviceMark } from '../../lib/device.js';
import { button, failure, h, putLong } from '../../lib/dom.js';
import { endTime, endWords, lastActivity, lasted, placeWords, stateMark } from '../../lib/session-state.js';
import { shownName } from '../../lib/status.js';
import { local } from '../../lib/time.js';
import { endMatching, endThese } from './end-sessions.js';
import { timeline } from './session-timeline.js';

const PAGE = 50;

export class PersonSheet {
  // ended is called when sessions may have ended, only(user) to list the sessions of nobody else.
  constructor(clock, { ended, only }) {
    Object.assign(this, { clock, ended, only, admin: false });
    this.title = h('h2', { id: 'person', tabindex: '-1' });
    this.body = h('div', { class: 'sheet-body' });
    this.element = h('dialog', { class: 'sheet', 'aria-labelledby': 'person', close: () => this.closed(), click: (event) => event.target === this.element && this.element.close() },
      h('div', { class: 'sheet-head' }, this.title, button('Close', () => this.element.close(), { class: 'plain small', 'data-close': '' })),
      this.body);
    document.body.append(this.element);
  }

  open(user, back) {
    Object.assign(this, { user, back, sessions: [], next: '' });
    putLong(this.title, shownName(user));
    this.body.replaceChildren(h('p', { class: 'muted', role: 'status' }, 'Loading the sessions…'));
    this.element.showModal();
    this.title.focus();
    this.load();
  }

  closed() {
    this.user = undefined;
    if (this.back?.isConnected) this.back.focus();
  }

  async load(next = '') {
    const { user } = this;
    try {
      const query = new URLSearchParams({ user: user.id, directory: user.directory, state: 'all', sort: 'created', limit: PAGE, ...(next && { cursor: next }) });
      const answer = await ask('GET', `admin/sessions?${query}`);
      if (user !== this.user) return;
      this.clock.set(answer.timestamp);
      this.sessions = next ? this.sessions.concat(answer.sessions) : answer.sessions;
      this.next = answer.next_cursor;
      this.draw();
    } catch (refusal) {
      if (user !== this.user) return;
      this.body.replaceChildren(failure('The sessions could not be loaded', refusal, () => this.load(next)));
    }
  }

  again() {
    this.ended();
    if (this.user) this.load();
  }

  draw() {
    const { user, sessions } = this;
    const now = this.clock.now();
    const open = sessions.filter((session) => !endTime(session));
    const cards = new Map(sessions.map((session) => [session, this.card(session, open, now)]));
    const about = [user.email, user.role, user.organization_name, user.team_name].filter(Boolean).join(' · ');
    this.body.replaceChildren(
      h('p', { class: 'muted about' }, about || user.id),
      ...(sessions.length ? [timeline(sessions, now, (session) => cards.get(session).scrollIntoView({ block: 'nearest' }))] : []),
      h('div', { class: 'buttons start' },
        button('Show in the list', () => (this.element.close(), this.only(user)), { class: 'small' }),
        ...(this.admin && open.length > 1 ? [button(`End all ${open.length}…`, () => endMatching({ user: user.id, directory: user.directory }, () => this.again()), { class: 'small danger', 'data-end-user': '' })] : [])),
      h('ol', { class: 'cards' }, ...cards.values()),
      ...(this.next ? [button('Show earlier sessions', () => this.load(this.next), { class: 'small' })] : []),
      ...(sessions.length ? [] : [h('p', { class: 'empty' }, 'No session of this person is kept.')]));
  }

  card(session, open, now) {
    const end = endTime(session);
    return h('li', { class: 'card', 'data-session-id': session.id },
      h('div', { class: 'card-head' }, h('strong', {}, session.app), stateMark(session)),
      h('p', { class: 'device', title: session.user_agent }, ...deviceMark(session)),
      h('p', { class: 'muted' }, placeWords(session)),
      h('dl', {},
        h('dt', {}, 'Logged in'), h('dd', {}, local(session.session_started_at)),
        h('dt', {}, 'Last activity'), h('dd', {}, lastActivity(session, now), session.page ? h('code', {}, session.page) : ''),
        ...(end ? [h('dt', {}, 'Ended'), h('dd', {}, `${local(end)}, after ${lasted(session, now)}. ${endWords(session)}`)] : [h('dt', {}, 'Duration'), h('dd', {}, lasted(session, now))])),
      this.admin && !end ? this.endings(session, open) : '');
  }

  endings(session, open) {
    const others = open.length > 1 && button('End all others…', () => endMatching({ user: this.user.id, directory: this.user.directory, except: [session.id] }, () => this.again()), { class: 'small', 'data-end-others': '' });
    return h('div', { class: 'buttons start' },
      button('End…', () => endThese([session], () => this.again()), { class: 'small danger', 'data-end-one': '' }), others || '');
  }
}
