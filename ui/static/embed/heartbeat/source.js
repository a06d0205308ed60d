/*
 * Where else than as a text in storage a page may keep its token. heartbeat.js loads this file for those.
 */

// source is a function that reads from there; undefined where that is no source.
export function source(from) {
  const [, kind, name, path] = /^(localStorage|sessionStorage|cookie|meta):([^#]+)#?(.*)/.exec(from) || [];
  if (kind === 'cookie') return () => decodeURIComponent(('; ' + document.cookie).split(`; ${name}=`)[1].split(';')[0]);
  if (kind === 'meta') return () => document.querySelector(`meta[name="${name}"]`).content;
  if (kind) return () => path.split('.').reduce((value, key) => value[key], JSON.parse(window[kind].getItem(name)));
}
