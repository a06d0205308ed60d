/*
 * Rollcall for applications that are built of modules. It loads the scripts of a server into the page, so that no
 * bundle holds an old version of them; rollcall.d.mts has the types.
 *
 *   import { heartbeat, panel } from './rollcall.mjs'; // a copy of this file, or https://rollcall.example/rollcall.mjs
 *   await heartbeat('https://rollcall.example', { renew: '/rollcall/token' });
 */
const loading = {};

// Resolves with window.rollcall. Options are the data attributes of heartbeat.js, {tokenFrom: 'cookie:token'} for
// data-token-from, and identify, an async function for the token.
export async function heartbeat(server, { identify, ...options } = {}) {
  if (!window.rollcall?.beat) await load(server, 'heartbeat.js', identify ? { renew: '', ...options } : options);
  if (identify) window.rollcall.identify(identify);
  return window.rollcall;
}

// Resolve once the element is defined.
export const panel = (server) => load(server, 'online-users-panel.js');
export const badge = (server) => load(server, 'online-users-badge.js');

function load(server, name, options = {}) {
  loading[name] ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    for (const [option, value] of Object.entries(options)) {
      if (value !== undefined && value !== false) script.dataset[option] = value === true ? '' : value;
    }
    script.onload = () => resolve();
    script.onerror = () => {
      delete loading[name];
      script.remove();
      reject(new Error(`${script.src} could not be loaded`));
    };
    script.async = true;
    script.src = new URL(name, new URL(server, document.baseURI).href.replace(/\/?$/, '/'));
    document.head.append(script);
  });
  return loading[name];
}
