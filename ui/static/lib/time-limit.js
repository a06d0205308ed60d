// A signal that aborts after so many milliseconds, and when another one does. By hand: browsers
// of 2022 have no AbortSignal.timeout, and those of 2023 no AbortSignal.any.
export function timeLimit(ms, signal) {
  const limit = new AbortController();
  const abort = () => limit.abort();
  setTimeout(abort, ms);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  return limit.signal;
}
