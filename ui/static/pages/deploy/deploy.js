// The page Deploy: what people are told, and keeping new ones out. Anybody who may see the
// list sees it; administrators act.
import { ask } from '../../lib/api.js';
import { at } from '../../lib/dom.js';
import { Feed } from '../../lib/feed.js';
import { gateLight } from '../../lib/gate.js';
import { signedIn } from '../../lib/session.js';
import { Clock, local } from '../../lib/time.js';
import { drainBox } from './drain.js';
import { noticeList } from './notices.js';

const RELOAD_MS = 10000; // the feed does not tell who has seen a notice

const clock = new Clock();
const user = await signedIn();
const admin = user?.access === 'admin';
const gate = gateLight();
const drain = drainBox(at('drain'), { admin, clock, changed: load });
const notices = noticeList(at('notices'), at('compose'), { admin, clock, changed: load });

let last; // when all was read
let loading = false;
let again = false;

async function load() {
  gate.changed();
  again = loading;
  if (loading) return;
  loading = true;
  try {
    const [one, other] = await Promise.all([ask('GET', 'admin/drain'), ask('GET', 'admin/notices')]);
    clock.set(one.timestamp);
    drain.show(one);
    notices.show(other.notices);
    last = new Date();
    at('stale').hidden = true;
  } catch (refusal) {
    at('stale').hidden = false;
    at('stale').textContent = last ? `Not updated since ${local(last)}: ${refusal.message}` : `Nothing could be loaded: ${refusal.message}`;
  }
  loading = false;
  if (again) load();
}

load();
setInterval(() => document.hidden || load(), RELOAD_MS);
document.addEventListener('visibilitychange', () => document.hidden || load());

// Whoever comes or goes, and what somebody else announces, is told by the feed. A burst of messages is one reload.
let reloading;
new Feed(new URL('.', location.href), '', {
  heard({ type, counts, level }) {
    if (counts) gate.showCounts(level, counts);
    if (counts || type === 'reset') gate.changed();
    if (!['online', 'offline', 'notice', 'reset'].includes(type)) return;
    clearTimeout(reloading);
    reloading = setTimeout(load, 300);
  },
  live() {},
  refused() {},
}).start();
