// When the next heartbeat is due.
import { become } from './state.js';

export let interval = 60000;
export let lastTry = 0; // when any tab last tried
export let failures = 0;
let unknowns = 0; // answers in a row that the token is unknown
export let lastReported = {}; // the page that the server heard last, and whether it takes us for idle
let dueAt = 0; // when this tab beats, unless another one does before
export let forcedBeatAt = Infinity; // when this tab beats, whatever others do
let retryAfterUntil = 0; // no tab beats before

export function resetSchedule() {
  forgetTimes();
  failures = unknowns = 0;
  lastReported = {};
}

export function forgetTimes() {
  lastTry = dueAt = retryAfterUntil = 0;
}

function pace(every) {
  interval = Math.max(1000, every || interval);
}

// The server was reached: by this tab, or by another one that says so.
export function adopt(every, reported, leading) {
  become('ok');
  pace(every);
  lastReported = reported;
  unknowns = 0;
  plan(leading);
}

// A leader beats a little early, never late; the others step in should it fall asleep.
export function plan(leading) {
  lastTry = Date.now();
  failures = 0;
  dueAt = lastTry + (leading ? early() : interval * (1.5 + Math.random() / 2));
}

const early = () => interval * (0.9 + Math.random() / 10);

// After as much time as the server asked for, and longer with each failure.
export function retry(after) {
  lastTry = Date.now();
  retryAfterUntil = lastTry + (after * 1000 || Date.parse(after) - lastTry || 0);
  dueAt = retryAfterUntil + Math.random() * Math.min(interval, 2000 * 2 ** failures++);
}

// The server knows of no page by this token, and wants to hear while somebody works there.
export function refused(every, leading) {
  pace(every);
  lastReported = {};
  plan(leading);
}

// A token that nobody knows, yet: at once again, and then more seldom. The gate has to know of the page.
export function backOff() {
  become('unknown-token');
  dueAt = lastTry + Math.min(60000, 2000 * 2 ** unknowns++) * (1 - Math.random() / 4);
}

// The lock came after the first answer: until then this tab was no leader.
export function beatEarly() {
  if (!failures && !unknowns) dueAt = Math.min(dueAt, lastTry + early());
}

export function beatSoon() {
  dueAt = 0;
}

export function forceBeat(at) {
  forcedBeatAt = at;
}

export const mayBeat = () => Date.now() >= retryAfterUntil;
export const isDue = (now) => now >= Math.min(dueAt, forcedBeatAt);

// A heartbeat begins, which may be the one that was forced.
export function began() {
  if (Date.now() >= forcedBeatAt) forcedBeatAt = Infinity;
}
