// Times in words, in the person's own zone and language.

export const HOUR = 3600000;
export const DAY = 24 * HOUR;

const format = (options) => new Intl.DateTimeFormat([], { hourCycle: 'h23', ...options });
export const TIME = /* @__PURE__ */ format({ timeStyle: 'short' });
export const SECONDS = /* @__PURE__ */ format({ timeStyle: 'medium' });
export const DATE = /* @__PURE__ */ format({ day: 'numeric', month: 'short' });
const LONG = /* @__PURE__ */ format({ dateStyle: 'medium', timeStyle: 'short' });

export function duration(ms) {
  const minutes = Math.floor(ms / 60000);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return '< 1 min';
  if (hours < 1) return `${minutes} min`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// In steps of ten seconds: a list that changes every second is not calm.
export function ago(ms) {
  if (ms < 10000) return 'just now';
  if (ms < 60000) return `${Math.floor(ms / 10000) * 10} s ago`;
  return `${duration(ms)} ago`;
}

export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

// Today's times without the day.
export function local(time) {
  return (sameDay(time, Date.now()) ? TIME : LONG).format(new Date(time));
}

export const until = (time) => (time ? `until ${local(time)}` : '');

// The server's clock, which all times come from: this machine's may be wrong.
export class Clock {
  ahead = 0;

  // Sets it by an answer's timestamp.
  set(timestamp) {
    this.ahead = Date.parse(timestamp) - Date.now();
  }

  now() {
    return Date.now() + this.ahead;
  }
}
