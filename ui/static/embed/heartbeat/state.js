// What has become of the heartbeats, for the page and for whoever sets it up.
import { load, options, tell } from './script.js';

export let state = 'starting';

// now is undefined where only looking into it tells what became of a request without an answer.
// problem is what the page is warned of, once.
export function become(now, problem) {
  if (problem || 'debug' in options) {
    load('heartbeat-explain.js').then(({ explain }) => explain(now, problem, options, become))
      .catch(() => (now ? now !== state && console.warn('Rollcall:', now, problem) : become('offline')));
  }
  if (now && now !== state) tell('state', { state: (state = now) });
}
