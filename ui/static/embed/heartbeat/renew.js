/*
 * Where heartbeat.js gets the token from that the page itself does not hold: by data-renew a route of
 * the application, by rollcall.identify a function. heartbeat.js loads this file for either.
 *
 * It asks when it has no answer yet, when the token is unknown or its session over, and when the person
 * may have changed; ever more seldom where that brings nothing new; one tab for all of a browser.
 */
import { timeLimit } from '../../lib/time-limit.js';

const PAUSE_MS = 5000; // between two questions, at least
const LONG_PAUSE_MS = 60000; // after questions that failed, or of who moves about and stays the same
const LONGEST_PAUSE_MS = 600000; // where the token is no good, or nobody is there
const ANSWER_MS = 20000;
const SLOW_MS = 5000; // after which a question counts as failed, until its answer comes
const AWAY_MS = 300000; // whoever comes back after that may be somebody else
const OWN_LOGOUT_MS = 2000; // in which a page moves to where a logout in it leads
const RELOAD_MS = 60000; // a page is not loaded anew twice within
const TOKEN = /^[\x21-\x7e]+$/;

// from is the route's address, or a function. on.hold(token) gets each new answer, '' for nobody, and undefined
// where the one before is to be said goodbye for;
// on.beat() is called where the same token may be good again, on.problem(what, status) where the
// answer can not be right. look(now) is to be called every second, with what is known of the token:
// {fine, trouble(), used, handled()}.
export function renewal(from, on) {
  const route = typeof from !== 'function';
  const name = `rollcall renew ${from}`;
  const channel = route ? attempt(() => new BroadcastChannel(name)) : undefined;
  let token; // undefined: no answer yet
  let asOf = 0; // when it was asked for, by whatever tab
  let dueAt = 0;
  let retryAt = 0; // not before
  let asking = false;
  let askedAt = Infinity; // by this tab, of whom nobody has had an answer since
  let standIn; // held where somebody may be in and there is no token: the gate has to know of the page
  let failures = 0;
  let inVain = 0; // answers in a row that brought no good token
  let unchanged = 0; // answers in a row after a navigation that brought nothing new
  let verified; // the token of which somebody ended the session, as the application was told
  let movedAt = 0; // by a navigation that nobody has been asked about since
  let lastMove = 0;
  let trouble;
  let troubleSince = 0;
  let place = here();
  let hiddenAt = Date.now();
  let last = {};

  if (channel) channel.onmessage = ({ data }) => take(data.token, data.asOf);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) hiddenAt = Date.now();
    else if (Date.now() - hiddenAt > AWAY_MS) want();
  });
  addEventListener('pageshow', ({ persisted }) => persisted && want());
  for (const type of ['turbo:load', 'htmx:afterSettle']) document.addEventListener(type, move);
  document.addEventListener('submit', submitted, { capture: true, passive: true });

  function look(now) {
    last = now;
    noteTrouble();
    if (now.fine) inVain = 0;
    if (place !== here()) move();
    if (!token && !standIn && (failures || (asking && Date.now() - askedAt > SLOW_MS))) on.hold((standIn = madeUp()));
    if (!asking && Date.now() >= Math.max(nextAt(now), retryAt)) question();
  }

  function nextAt(now) {
    return Math.min(dueAt,
      movedAt ? asOf + growing(unchanged, LONG_PAUSE_MS) : Infinity,
      now.used && token === '' ? asOf + growing(inVain + 1, LONGEST_PAUSE_MS) : Infinity,
      isWorthAsking(now) ? asOf + (inVain && growing(inVain - 1, LONGEST_PAUSE_MS)) : Infinity);
  }

  function noteTrouble() {
    const now = last.trouble?.();
    if (now !== trouble) troubleSince = Date.now();
    trouble = now;
  }

  // An unattended page begins no session anew, and who ended one is not asked twice.
  function isWorthAsking({ used }) {
    if (bySomebody(trouble)) return verified !== token;
    return trouble === 'unknown' || (trouble && used);
  }

  function move() {
    movedAt = lastMove = Date.now();
    place = here();
  }

  // Maybe a login, in a page whose address stays.
  function submitted() {
    inVain = 0;
    if (!token) want(Date.now() + PAUSE_MS / 2);
  }

  function want(at = 0) {
    dueAt = Math.min(dueAt, at);
  }

  // At once, as far as nobody is being asked.
  function ask() {
    retryAt = 0;
    want();
    if (!asking) question();
  }

  async function question() {
    const wanted = Date.now();
    asking = true;
    askedAt = wanted;
    dueAt = Infinity;
    try {
      await alone(async () => {
        if (asOf >= wanted) return; // another tab did, meanwhile
        const began = Date.now();
        const answer = await (route ? byRoute() : byFunction());
        channel?.postMessage({ token: answer, asOf: began });
        take(answer, began);
      });
    } catch {
      retryAt = Date.now() + growing(failures++, LONG_PAUSE_MS) * (1 - Math.random() / 2);
      want(retryAt);
    }
    asking = false;
  }

  // One tab after the other, where the browser has locks.
  async function alone(action) {
    let begun = false;
    const act = () => {
      begun = true;
      return action();
    };
    const locks = route && navigator.locks;
    if (locks) await locks.request(name, { signal: timeLimit(15000) }, act).catch((error) => {
      if (begun) throw error;
    });
    if (!begun) await act();
  }

  async function byFunction() {
    const late = new Promise((_, reject) => setTimeout(reject, ANSWER_MS));
    const answer = (await Promise.race([from(), late])) || '';
    if (answer && !TOKEN.test(answer)) fail('not-a-token');
    return answer;
  }

  async function byRoute() {
    const response = await fetch(from, {
      method: 'POST', mode: 'same-origin', credentials: 'same-origin', redirect: 'manual', cache: 'no-store',
      // A form of another site can not send it.
      headers: { 'X-Rollcall': 'renew', Accept: 'application/json, text/plain' }, signal: timeLimit(ANSWER_MS),
    });
    const { status, type } = response;
    if (type === 'opaqueredirect' || status === 403) on.problem?.('route', status); // may be meant, or not
    if (type === 'opaqueredirect' || [204, 401, 403].includes(status)) return '';
    // Of somebody who is in, it may as well be a proxy whose application restarts.
    if (status === 404 && !(token && last.fine)) return '';
    const text = (await response.text()).trim();
    const answer = text[0] === '{' ? (attempt(() => JSON.parse(text)) || {}).token ?? '' : text;
    if (!response.ok || (answer && !TOKEN.test(answer))) fail(response.ok ? 'not-a-token' : 'route', status);
    return answer;
  }

  function fail(what, status) {
    on.problem?.(what, status);
    throw new Error(what);
  }

  function take(answer, began) {
    if (began < asOf) return;
    noteTrouble(); // of which another tab may have said a moment ago
    const reason = trouble;
    const since = troubleSince;
    const stays = last.handled?.();
    asOf = began;
    failures = retryAt = 0;
    askedAt = Infinity;
    if (reason || answer === '') inVain++;
    if (bySomebody(reason)) verified = answer;
    if (answer !== token || standIn) {
      if (answer !== token && (!token || !answer)) inVain = unchanged = 0; // somebody came or went
      token = answer;
      if (standIn && token) on.hold();
      standIn = undefined;
      on.hold(token);
    } else {
      if (movedAt && token) unchanged++;
      if (reason && !bySomebody(reason)) on.beat(); // it may have been reported anew
    }
    if (began >= movedAt) movedAt = 0;
    if (!token && bySomebody(reason)) whenLoaded(() => stays || last.handled() || leave(reason, since));
  }

  // What a page shows that moved about when somebody logged out came with the logout, or after it.
  function leave(reason, since) {
    if (reason !== 'logout') reload();
    else setTimeout(() => token || last.handled() || lastMove > since - PAUSE_MS || reload(), OWN_LOGOUT_MS);
  }

  return { look, ask };
}

const bySomebody = (trouble) => trouble && trouble !== 'unknown' && trouble !== 'expired';
const growing = (n, most) => Math.min(most, PAUSE_MS * 2 ** n);

// A token that nobody reports: one for all tabs of a browser, which is one person.
const madeUp = () => `unreported-${attempt(() => localStorage.rollcallClient) || Math.random()}`;

// Without what may be in the query.
const here = () => location.pathname + location.hash;

function whenLoaded(action) {
  if (document.readyState === 'complete') action();
  else addEventListener('load', action);
}

// To the page that the application shows to whom it has signed out.
function reload() {
  if (attempt(() => Date.now() - (sessionStorage.rollcallReload || 0)) > RELOAD_MS) {
    sessionStorage.rollcallReload = Date.now();
    location.reload();
  }
}

function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}
