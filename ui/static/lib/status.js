// Whether a person is available, busy or away, in words and by a mark.
import { h } from './dom.js';
import { until } from './time.js';

export const STATUSES = { available: 'Available', busy: 'Busy', away: 'Away', offline: 'Offline' };
export const CHOICES = ['available', 'busy', 'away']; // what people can say of themselves

export const shownName = (user) => user.name || user.email || user.id;

// What a person is known by: several may have one id, in different directories.
export const personKey = ({ directory = '', id }) => `${directory}/${id}`;

// Tells of the people of a list who looks like somebody of another directory.
export function lookalikes(users) {
  const directories = new Map();
  for (const user of users) directories.set(shownName(user), new Set(directories.get(shownName(user))).add(user.directory));
  return (user) => directories.get(shownName(user))?.size > 1;
}

// The mark's colour comes from data-status on an element around.
export function statusMark(status) {
  return [h('i', { class: 'shape', 'aria-hidden': 'true' }), h('span', {}, STATUSES[status] || status)];
}

// What people say that they do, and until when.
export const claimText = (user) => [user.status_text, until(user.status_until)].filter(Boolean).join(', ');

// How many are online.
export const total = ({ available, busy, away }) => available + busy + away;

// Such as ["3 available", "1 still there"]: who works in a page whose session has ended.
export function countWords(counts) {
  return Object.entries(counts).filter(([, n]) => n).map(([status, n]) => `${n.toLocaleString()} ${status.replace('_', ' ')}`);
}
