// What the person does in this tab: which page it shows, and when there last was input.
import { attempt, options, started } from './script.js';

export let input = document.hidden ? 0 : started;
let ownPage = options.page;

export function setPage(path) {
  ownPage = path;
}

// At most 200 characters, of which one may be several escapes, and a route in the fragment.
const SHOWN = /^(#!?(?=\/))?(%[c-f]\w(%[89ab]\w)+|%\w\w|[^?#]){0,200}/iu;

// Query and fragment never leave the browser.
export function page() {
  const { pathname, hash } = location;
  const shown = ownPage === 'hash' ? (/^#!?\//.test(hash) ? hash : pathname) : (ownPage ?? pathname);
  // Where the mask is no expression, nothing is shown.
  return shown === 'off' ? undefined : attempt(() => SHOWN.exec(`${shown}`.replace(RegExp(options.pageMask || '(?!)', 'gi'), '*'))[0]);
}

// The person came back to this tab.
export function returned() {
  return (input = Date.now());
}

// A resting cursor makes events too when the page moves; they are not input.
function touch(event, heard) {
  const now = Date.now();
  if (!event.isTrusted || now - input < 1000) return;
  if (event.type === 'pointermove' && !event.movementX && !event.movementY) return;
  input = now;
  heard(now);
}

// heard is told of input, at most once a second.
export function watchInput(heard) {
  const listen = (event) => touch(event, heard);
  for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel']) {
    addEventListener(type, listen, { capture: true, passive: true });
  }
}
