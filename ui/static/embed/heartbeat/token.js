// The token, where the attributes say that it is.
import { asks, attempt, byCookie, options } from './script.js';
import { become, state } from './state.js';

let given = ''; // by whom was asked for it

export function give(token) {
  given = token;
}

// '' where there is none.
export const readToken = () => (asks ? given : attempt(read) || '');

function read() {
  if (byCookie) return '';
  if (options.token !== undefined) return options.token;
  const [, kind, name, path] = /^(localStorage|sessionStorage|cookie|meta):([^#]+)#?(.*)/.exec(options.tokenFrom) || [];
  if (!kind) return become(state, { what: 'source' });
  if (kind === 'cookie') return decodeURIComponent(readCookie(name));
  if (kind === 'meta') return document.querySelector(`meta[name="${name}"]`).content;
  const text = window[kind].getItem(name);
  if (path) return path.split('.').reduce((value, key) => value[key], JSON.parse(text));
  // Some frameworks keep strings as JSON, in quotes.
  return text.replace(/^"(.*)"$/, '$1');
}

function readCookie(name) {
  return ('; ' + document.cookie).split(`; ${name}=`)[1].split(';')[0];
}

// Only so that no name shows the token.
export function hash(text) {
  let a = 1;
  let b = 7;
  for (const c of text) {
    a = Math.imul(a, 33) ^ c.charCodeAt();
    b = Math.imul(b, 31) ^ c.charCodeAt();
  }
  return `${a} ${b}`;
}
