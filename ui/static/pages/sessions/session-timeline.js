// When somebody was logged in, as a drawing: a bar for each session, thick up to its last
// activity and thin from there to its end. The list of sessions beside it has the same in
// words.
import { svg } from '../../lib/dom.js';
import { endTime } from '../../lib/session-state.js';
import { DATE, DAY, duration, HOUR, TIME } from '../../lib/time.js';

const [WIDTH, LANE, LANES] = [400, 12, 10];
// The spans that a drawing may have, with the distance of its ticks.
const SPANS = [[6 * HOUR, HOUR], [DAY, 4 * HOUR], [3 * DAY, 12 * HOUR], [7 * DAY, DAY], [31 * DAY, 7 * DAY]];

// Draws what is known up to now; chosen is called with the session whose bar is clicked.
export function timeline(sessions, now, chosen) {
  const bars = sessions.map((session) => bar(session, now)).sort((a, b) => a.from - b.from);
  const oldest = Math.min(...bars.map((one) => one.from));
  const [span, tick] = SPANS.find(([long]) => now - oldest <= long) || SPANS.at(-1);
  const start = now - span;
  const x = (time) => ((Math.max(time, start) - start) / span) * WIDTH;
  const lanes = pack(bars.filter((one) => one.to > start));
  const height = Math.min(lanes.length, LANES) * LANE;
  const words = `${bars.length === 1 ? '1 session' : `${bars.length} sessions`}, the last ${duration(span)}`;
  return svg('svg', { class: 'timeline', viewBox: `0 0 ${WIDTH} ${height + 24}`, role: 'img', 'aria-label': `Timeline: ${words}. The list below has them in words.` },
    ...ticks(start, now, tick).map((time) => mark(x(time), time, height, tick)),
    ...lanes.slice(0, LANES).flatMap((lane, i) => lane.map((one) => draw(one, x, i * LANE + 2, chosen))));
}

function bar(session, now) {
  const from = Date.parse(session.session_started_at);
  const end = endTime(session);
  return { session, from, active: Date.parse(session.last_activity_at), to: Math.max(end || now, from + 1), open: !end };
}

// Sessions that do not overlap share a lane.
function pack(bars) {
  const lanes = [];
  for (const one of bars) {
    const lane = lanes.find((others) => others.at(-1).to < one.from);
    if (lane) lane.push(one);
    else lanes.push([one]);
  }
  return lanes;
}

function draw({ session, from, active, to, open }, x, y, chosen) {
  const end = Math.max(x(to), x(from) + 3);
  const group = svg('g', { class: 'bar', 'data-state': session.state, click: () => chosen(session) },
    svg('rect', { class: 'silent', x: x(from), y: y + 3, width: end - x(from), height: 2 }),
    svg('rect', { class: 'active', x: x(from), y, width: Math.max(x(Math.min(active, to)) - x(from), 3), height: 8, rx: 2 }));
  if (!open) group.append(svg('rect', { class: 'end', x: end - 1.5, y, width: 1.5, height: 8 }));
  return group;
}

// Full hours and midnights of this person's own zone.
function ticks(start, now, step) {
  const first = new Date(start);
  first.setHours(step >= DAY ? 0 : first.getHours() + 1, 0, 0, 0);
  const all = [];
  for (const time = first; time < now; time.setHours(time.getHours() + step / HOUR)) {
    if (time > start && (step >= DAY || (time.getHours() * HOUR) % step === 0)) all.push(time.getTime());
    if (step < DAY && (time.getHours() * HOUR) % step !== 0) time.setHours(time.getHours() + 1 - step / HOUR);
  }
  return all;
}

function mark(x, time, height, step) {
  const words = step >= DAY || new Date(time).getHours() === 0 ? DATE.format(time) : TIME.format(time);
  return svg('g', { class: 'tick' },
    svg('line', { x1: x, x2: x, y1: 0, y2: height + 4 }),
    x > 12 && x < WIDTH - 12 ? svg('text', { x, y: height + 18, 'text-anchor': 'middle' }, words) : '');
}
