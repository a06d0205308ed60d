/*
 * The banners of heartbeat.js, which loads this file when there is something to show.
 *
 * They stand at the bottom of the page, so as not to cover its header, in a shadow root that the
 * page's own style does not reach. Looks: the --rollcall-* properties of the badge and the panel.
 */
const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
:host {
  --bg: var(--rollcall-bg, light-dark(#fff, #181c22));
  --text: var(--rollcall-text, light-dark(#15181e, #e7eaef));
  --muted: var(--rollcall-muted, light-dark(#5b6270, #9aa3b0));
  --border: var(--rollcall-border, light-dark(#c9ced6, #3a424e));
  --info: var(--rollcall-accent, light-dark(#2f5bd0, #85a9ff));
  --warning: var(--rollcall-away, light-dark(#8a5b00, #dba642));
  --critical: var(--rollcall-busy, light-dark(#bf2c2c, #ff8379));
  all: initial; color-scheme: light dark; position: fixed; z-index: 2147483000; inset: auto 0 0; display: block; pointer-events: none;
  font: 14px/20px var(--rollcall-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
}
section { box-sizing: border-box; display: grid; gap: 8px; max-width: 640px; max-height: 60vh; margin: 0 auto; overflow-y: auto;
  padding: 8px max(12px, env(safe-area-inset-right)) max(16px, env(safe-area-inset-bottom)) max(12px, env(safe-area-inset-left)) }
section > div { display: grid; gap: 8px }
section > div:empty { display: none }
article { pointer-events: auto; display: flex; align-items: start; gap: 12px; padding: 12px 8px 12px 16px; background: var(--bg); color: var(--text);
  border: 1px solid var(--border); border-radius: 8px; box-shadow: 0 4px 16px #0003 }
article[data-level=warning] { border-color: var(--warning) }
article[data-level=critical] { border-color: var(--critical); border-width: 2px }
svg { flex: none; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; color: var(--info) }
[data-level=warning] :is(svg, b) { color: var(--warning) }
[data-level=critical] :is(svg, b) { color: var(--critical) }
b { font-weight: 600; color: var(--info) }
p { flex: 1; min-width: 0; margin: 0; overflow-wrap: anywhere }
[role=timer] { display: block; color: var(--muted); font-variant-numeric: tabular-nums }
button { flex: none; height: 32px; margin: -6px 0; padding: 0 8px; border: 0; border-radius: 6px; background: none; color: var(--muted); font: inherit; cursor: pointer }
button:hover { background: light-dark(#0001, #fff2); color: var(--text) }
button:focus-visible { outline: 2px solid var(--info); outline-offset: -1px }
`);

const WORDS = { info: 'Notice', warning: 'Warning', critical: 'Urgent' };
// Told apart by their outline too: a circle, a triangle, an octagon.
const SHAPES = {
  info: 'M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20M12 11v6M12 7v0',
  warning: 'M12 3L22 20H2ZM12 10v4M12 17v0',
  critical: 'M8 2H16L22 8V16L16 22H8L2 16V8ZM12 7v6M12 17v0',
};

const cards = new Map(); // what is shown, by id
let host;
let polite; // where a screen reader reads when it has nothing else to say,
let urgent; // and where it does at once
let current = []; // all notices that there are
let seen = () => {};
let store; // where the ids are kept of what the person dismissed
let ahead = 0; // the server's clock, which may be right where this one is not
let timer;

// Shows exactly these notices. saw is called with the id of each that a person could see.
// What is dismissed is kept under the name of who: the next person has not read it.
export function show(notices, saw, clock, who) {
  seen = saw;
  store = `${who} dismissed`;
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
  count();
  look();
}

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function mount() {
  if (!host) {
    host = make('rollcall-notices', '');
    const root = host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [SHEET];
    const all = make('section', '', { 'aria-label': 'Announcements' });
    urgent = make('div', '', { role: 'alert' });
    polite = make('div', '', { role: 'status' });
    all.append(urgent, polite);
    root.append(all);
  }
  // Again where the page has replaced its body.
  if (!host.isConnected) document.body.append(host);
}

function add(notice) {
  const { id, level, message } = notice;
  const words = make('p', '');
  words.append(make('b', `${WORDS[level] || WORDS.info}: `), message);
  const rest = notice.kind === 'drain' && notice.until && make('span', '', { role: 'timer', 'aria-live': 'off' });
  if (rest) words.append(rest);
  const button = make('button', 'Dismiss', { type: 'button', 'aria-label': `Dismiss: ${message.slice(0, 80)}` });
  const element = make('article', '', { 'data-level': level, 'data-id': id });
  element.append(shape(level), words, button);
  button.addEventListener('click', () => dismiss(id));
  cards.set(id, { notice, element, rest });
  // In the next moment: a region that comes with its text is not read out.
  setTimeout(() => cards.get(id)?.element === element && (level === 'critical' ? urgent : polite).append(element), 50);
}

function shape(level) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS(svg.namespaceURI, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', SHAPES[level] || SHAPES.info);
  svg.append(path);
  return svg;
}

// ---- what has been seen, and what is to be seen no more ----

function look() {
  if (document.hidden) return;
  for (const { notice } of cards.values()) seen(notice.id);
}

document.addEventListener('visibilitychange', look);

function dismissed() {
  return JSON.parse(storage()[store] || '[]');
}

function storage() {
  try {
    return sessionStorage || memory;
  } catch {
    return memory;
  }
}

const memory = {}; // without storage: until the page goes

function dismiss(id) {
  try {
    storage()[store] = JSON.stringify([...dismissed(), id].slice(-50));
  } catch {
    // full
  }
  draw();
  // Whoever dismisses with the keyboard goes on from the next one.
  host.shadowRoot.querySelector('button')?.focus();
}

// ---- time ----

function count() {
  clearTimeout(timer);
  const now = Date.now() + ahead;
  let ticks = false;
  for (const { notice, element, rest } of cards.values()) {
    if (!notice.until) continue;
    ticks = true;
    const left = Date.parse(notice.until) - now;
    if (rest) rest.textContent = left > 0 ? `You will be signed out in ${words(left)}.` : 'You are being signed out.';
    else element.hidden = left <= 0; // the next heartbeat says so too
    if (element.hidden) element.remove();
  }
  if (ticks) timer = setTimeout(count, 1000);
}

function words(ms) {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
