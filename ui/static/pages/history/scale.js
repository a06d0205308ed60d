// Where the ticks of the timeline stand, in round numbers and in the person's own zone.
import { DATE, DAY, HOUR, TIME } from '../../lib/time.js';

const ROOM = 68; // px for a label

const WEEKDAY = new Intl.DateTimeFormat([], { weekday: 'short', day: 'numeric' });

// The step between two levels: 1, 2 or 5 times a power of ten, and never half a person.
function levelStep(most) {
  const rough = Math.max(most / 4, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
}

// The levels of an axis that is high enough for most.
export function peopleAxis(most) {
  const step = levelStep(most);
  return Array.from({ length: Math.max(Math.ceil((most * 1.04) / step), 2) + 1 }, (_, i) => i * step);
}

// Full hours or midnights with their labels, as many as there is room for.
export function timeTicks(from, to, width) {
  const room = (to - from) * (ROOM / width);
  const hours = [1, 2, 3, 4, 6, 12].find((n) => n * HOUR >= room);
  const days = [1, 2, 7, 14, 28].find((n) => n * DAY >= room) || 56;
  const tick = new Date(from);
  tick.setHours(0, 0, 0, 0);
  if (!hours && days >= 7) tick.setDate(tick.getDate() - ((tick.getDay() + 6) % 7)); // weeks begin on Monday
  const ticks = [];
  while (tick.getTime() <= to) {
    const midnight = tick.getHours() === 0;
    if (tick.getTime() >= from + room / 3 && tick.getTime() <= to - room / 3) ticks.push([tick.getTime(), label(tick, midnight, to - from)]);
    if (hours) step(tick, hours);
    else tick.setDate(tick.getDate() + days);
  }
  return ticks;
}

// Moves tick to the next multiple of hours. To add them would not do: after a change to or from
// summer time, all later ticks of that day would be off.
function step(tick, hours) {
  const next = Math.floor(tick.getHours() / hours + 1) * hours;
  const before = tick.getTime();
  tick.setHours(next, 0, 0, 0);
  if (tick.getTime() <= before) tick.setTime(before + hours * HOUR);
}

function label(tick, midnight, whole) {
  if (!midnight) return TIME.format(tick);
  return (whole > 8 * DAY ? DATE : WEEKDAY).format(tick);
}
