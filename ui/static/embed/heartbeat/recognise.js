// Notices a login, a logout and a new token without being told.
import { forgetNotices } from './announcements.js';
import { prepareGoodbye, sayGoodbye } from './beat.js';
import { resetSchedule } from './schedule.js';
import { endpoint } from './script.js';
import { begin, silent, token } from './session.js';
import { joinTabs } from './tabs.js';
import { hash, readToken } from './token.js';

export function recognise() {
  const now = readToken();
  if (now === token) return;
  if (token && !now && !silent) sayGoodbye(); // a logout in this page
  begin(now);
  resetSchedule();
  forgetNotices();
  if (silent) return;
  prepareGoodbye();
  joinTabs('rollcall ' + hash(endpoint + token));
}
