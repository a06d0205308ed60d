// The light: whether it is safe to deploy, and what the tab's title and icon say of it.
import { inZone, request } from './api.js';
import { at, h } from './dom.js';
import { countWords, shownName, STATUSES, total } from './status.js';
import { ago, until } from './time.js';
import { timeLimit } from './time-limit.js';

const WORDS = { clear: 'Clear', caution: 'Caution', hold: 'Hold', unknown: 'Unknown' };
const SIGNS = { clear: '○', caution: '◐', hold: '●', unknown: '?' };
// Loaded before they are needed: after an upgrade, the server has them at other addresses.
const ICONS = Object.fromEntries(Object.keys(WORDS).map((level) => {
  const image = new Image();
  image.src = new URL(`../base/icon${level === 'unknown' ? '' : `-${level}`}.svg`, import.meta.url);
  return [level, image];
}));
const DOUBTS = {
  unknown_token: 'a page has a token that nobody reported',
  refused_heartbeat: 'a page’s heartbeat was refused',
  refused_report: 'a login was reported and refused',
  deleted_user: 'a user was deleted who was there',
};
const UNHEARD = {
  start: 'Rollcall has just started: who is there is not known yet',
  outage: 'nothing could be recorded: who is there is not known yet',
};
const ASK_EVERY_MS = 500; // at most, however much happens
// An answer is of its moment: a server, or a network, may fall silent without any error.
const ASK_AGAIN_MS = 5000;
const ASK_AGAIN_HIDDEN_MS = 45000;
const ANSWER_WITHIN_MS = 5000;
const TRUE_FOR_MS = 15000; // from the question on: how long what is seen stands without another answer

// The light of the page: showCounts has it show what the server said of everybody, changed has it
// ask the server. Only the gate's own answer makes it clear: a list may have been under way for long.
export function gateLight() {
  const light = at('gate');
  const name = document.title;
  let asked = 0;
  let trueAt = Date.now(); // when what is shown was asked or told
  let unheard = ''; // why somebody may be there who was not heard of, where that is all of who is unidentified
  let question = 0; // the number of the last one: only its answer counts
  let timer;
  let againTimer;

  async function load() {
    const mine = ++question;
    clearTimeout(againTimer);
    const since = (asked = Date.now());
    try {
      const gate = await answer();
      const [doubted, more] = gate.unidentified;
      unheard = doubted?.doubt === 'unheard' && !more ? UNHEARD[doubted.detail] : '';
      if (mine !== question) return;
      trueAt = since;
      if (isOld()) return lookAgain(); // the computer slept in between
      show(gate.level, gate.counts);
      people(gate);
    } catch (refusal) {
      if (mine === question) showUnknown(refusal);
    }
  }

  // Waits a moment, so that what happens together is one question, but not for as long as things happen.
  function changed() {
    timer ??= setTimeout(() => {
      timer = undefined;
      load();
    }, Math.max(50, asked + ASK_EVERY_MS - Date.now()));
  }

  function show(level, counts) {
    askAgain();
    paint(level, why(level, counts, unheard));
    document.title = `${SIGNS[level]} ${total(counts)} online – Rollcall`;
  }

  function askAgain() {
    clearTimeout(againTimer);
    againTimer = setTimeout(load, document.hidden ? ASK_AGAIN_HIDDEN_MS : ASK_AGAIN_MS);
  }

  function showUnknown({ status, message }) {
    if (status !== 401) askAgain();
    paint('unknown', `Whether it is safe to deploy is not known: ${message}`);
    document.title = name;
  }

  function paint(level, words) {
    light.dataset.level = level;
    light.querySelector('strong').textContent = WORDS[level];
    light.querySelector('span').textContent = words;
    document.querySelector('link[rel=icon]').href = ICONS[level].src;
  }

  function showCounts(level, counts) {
    if (level === 'clear') return changed();
    question++;
    trueAt = Date.now();
    show(level, counts);
  }

  // By the clock, because timers stand still while a computer sleeps; it may have been set back, too.
  const isOld = () => Math.abs(Date.now() - trueAt) > TRUE_FOR_MS;

  function lookAgain() {
    if (isOld()) showUnknown({ message: 'The server has not answered for some time. Asking again.' });
    load();
  }

  load();
  setInterval(() => document.hidden || light.dataset.level === 'unknown' || (isOld() && lookAgain()), 1000);
  document.addEventListener('visibilitychange', () => document.hidden || lookAgain());
  return { changed, showCounts };
}

// A closed gate answers with 409, which is no failure.
function answer() {
  return inZone((zone) => request(`admin/gate?${new URLSearchParams(zone)}`, { expected: [409], signal: timeLimit(ANSWER_WITHIN_MS) }));
}

function why(level, counts, unheard) {
  if (level === 'clear') return 'Nobody is online. It is safe to deploy.';
  const words = countWords(counts).join(', ');
  const still = counts.still_there ? ' Who is still there works in a page whose session has ended.' : '';
  const reason = counts.unidentified === 1 && unheard ? `${unheard}.` : 'Who is unidentified may be at work and is on no record.';
  const unknown = counts.unidentified ? ` ${reason}` : '';
  return `${words}. ${level === 'hold' ? 'They would notice a deployment.' : 'Nobody is available or busy.'}${still}${unknown}`;
}

// Who is in the way, where the page has a place for it.
function people({ online, blocking, unidentified, quietest, timestamp }) {
  const list = at('in-the-way');
  if (!list) return;
  const now = Date.parse(timestamp);
  list.replaceChildren(...blocking.map((person) => h('li', {}, h('strong', { title: shownName(person) }, shownName(person)), h('span', {}, presence(person, now)))));
  if (online > blocking.length) list.append(h('li', {}, h('span', {}, `and ${(online - blocking.length).toLocaleString()} more`)));
  for (const one of unidentified) list.append(h('li', {}, h('strong', {}, 'Unidentified'), h('span', {}, doubt(one, now))));
  if (unidentified.length) list.append(h('li', {}, h('span', {}, 'What to do about who is unidentified: see ', h('a', { href: 'settings#health' }, 'Settings, Health'), '.')));
  list.hidden = !list.childElementCount;
  const quiet = at('quietest');
  quiet.hidden = !quietest || !online;
  quiet.textContent = quietest ? `It is likely to be quiet: ${quietest.words}.` : '';
}

function doubt({ doubt: kind, app, detail, seen_at: seen }, now) {
  const when = ago(now - Date.parse(seen));
  if (kind === 'unheard') return [UNHEARD[detail], when].join(' · ');
  return [DOUBTS[kind], ...detail.split(' '), app, `last ${when}`].filter(Boolean).join(' · ');
}

function presence({ status, status_text: text, status_until: end, idle_since: idle, apps, page }, now) {
  return [text ? `${STATUSES[status]}: ${text}` : STATUSES[status], until(end), idle && `last input ${ago(now - Date.parse(idle))}`, apps.join(', '), page].filter(Boolean).join(' · ');
}
