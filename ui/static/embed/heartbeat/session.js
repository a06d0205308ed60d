// Whose heartbeats these are, whether there is anybody at all, and whether the session has ended.
import { announce } from './announcements.js';
import { leaveChannel, say } from './channel.js';
import { interval } from './schedule.js';
import { asks, byCookie, tell } from './script.js';
import { become } from './state.js';

export let token; // undefined: not looked yet
export let silent; // nobody is signed in, or stopped
export let stopped; // by stop()
export let ended; // why, where somebody ended the session or its time ran out: beats go on for the gate
let alive = new AbortController();
let quietSince;
export let handled; // the page signs the person out itself

// The person of this token takes the place of the one before, '' for nobody.
export function begin(now) {
  token = now;
  ended = '';
  stopped = false;
  leaveChannel();
  quiet();
  alive = new AbortController();
  silent = !token && !byCookie;
}

// Why the token is no good.
export const trouble = () => ended || (alive.signal.aborted && !silent && 'unknown');
export const whileAlive = () => alive.signal;

// The next look finds a new one.
export function forgetToken() {
  token = undefined;
}

// By an answer to who asked after the end: the session began anew, and so does all that rests.
export function revive(asOf) {
  if (!silent && alive.signal.aborted && asOf > quietSince) forgetToken();
}

export function endAll(reason) {
  say('ended', { reason, interval });
  end(reason);
}

export function end(reason) {
  if (silent || ended) return;
  ended = reason;
  become('ended');
  quiet();
  handled = false;
  if (asks && reason === 'expired') return; // whoever is asked says whether the person is in
  const fire = () => {
    handled = !tell('ended', { reason });
  };
  // A page that is still loading does not listen yet.
  if (document.readyState === 'complete') fire();
  else addEventListener('load', fire);
}

// Until the token changes.
export function stop() {
  silent = stopped = true;
  leaveChannel();
  quiet();
}

// Nothing but heartbeats goes on where the server knows of no session that lives.
export function quiet() {
  alive.abort();
  quietSince = Date.now();
  announce([]);
}
