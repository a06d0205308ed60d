// Where the token comes from a route of the host or a function of the page: a script of its own asks.
import { inUse } from './beat.js';
import { lastReported } from './schedule.js';
import { askFor, load, options } from './script.js';
import { handled, stopped, trouble } from './session.js';
import { become } from './state.js';
import { give } from './token.js';

let from = options.renew && new URL(options.renew, location.origin).href;
let renewal;
let identity;
const byFunction = () => identity();

// Every second. changed is called with each new token, and with the same one that may be good again.
export function lookForToken(changed) {
  if (!from || stopped) return;
  if (renewal) return renewal.look({ fine: 'idle' in lastReported, trouble, used: inUse(), handled: () => handled || stopped });
  load('heartbeat-renew.js').then((part) => {
    renewal ??= part.renewal(from, {
      hold(token) {
        give(token);
        if (token === '') become('signed-out');
        changed();
      },
      beat: () => changed(true),
      problem: (what, status) => become(undefined, { what, status }),
    });
    changed();
  }).catch(() => {});
}

export function identify(ask) {
  identity = ask;
  askFor();
  if (from === byFunction) return askNow();
  from = byFunction;
  renewal = undefined;
}

export const askNow = () => renewal?.ask();
