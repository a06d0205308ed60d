// Where a session stands, in words and by a mark.
import { h } from './dom.js';
import { ago, duration, local } from './time.js';

export const STATES = { online: 'Online', left: 'Left', timed_out: 'Timed out', expired: 'Expired', ended: 'Ended' };
const REASONS = {
  logout: 'Logged out', expired: 'Expired', revoked: 'Ended by', evicted: 'Replaced by a newer login', password_changed: 'Password changed',
};

export const stateWords = ({ state, idle }) => (state === 'online' && idle ? 'Online, idle' : STATES[state] || state);

// The mark's shape and colour come from data-state.
export function stateMark({ state, end_reason: reason }) {
  const words = state !== 'ended' ? STATES[state] || state : reason === 'revoked' ? 'Ended by an admin' : REASONS[reason] || 'Ended';
  return h('span', { class: 'state', 'data-state': state }, h('i', { 'aria-hidden': 'true' }), words);
}

// How a session ended, with who did it and what they had to say.
export function endWords({ end_reason: reason, ended_by: by, end_note: note }) {
  const words = reason === 'revoked' ? `${REASONS.revoked} ${actor(by) || 'an administrator'}` : REASONS[reason] || 'Ended';
  return note ? `${words}: “${note}”` : words;
}

// user:rollcall:root, key:7:crm and cli, as a person would say it.
export function actor(by) {
  const [kind, ...rest] = by.split(':');
  if (kind === 'user') return rest.join(':').replace(/^rollcall:/, '');
  if (kind === 'key') return `the key of ${rest.slice(1).join(':')}`;
  if (kind === 'cli') return 'the command line';
  if (kind === 'system') return 'Rollcall';
  if (kind === 'erased' && rest.length) return `somebody erased (${rest[0].slice(0, 4)})`;
  return by;
}

// What is known of where a session is used from: words, and what they are made of.
export function placeWords({ location, ip_address: address }) {
  return [location, address].filter(Boolean).join(' · ');
}

// When a session was over; undefined while it is not.
export function endTime({ state, ended_at: ended, expires_at: expires }) {
  if (ended) return Date.parse(ended);
  return state === 'expired' ? Date.parse(expires) : undefined;
}

// How long it was, or has been at now (in ms).
export function lasted(session, now) {
  return duration(Math.max(0, (endTime(session) || now) - Date.parse(session.session_started_at)));
}

// When it was last used: the time of day of one that is over.
export function lastActivity(session, now) {
  const { last_activity_at: at } = session;
  return endTime(session) ? local(at) : ago(now - Date.parse(at));
}
