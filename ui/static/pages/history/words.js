// Counts and times of the history in words.
import { sameDay, TIME } from '../../lib/time.js';

const INSTANT = new Intl.DateTimeFormat([], { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const SHORT = new Intl.DateTimeFormat([], { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const UTC_DAY = new Intl.DateTimeFormat([], { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
const SAMPLE = 300000;

export function people(count) {
  if (count === null || count === undefined) return 'Unknown';
  if (count === 0) return 'Nobody';
  return count === 1 ? '1 person' : `${count.toLocaleString()} people`;
}

export const instant = (time) => INSTANT.format(time);

// A time beside another one: without its day, where both are of the same day.
export function beside(time, other) {
  return (sameDay(time, other) ? TIME : SHORT).format(new Date(time));
}

// What a point stands for: the time up to the next one. That of a single sample is an instant.
export function span(time, step) {
  return step > SAMPLE ? `${INSTANT.format(time)}–${TIME.format(time + step)}` : INSTANT.format(time);
}

// A day in UTC, as the server counts them.
export const dayWords = (day) => UTC_DAY.format(Date.parse(day));

// How far away an instant is.
export function distance(ms) {
  const minutes = Math.round(ms / 60000);
  if (minutes < 60) return `${Math.max(minutes, 1)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 && hours < 6 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return days === 1 ? '1 day' : `${days} days`;
}
