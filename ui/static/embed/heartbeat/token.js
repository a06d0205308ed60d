// The token, where the attributes say that it is.
import { asks, attempt, byCookie, load, options } from './script.js';
import { token } from './session.js';
import { become, state } from './state.js';

let given = ''; // by whom was asked for it
let readSource; // for all sources but a text in storage: a script of its own

export function give(token) {
  given = token;
}

// '' where there is none.
export function readToken() {
  if (asks) return given;
  if (byCookie) return '';
  const from = options.tokenFrom;
  if (options.token !== undefined) return options.token;
  const [, kind, key] = /^(local|session)Storage:([^#]+)$/.exec(from) || [];
  if (kind) return attempt(() => text(window[kind + 'Storage'].getItem(key))) || '';
  if (readSource) return attempt(() => readSource()) || '';
  load('heartbeat-source.js').then(({ source }) => {
    readSource ??= source(from) || become(state, { what: 'source' }) || (() => '');
  }).catch(() => {});
  return token;
}

// Some frameworks keep strings as JSON, in quotes.
const text = (stored) => stored.replace(/^"(.*)"$/, '$1');

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
