// The script tag that we come from, and what its attributes say. A module does not know its own, nor
// does a script that something else has run.
const { src: address, dataset: options } = document.currentScript || document.querySelector('script[src*="/heartbeat.js"]')
  || (console.warn('Rollcall: no script tag'), { dataset: {} });
export { options };
// Without a password, with which nothing can be fetched: the address of the page may hold one.
export const src = address?.replace(/\/\/[^/]*@/, '//');
export const base = options.endpoint ? new URL(options.endpoint + '/', location.origin) : src;
export const endpoint = src && new URL('admin/users/heartbeat' + (options.panel ?? ''), base); // pages of our own say so, in a query
export let asks = options.renew !== undefined; // a route or a function for the token
export let byCookie = !asks && options.token === undefined && !options.tokenFrom;
export const credentials = () => (byCookie || 'cookies' in options ? 'same-origin' : 'omit');
export const started = Date.now();

export function askFor() {
  asks = true;
  byCookie = false;
}

// This page, and this browser as pages of this origin see it: the goodbye of one takes no other one out.
export const me = `${Math.random()}`;
export const client = attempt(() => (localStorage.rollcallClient ||= me)) || me;

// False where the page prevents what would come next.
export const tell = (name, detail) => document.dispatchEvent(new CustomEvent('rollcall:' + name, { bubbles: true, cancelable: true, detail }));

// A sandbox forbids storage and channels; we do without.
export function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

const parts = {};

// A part of our own version. A server that was upgraded since has that of another version only, at
// the address that stays: so what a part takes may grow, but stays.
export const load = (name) =>
  (parts[name] ??= import(new URL(`static/built/${name}`, src))
    .catch(() => import(new URL(`${name}?${Date.now()}`, src))) // another name each time, because browsers remember failures
    .catch((error) => {
      setTimeout(() => delete parts[name], 5000);
      throw error;
    }));
