// Time limits by hand: browsers of 2022 have no AbortSignal.timeout, and those of 2023 no AbortSignal.any.

// A signal that aborts after so many milliseconds.
export function timeLimit(ms) {
  const limit = new AbortController();
  setTimeout(() => limit.abort(), ms);
  return limit.signal;
}

// The same, which aborts when another one does, too, if there is one.
export function timeLimitWithin(ms, signal) {
  const limit = new AbortController();
  const abort = () => limit.abort();
  setTimeout(abort, ms);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  return limit.signal;
}
