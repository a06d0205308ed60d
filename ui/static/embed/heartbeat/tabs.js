// The tabs of this browser with the same token: one of them, the leader, beats for all.
import { announce, markSeen } from './announcements.js';
import { beatNow } from './beat.js';
import { input, page } from './page.js';
import { adopt, forceBeat, forcedBeatAt, interval, lastTry } from './schedule.js';
import { attempt, load, options, src } from './script.js';
import { end, endAll, token } from './session.js';

const me = Math.random();
const peers = new Map(); // what the other tabs last said
let channel;
let leaderClosed = false; // or a tab that may have been the leader

export let leaveChannel = () => {}; // and gives up the lock
export let elects = !!navigator.locks; // absent on plain http: there, every tab beats
export let leads = false;
export let lastShared = 0; // when the other tabs last heard of our input

export function join(name) {
  const quit = new AbortController();
  let release = () => {};
  peers.clear();
  channel = attempt(() => new BroadcastChannel(name)); // without: every tab beats
  if (channel) channel.onmessage = (event) => receive(event.data);
  leaveChannel = () => {
    quit.abort();
    release();
    channel?.close();
    channel = undefined;
    leads = false;
  };
  say('hello');
  if (elects) lead(name, quit.signal, (done) => (release = done));
}

function lead(name, signal, granted) {
  const hold = (done) => {
    granted(done);
    leads = true;
    if (leaderClosed || (lastTry && Date.now() - lastTry > 1000)) beatNow(); // the leader before us is gone
    if ('live' in options) follow(signal);
  };
  navigator.locks.request(name, { signal }, () => new Promise(hold)).catch(() => {
    elects &&= signal.aborted;
  });
}

function follow(signal) {
  const on = {
    notices(notices, ahead) {
      announce(notices, ahead);
      say('state', { notices, ahead });
    },
    ended: endAll,
  };
  load('heartbeat-live.js').then((live) => live.follow(src, token, signal, on)).catch(() => {});
}

const mine = () => ({ visible: !document.hidden, page: page(), input });

// Tabs with an older or newer version of this script listen too: the names in messages stay.
export function say(type, more) {
  lastShared = Date.now();
  channel?.postMessage({ ...mine(), id: me, type, ...more });
}

function receive(said) {
  const { id, type } = said;
  if (type === 'bye') return answerBye(id);
  peers.set(id, { ...said, heard: Date.now() });
  said.seen?.forEach(markSeen);
  if (said.notices) announce(said.notices, said.ahead, said.asOf);
  if (type === 'ended') end(said.reason);
  if (type === 'beat') adopt(said.interval, said.told);
  if (type === 'hello' || type === 'beat') say('state');
}

// The server now believes that the person left: every tab still here says otherwise, late
// enough to arrive after the goodbye. A hidden tab's timers may run once a minute, so a
// hidden leader beats at once, and again after the answer. Without locks, each tab does.
function answerBye(id) {
  peers.delete(id);
  leaderClosed = true;
  forceBeat(Math.min(forcedBeatAt, Date.now() + 1000 + Math.random() * 3000));
  if (document.hidden && (leads || !elects)) beatNow();
}

// The tab that was used last speaks for the person. Of this tab it has no id.
export function mostRecentTab() {
  let best = mine();
  for (const [id, peer] of peers) {
    if (peer.heard < Date.now() - 3 * interval) peers.delete(id);
    else if (peer.input > best.input) best = peer;
  }
  return best;
}

export const anyVisible = () => [mine(), ...peers.values()].some((tab) => tab.visible);
