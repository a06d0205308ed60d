// When the next quiet time is, and all of them in words.
import { h } from '../../lib/dom.js';
import { duration } from '../../lib/time.js';
import { distance } from './words.js';

// At most how many people are online: the same for all quiet times, and the second part of their words.
export const crowd = ({ quiet }) => (quiet.length ? quiet[0].words.split(', ')[1] : '');

export function quietList({ quiet, next_quiet: next, note }, now) {
  if (!quiet.length) return h('p', { class: 'blank' }, note);
  const away = Date.parse(next.from) - now;
  return h('div', {},
    h('p', { class: 'next', 'data-open': away <= 0 },
      h('span', { class: 'muted' }, away > 0 ? `Next, in ${distance(away)}` : `Now, for another ${distance(Date.parse(next.to) - now)}`),
      h('strong', {}, next.words.split(', ')[0])),
    h('ol', { class: 'windows', 'aria-label': 'All of them, the longest first' }, ...quiet.map((window) => h('li', {}, h('span', {}, window.words.split(', ')[0]), h('span', { class: 'muted' }, duration(window.minutes * 60000).replace(/ 0 (min|h)$/, ''))))));
}
