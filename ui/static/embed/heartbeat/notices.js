/*
 * The banners of heartbeat.js, which loads this script when there is something to show.
 *
 * They stand at the bottom of the page, so as not to cover its header, in a shadow root that the
 * page's own style does not reach; in the top layer, and in the dialog or full screen that makes the
 * rest of the page inert. Looks: the --rollcall-* properties of the badge and the panel.
 */
import { button, h } from '../../lib/dom.js';
import { LEVELS, levelMark } from '../../lib/notice-levels.js';
import { styleSheet } from '../style-sheet.js';
import style from './notices.css';

const STYLE = styleSheet(style);
// What makes the rest of a page inert, and can hold a banner.
const MODAL = 'dialog[open], :fullscreen:not(video, iframe, canvas, img, object, embed)';
const cards = new Map(); // what is shown, by id
let host;
let polite; // where a screen reader reads when it has nothing else to say,
let urgent; // and where it does at once
let current = []; // all notices that there are
let saw = () => {};
let key; // under which the ids are stored of what the person dismissed
let ahead = 0; // the server's clock, which may be right where this one is not
let timer;

// Shows exactly these notices. seen is called with the id of each that a person could see; clock is
// the server's less ours. What is dismissed is stored under the person's channel name, because the
// next person has not read it.
export function show(notices, seen, clock, channelName) {
  saw = seen;
  key = `${channelName} dismissed`;
  ahead = clock || 0;
  current = notices;
  draw();
}

function draw() {
  const gone = dismissed();
  const wanted = current.filter(({ id }) => !gone.includes(id));
  if (wanted.length) mount();
  for (const [id, card] of cards) {
    if (wanted.some((notice) => notice.id === id)) continue;
    card.element.remove();
    cards.delete(id);
  }
  wanted.forEach((notice) => cards.has(notice.id) || add(notice));
  if (!cards.size) host?.remove();
  tick();
}

function tick() {
  clearTimeout(timer);
  if (!cards.size) return;
  countDown();
  mount();
  look();
  timer = setTimeout(tick, 1000);
}

function mount() {
  if (!host) {
    host = h('rollcall-notices', { popover: 'manual', click: keep, pointerdown: keep, mousedown: keep });
    const root = host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [STYLE];
    urgent = h('div', { role: 'alert' });
    polite = h('div', { role: 'status' });
    root.append(h('section', { 'aria-label': 'Announcements' }, urgent, polite));
  }
  // Again where the page has replaced its body, or closed what it was in; it may have none yet.
  if (document.body && (!host.parentElement?.matches(`body, ${MODAL}`) || !host.isConnected)) putInto(document.body);
}

// What is done to a banner in a dialog is not done to the dialog.
const keep = (event) => event.stopPropagation();

// Moved, or shown anew, it is the last in the top layer.
function putInto(parent) {
  if (host.parentElement === parent) host.hidePopover?.();
  else parent.append(host);
  host.showPopover?.();
}

function add(notice) {
  const { id, level, message } = notice;
  const rest = notice.kind === 'drain' && notice.until ? h('span', { role: 'timer', 'aria-live': 'off' }) : undefined;
  const element = h('article', { 'data-level': level, 'data-id': id },
    levelMark(level),
    h('p', {}, h('b', {}, `${LEVELS[level] || LEVELS.info}: `), message, rest),
    button('Dismiss', () => dismiss(id), { 'aria-label': `Dismiss: ${message.slice(0, 80)}` }));
  cards.set(id, { notice, element, rest });
  // In the next moment: a region that comes with its text is not read out.
  setTimeout(() => cards.get(id)?.element === element && ((level === 'critical' ? urgent : polite).append(element), look()), 50);
}

// ---- what has been seen, and what is to be seen no more ----

function look() {
  if (document.hidden) return;
  uncover();
  for (const { notice, element } of cards.values()) if (topmost(element) === host) saw(notice.id);
}

// What the person sees where a banner is: the host, unless something covers it or makes it inert.
function topmost(element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  return width ? document.elementFromPoint(left + width / 2, top + height / 2) : undefined;
}

function uncover() {
  const cover = [...cards.values()].map(({ element }) => topmost(element)).find((on) => on && on !== host);
  if (cover) putInto(cover.closest(MODAL) || document.body);
}

document.addEventListener('visibilitychange', look);

function dismissed() {
  return JSON.parse(storage()[key] || '[]');
}

const memory = {}; // without storage: until the page goes

function storage() {
  try {
    return sessionStorage || memory;
  } catch {
    return memory;
  }
}

function dismiss(id) {
  try {
    storage()[key] = JSON.stringify([...dismissed(), id].slice(-50));
  } catch {
    // full
  }
  draw();
  // Whoever dismisses with the keyboard goes on from the next one.
  host.shadowRoot.querySelector('button')?.focus();
}

// ---- time ----

function countDown() {
  const now = Date.now() + ahead;
  for (const { notice, element, rest } of cards.values()) {
    if (!notice.until) continue;
    const left = Date.parse(notice.until) - now;
    if (rest) rest.textContent = left > 0 ? `You will be signed out in ${seconds(left)}.` : 'You are being signed out.';
    else element.hidden = left <= 0; // the next heartbeat says so too
    if (element.hidden) element.remove();
  }
}

function seconds(ms) {
  const all = Math.ceil(ms / 1000);
  const minutes = Math.floor(all / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${all % 60} s` : `${all} s`;
}
