// Times in words, in the person's own zone and language.

const TIME = new Intl.DateTimeFormat([], { timeStyle: 'short', hourCycle: 'h23' });
const DATE = new Intl.DateTimeFormat([], { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });

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

// Today's times without the day.
export function local(time) {
  const date = new Date(time);
  return (date.toDateString() === new Date().toDateString() ? TIME : DATE).format(date);
}

// The server's clock, which all times come from: this machine's may be wrong.
export class Clock {
  constructor() {
    this.ahead = 0;
  }

  // Sets it by an answer's timestamp.
  set(timestamp) {
    this.ahead = Date.parse(timestamp) - Date.now();
  }

  now() {
    return Date.now() + this.ahead;
  }
}
