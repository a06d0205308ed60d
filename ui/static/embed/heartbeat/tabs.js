// What this tab does about what others say: the tabs with the same token and, of the leader, the
// live connection.
import { announce, markSeen } from './announcements.js';
import { beatNow } from './beat.js';
import { join, leading, say } from './channel.js';
import { adopt, beatEarly, forceBeat, forcedBeatAt, lastTry, refused } from './schedule.js';
import { base, client, load, options } from './script.js';
import { end, endAll, ended, revive, token, whileAlive } from './session.js';

let leaderClosed = false; // or a tab that may have been the leader

export const joinTabs = (name) => join(name, hear, lead);

function lead() {
  if (leaderClosed || (lastTry && Date.now() - lastTry > 1000)) beatNow(); // the leader before us is gone
  else if (lastTry) beatEarly();
  if ('live' in options) follow();
}

function follow() {
  const on = {
    notices(notices, ahead) {
      announce(notices, ahead);
      say('state', { notices, ahead });
    },
    ended: endAll,
  };
  load('heartbeat-live.js').then((live) => live.follow(base, token, whileAlive(), on, client)).catch(() => {});
}

function hear({ type, seen, notices, ahead, asOf, reason, interval, told }) {
  if (type === 'bye') return answerBye();
  seen?.forEach(markSeen);
  if (notices && !ended) announce(notices, ahead, asOf);
  if (type === 'ended') {
    end(reason);
    refused(interval, leading());
  }
  if (type === 'beat') {
    revive(asOf);
    adopt(interval, told, leading());
  }
  if (type === 'hello' || type === 'beat') say('state');
}

// The server now believes that the person left: every tab still here says otherwise, late
// enough to arrive after the goodbye. A hidden tab's timers may run once a minute, so a
// hidden leader beats at once, and again after the answer. Without locks, each tab does.
function answerBye() {
  leaderClosed = true;
  forceBeat(Math.min(forcedBeatAt, Date.now() + 1000 + Math.random() * 3000));
  if (document.hidden && leading(true)) beatNow();
}
