/*
 * Rollcall heartbeat: tells a Rollcall server that the person at this browser is here.
 *
 *   <script src="https://rollcall.example/heartbeat.js" data-token-from="localStorage:accessToken" async>
 *
 * data-token-from  localStorage:KEY, sessionStorage:KEY, cookie:NAME or meta:NAME; within JSON that is stored,
 *                  localStorage:KEY#access_token or #session.token
 * data-token       the token itself; with neither, whom a proxy at this origin has let in (--auth-header), else
 *                  this origin's Rollcall cookie
 * data-renew       "/path" of a route of the page's own origin that answers {"token": "..."} for whom its
 *                  cookies are, or 204 for nobody: asked by POST with the header "X-Rollcall: renew" when
 *                  there is no token, or none that is good, and when the person may have changed.
 *                  "": wait for identify()
 * data-endpoint    "/path" of the page's own origin below which the application passes requests on to Rollcall
 * data-cookies     heartbeats and setStatus() send the cookies of their own origin, and no header Authorization:
 *                  for what stands before Rollcall there, which has to let the header X-Rollcall-Session through
 * data-page        instead of the path; "hash" where that is in the fragment, "off" shows nothing
 * data-page-mask   an expression, such as "[^/]+(?=/edit)": what matches is told as "*"
 * data-notices     "off": announcements are not shown, only told by the next event
 * data-live        hears of them, and of the end of the session, at once: one connection a browser
 * data-debug       logs each step
 * rollcall:state   event on document, detail {state}, also when this script starts: see rollcall.state
 * rollcall:notices event on document, detail {notices}: all that there are now
 * rollcall:ended   event on document and window, detail {reason}: sign the person out. With data-renew the
 *                  page is loaded anew once its route says that nobody is signed in, unless preventDefault()
 * window.rollcall  setPage(path), beat() at once, stop(),
 *                  identify(async () => token), "" for nobody, in place of data-renew,
 *                  renew() asks either at once, after a login or logout that changes no address,
 *                  state: starting, ok, unknown-token (no report of it, yet), refused, blocked (by the
 *                  page's policy or the server's --allow-origin), offline, ended or signed-out, and
 *                  setStatus("busy", "Recording", {minutes: 30}), a promise: the person is
 *                  available, busy or away, with minutes or until (a Date) for so long
 */
import { forgetAsOf, noticesAsOf } from './heartbeat/announcements.js';
import { beat, giveUpAnswer, headers, sayGoodbye } from './heartbeat/beat.js';
import { lastShared, mostRecentTab, say } from './heartbeat/channel.js';
import { returned, setPage, watchInput } from './heartbeat/page.js';
import { recognise } from './heartbeat/recognise.js';
import { askNow, identify, lookForToken } from './heartbeat/renewal.js';
import { beatSoon, failures, forceBeat, forgetTimes, interval, isDue, lastReported, lastTry } from './heartbeat/schedule.js';
import { attempt, credentials, endpoint, load, src, started, tell } from './heartbeat/script.js';
import { forgetToken, silent, stop, token } from './heartbeat/session.js';
import { state } from './heartbeat/state.js';

function tick() {
  if (document.prerendering) return;
  recognise();
  lookForToken(tokenChanged);
  const now = Date.now();
  if (now < Math.max(lastTry, noticesAsOf)) {
    // The clock was set back, maybe between a question and its answer.
    forgetTimes();
    forgetAsOf();
  }
  if (isDue(now) || pageChanged(now)) beat();
}

function tokenChanged(maybeGood) {
  if (maybeGood) beatSoon();
  tick();
}

function pageChanged(now) {
  const { id, page } = mostRecentTab();
  return 'idle' in lastReported && !id && page !== lastReported.page && now - lastTry > 5000;
}

function shareInput(now) {
  if (now - lastShared > 5000) say('state');
  if (lastReported.idle) {
    lastReported.idle = false;
    beat(); // back from a break
  }
}

function wake() {
  if (!document.hidden) {
    const now = returned();
    if (lastReported.idle || now - lastTry > interval) beatSoon();
  }
  say('state');
  tick();
}

function thaw() {
  giveUpAnswer();
  wake();
}

function leave() {
  if (silent) return;
  sayGoodbye();
  // What the browser still tells a page that goes must not bring it back.
  stop();
  attempt(() => (sessionStorage.rollcallBye = Date.now()));
}

// The goodbye of the page before may arrive after our first heartbeat; a second one puts that right.
function rebeatAfterReload() {
  forceBeat(Date.now() + 5000);
}

function start() {
  addEventListener('pagehide', leave, true); // before what the page does
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    forgetToken(); // join again, and beat at once
    thaw();
    rebeatAfterReload();
  });
  addEventListener('storage', tick);
  addEventListener('online', () => {
    if (failures) beatSoon();
    tick();
  });
  document.addEventListener('visibilitychange', wake);
  document.addEventListener('resume', thaw);
  watchInput(shareInput);

  window.rollcall = {
    setPage(path) {
      setPage(path);
      tick();
    },
    beat() {
      if (silent) forgetToken();
      beatSoon();
      tick();
    },
    identify(ask) {
      identify(ask);
      tick();
    },
    renew: askNow,
    get state() {
      return state;
    },
    async setStatus(...said) {
      recognise();
      const request = { headers: headers(), credentials: credentials(), token };
      return (await load('heartbeat-status.js')).setStatus(endpoint, request, ...said);
    },
    stop,
  };

  tell('state', { state });
  tick();
  setInterval(tick, 1000);
  if (started - attempt(() => sessionStorage.rollcallBye) < 15000) rebeatAfterReload();
}

// An element with this id is another thing.
if (src && !window.rollcall?.beat) start();
