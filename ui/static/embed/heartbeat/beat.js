// The heartbeat: what is said to the server, and what its answer means.
import { timeLimit } from '../../lib/time-limit.js';
import { announce, sent, unsent } from './announcements.js';
import { anyVisible, leading, mostRecentTab, say } from './channel.js';
import { adopt, backOff, began, interval, lastReported, mayBeat, plan, refused, retry } from './schedule.js';
import { attempt, byCookie, client, credentials, endpoint, started } from './script.js';
import { ended, endAll, quiet, revive, silent, token } from './session.js';
import { become } from './state.js';
import { readToken } from './token.js';

let inFlight = false;
let again = false;

export async function beat() {
  again = inFlight;
  if (inFlight || silent || token === undefined || token !== readToken() || !mayBeat() || (ended && !inUse())) return;
  inFlight = true;
  began();
  await ask(token, report());
  inFlight = false;
  if (again) beat();
}

export function beatNow() {
  beat();
  again ||= document.hidden;
}

// Whoever was asked to leave is told of only while somebody works there.
export const inUse = () => anyVisible() && Date.now() - mostRecentTab().input < 300000;

// What was under way when the page froze may never be answered.
export function giveUpAnswer() {
  inFlight = false;
}

function report() {
  const { page, input: last } = mostRecentTab();
  // Where the clock was set back, the server takes a negative one as none.
  return { idle_ms: Date.now() - (last || started), visible: anyVisible(), page, seen: unsent() };
}

export const headers = () => ({
  'Content-Type': 'application/json',
  ...(token && credentials() === 'omit' && { Authorization: 'Bearer ' + token }),
});

const request = (said, init) => ({
  method: 'POST',
  body: JSON.stringify({ sessionToken: token, client, ...said }),
  credentials: credentials(),
  // The Referer would show the query.
  referrerPolicy: 'origin',
  ...init,
});

async function ask(asked, said) {
  const asOf = Date.now();
  try {
    const response = await fetch(endpoint, request(said, { headers: headers(), signal: timeLimit(20000) }));
    const answer = await response.json().catch(() => ({}));
    if (asked === token) handleResponse(response, answer, said, asOf);
  } catch {
    if (asked !== token) return;
    become(undefined, { endpoint });
    retry();
  }
}

function handleResponse({ status, headers }, answer, said, asOf) {
  if (answer.success) {
    revive(asOf);
    adopt(answer.next_heartbeat_ms, { page: said.page, idle: answer.idle }, leading(true));
    const { notices = [], timestamp } = answer;
    const ahead = Date.parse(timestamp) - Date.now();
    sent(said.seen);
    announce(notices, ahead, asOf);
    say('beat', { interval, told: lastReported, notices, ahead, asOf });
  } else if (answer.code === 'session_ended') {
    refused(answer.next_heartbeat_ms, leading(true));
    if (answer.end_reason) {
      endAll(answer.end_reason);
    } else {
      backOff();
      quiet();
    }
  } else if (status === 429 || status > 499) {
    become('offline');
    retry(headers.get('Retry-After'));
  } else {
    // Refused: asking more often will not help.
    if (byCookie && status === 400) become('signed-out'); // no cookie, and no word of a proxy
    else become('refused', { endpoint, status, code: answer.code });
    plan(leading(true));
  }
}

// The goodbye is made beforehand: in a page that goes, Firefox loses what comes after any work.
// Text with the token inside needs no preflight; there is no time for one.
let goodbye;
let goodbyeAsBeacon;

export function prepareGoodbye() {
  const type = byCookie ? 'application/json' : 'text/plain';
  goodbye = request({ leaving: true }, { keepalive: true, headers: { 'Content-Type': type }, mode: byCookie ? 'cors' : 'no-cors' });
  goodbyeAsBeacon = new Blob([goodbye.body], { type });
}

// Twice, because each way is closed somewhere: a request of a page that goes in older browsers, a
// beacon to another site by blockers. A beacon's Referer may show the query, where there is one.
export function sayGoodbye() {
  fetch(endpoint, goodbye).catch(() => {});
  if (!location.search) attempt(() => navigator.sendBeacon(endpoint, goodbyeAsBeacon));
  say('bye');
}
