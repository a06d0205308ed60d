// Calls to our own server. Every page lies at the server's root, so that plain relative
// addresses work behind a base path too.

export class Refusal extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

// The answer to a request; throws a Refusal, with status 0 when there was no answer.
// expected are further statuses that are no refusal.
export async function ask(method, path, body, expected = []) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    signal: AbortSignal.timeout(20000),
  }).catch(() => {
    throw new Refusal(0, 'unreachable', 'The server cannot be reached. Is it running?');
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok || expected.includes(response.status)) return answer;
  const words = answer.error || `The server answered with status ${response.status}.`;
  throw new Refusal(response.status, answer.code, words, Number(response.headers.get('Retry-After')) || 0);
}

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
