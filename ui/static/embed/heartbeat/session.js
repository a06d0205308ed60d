// Whose heartbeats these are, and whether there is anybody at all.
import { announce } from './announcements.js';
import { leaveChannel, say } from './channel.js';
import { byCookie } from './script.js';

export let token; // undefined: not looked yet
export let silent; // nobody is signed in, the session ended, or stop()

// The person of this token takes the place of the one before, '' for nobody.
export function begin(now) {
  token = now;
  leaveChannel();
  silent = !token && !byCookie;
}

// The next look finds a new one.
export function forgetToken() {
  token = undefined;
}

export function endAll(reason) {
  say('ended', { reason });
  end(reason);
}

export function end(reason) {
  if (silent) return;
  stop();
  const fire = () => document.dispatchEvent(new CustomEvent('rollcall:ended', { bubbles: true, detail: { reason } }));
  // A page that is still loading does not listen yet.
  if (document.readyState === 'complete') fire();
  else addEventListener('load', fire);
}

// Until the token changes.
export function stop() {
  silent = true;
  leaveChannel();
  announce([]);
}
