// Who was on at a time, as far as the sessions that are kept can tell.
import { ask } from '../../lib/api.js';
import { deviceWords } from '../../lib/device.js';
import { button, failure, h } from '../../lib/dom.js';
import { endTime } from '../../lib/session-state.js';
import { personKey, shownName } from '../../lib/status.js';
import { beside, instant } from './words.js';

const MOST = 100;

export class OnlineAt {
  // closed is called when somebody has seen enough.
  constructor(element, closed) {
    Object.assign(this, { element, closed });
  }

  async show(time, filters) {
    const asked = (this.asked = {});
    this.element.hidden = false;
    this.element.ariaBusy = 'true';
    try {
      const query = new URLSearchParams({ at: new Date(time).toISOString(), limit: MOST, ...filters });
      const answer = await ask('GET', `admin/sessions?${query}`);
      if (asked === this.asked) this.list(time, answer);
    } catch (refusal) {
      if (asked !== this.asked) return;
      this.element.replaceChildren(failure('The sessions could not be loaded', refusal, () => this.show(time, filters)));
    }
    this.element.ariaBusy = 'false';
  }

  close() {
    this.asked = undefined;
    this.element.hidden = true;
  }

  list(time, { sessions, next_cursor: more }) {
    const persons = new Set(sessions.map((session) => personKey(session.user))).size;
    const count = `${persons}${more ? '+' : ''} ${persons === 1 && !more ? 'person' : 'people'}`;
    const words = sessions.length ? `${count} ${persons === 1 && !more ? 'was' : 'were'} on at ${instant(time)}` : `No known sessions at ${instant(time)}`;
    this.element.replaceChildren(
      h('div', { class: 'online-at-head' }, h('h3', { role: 'status' }, words), button('Close', () => this.closed(), { class: 'plain small', 'data-close': '' })),
      sessions.length ? table(sessions, time) : '',
      h('p', { class: 'hint' }, sessions.length
        ? 'A session keeps only its last activity: somebody with later activity may have done nothing at that time.'
        : 'Sessions that ended are removed after a time, 30 days unless it was set otherwise.'),
      more ? h('p', { class: 'hint' }, `These are the latest ${MOST} logins of them.`) : '');
  }
}

function table(sessions, time) {
  const heads = ['Person', 'App', 'From', 'Logged in', 'Last activity'];
  return h('table', { class: 'on' },
    h('thead', {}, h('tr', {}, ...heads.map((words) => h('th', { scope: 'col' }, words)))),
    h('tbody', {}, ...sessions.map((session) => row(session, time))));
}

function row(session, time) {
  const { user, app, ip_address: address, session_started_at: began, last_activity_at: active } = session;
  const end = endTime(session);
  const device = deviceWords(session.device) || session.location || address;
  return h('tr', { 'data-session-id': session.id },
    h('td', {}, h('a', { href: `sessions?${new URLSearchParams({ user: user.id, directory: user.directory, state: 'all' })}`, title: user.email }, shownName(user)), h('span', { class: 'sub' }, user.organization_name)),
    h('td', { title: app }, app),
    h('td', { title: address }, device),
    h('td', {}, beside(began, time)),
    h('td', {}, beside(active, time), h('span', { class: 'sub' }, end ? `ended ${beside(end, time)}` : 'still logged in')));
}
