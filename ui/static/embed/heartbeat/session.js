// Whose heartbeats these are, and whether there is anybody at all.
import { announce, forgetNotices } from './announcements.js';
import { prepareGoodbye } from './beat.js';
import { resetSchedule } from './schedule.js';
import { byCookie, endpoint } from './script.js';
import { join, leaveChannel, say } from './tabs.js';
import { hash, readToken } from './token.js';

export let token; // undefined: not looked yet
export let channelName; // of the tabs with this token, and of what the person dismissed
export let silent; // nobody is signed in, the session ended, or stop()

// Notices a login, a logout and a new token without being told.
export function recognise() {
  const now = readToken();
  if (now === token) return;
  token = now;
  leaveChannel();
  silent = !token && !byCookie;
  resetSchedule();
  announce([]);
  forgetNotices();
  channelName = 'rollcall ' + hash(endpoint + token);
  if (silent) return;
  prepareGoodbye();
  join(channelName);
}

// The next recognise joins again.
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
