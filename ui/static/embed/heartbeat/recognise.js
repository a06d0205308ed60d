// Notices a login, a logout and a new token without being told.
import { forgetNotices } from './announcements.js';
import { prepareGoodbye, sayGoodbye } from './beat.js';
import { resetSchedule } from './schedule.js';
import { asks, endpoint } from './script.js';
import { begin, silent, token } from './session.js';
import { become } from './state.js';
import { joinTabs } from './tabs.js';
import { hash, readToken } from './token.js';

export function recognise() {
  const now = readToken();
  if (now === token) return;
  if (token && !now && !silent) sayGoodbye(); // a logout in this page
  begin(now);
  resetSchedule();
  forgetNotices();
  if (silent) return asks || become('signed-out');
  prepareGoodbye();
  joinTabs('rollcall ' + hash(endpoint + token));
}
