// The light: whether it is safe to deploy, and what the tab's title and icon say of it.
import { ask, inZone } from './api.js';
import { h } from './dom.js';
import { shownName } from './session-words.js';
import { ago, local } from './time.js';

const WORDS = { clear: 'Clear', caution: 'Caution', hold: 'Hold', unknown: 'Unknown' };
const SIGNS = { clear: '○', caution: '◐', hold: '●', unknown: '?' };
// Loaded now: once the server is upgraded, it has no longer those of this version.
const ICONS = Object.fromEntries(Object.keys(WORDS).map((level) => {
  const image = new Image();
  image.src = new URL(`../base/icon${level === 'unknown' ? '' : `-${level}`}.svg`, import.meta.url);
  return [level, image];
}));
const REST = 500; // ms between two questions, however much happens
const SILENCE = 45000; // ms after which what was said last may not be true any more

// The light of the page. What it is told of everybody online it shows at once; changed has
// it ask the server.
export function gateLight() {
  const light = document.querySelector('[data-gate]');
  const name = document.title;
  let asked = 0;
  let turn = 0; // an answer to what was asked in an earlier one is old
  let timer;
  let silence;

  async function look() {
    const mine = ++turn;
    asked = Date.now();
    try {
      const gate = await answer();
      if (mine !== turn) return;
      show(gate.level, gate.counts);
      people(gate);
    } catch (refusal) {
      if (mine === turn) doubt(refusal.message);
    }
  }

  // Waits a moment, so that what happens together is one question.
  function changed() {
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(50, asked + REST - Date.now()));
  }

  function show(level, counts) {
    clearTimeout(silence);
    silence = setTimeout(doubt, SILENCE, `the server has said nothing since ${local(Date.now())}`);
    paint(level, why(level, counts));
    document.title = `${SIGNS[level]} ${counts.busy + counts.available + counts.away} online – Rollcall`;
  }

  function doubt(words) {
    paint('unknown', `Whether it is safe to deploy is not known: ${words}`);
    document.title = name;
  }

  function paint(level, words) {
    light.dataset.level = level;
    light.querySelector('strong').textContent = WORDS[level];
    light.querySelector('span').textContent = words;
    document.querySelector('link[rel=icon]').href = ICONS[level].src;
  }

  function tell(counts) {
    turn++;
    show(levelOf(counts), counts);
  }

  look();
  return { changed, tell };
}

// The rule of the server, where nobody may be disturbed.
function levelOf({ busy, available, away }) {
  if (busy || available) return 'hold';
  return away ? 'caution' : 'clear';
}

// A closed gate answers with 409, which is no failure.
function answer() {
  return inZone((zone) => ask('GET', `admin/gate?${new URLSearchParams(zone)}`, undefined, [409]));
}

function why(level, counts) {
  if (level === 'clear') return 'Nobody is online. It is safe to deploy.';
  const parts = [[counts.busy, 'busy'], [counts.available, 'active'], [counts.away, 'away']].filter(([n]) => n);
  const words = parts.map(([n, word]) => `${n.toLocaleString()} ${word}`).join(', ');
  return level === 'hold' ? `${words}. They would notice a deployment.` : `${words}. Nobody is active.`;
}

// Who is in the way, where the page has a place for it.
function people({ online, blocking, quietest, timestamp }) {
  const list = document.querySelector('[data-in-the-way]');
  if (!list) return;
  const now = Date.parse(timestamp);
  list.replaceChildren(...blocking.map((person) => h('li', {}, h('strong', { title: shownName(person) }, shownName(person)), h('span', {}, presence(person, now)))));
  if (online > blocking.length) list.append(h('li', {}, h('span', {}, `and ${(online - blocking.length).toLocaleString()} more`)));
  list.hidden = !blocking.length;
  const quiet = document.querySelector('[data-quietest]');
  quiet.hidden = !quietest || !online;
  quiet.textContent = quietest ? `It is likely to be quiet: ${quietest.words}.` : '';
}

function presence({ status, status_text: text, status_until: until, idle_since: idle, apps, page }, now) {
  const doing = { busy: 'Busy', away: 'Away', available: 'Active' }[status];
  return [text ? `${doing}: ${text}` : doing, until && `until ${local(until)}`, idle && `last input ${ago(now - Date.parse(idle))}`, apps.join(', '), page].filter(Boolean).join(' · ');
}
