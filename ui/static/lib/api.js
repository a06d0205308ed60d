// Calls to the API. Every page of ours lies at the server's root, so that plain relative
// addresses work behind a base path too.
import { timeLimitWithin } from './time-limit.js';

export class Refusal extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

// The answer to a request; throws a Refusal, with status 0 when there was no answer. Without a
// token, this origin's cookie tells who asks. expected are further statuses that are no refusal.
export async function request(url, { method = 'GET', token, body, signal, expected = [] } = {}) {
  const response = await fetch(url, {
    method,
    headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
    credentials: token ? 'omit' : 'same-origin',
    cache: 'no-store',
    signal: timeLimitWithin(20000, signal),
  }).catch(() => {
    throw new Refusal(0, 'unreachable', 'The server cannot be reached.');
  });
  const answer = await response.json().catch(() => ({}));
  if (answer.success || expected.includes(response.status)) return answer;
  const words = answer.error || `The server answered with status ${response.status}.`;
  throw new Refusal(response.status, answer.code, words, Number(response.headers.get('Retry-After')) || 0);
}

export const ask = (method, path, body, expected) => request(path, { method, body, expected });

// Asks in this browser's time zone, or else in the server's, which may know fewer.
export async function inZone(question) {
  const { timeZone: tz } = Intl.DateTimeFormat().resolvedOptions();
  try {
    return await question({ tz });
  } catch (refusal) {
    if (refusal.status !== 400) throw refusal;
    return question({});
  }
}

// Where this server is, as other machines would write it: no slash at the end.
export function baseAddress() {
  return new URL('.', location.href).href.replace(/\/$/, '');
}
