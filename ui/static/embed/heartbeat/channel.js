// The tabs of this browser with the same token: what they tell each other, and which of them is the
// leader, who beats for all.
import { input, page } from './page.js';
import { interval } from './schedule.js';
import { attempt, me } from './script.js';

const peers = new Map(); // what the other tabs last said
let channel;
let elects = !!navigator.locks; // absent on plain http: there, every tab beats
let leads = false;

export let channelName; // of these tabs, and of what the person dismissed
export let leaveChannel = () => {}; // and gives up the lock
export let lastShared = 0; // when the other tabs last heard of our input

// hear is called with what another tab says, lead when this one leads.
export function join(name, hear, lead) {
  const quit = new AbortController();
  let release = () => {};
  channelName = name;
  peers.clear();
  channel = attempt(() => new BroadcastChannel(name)); // without: every tab beats
  if (channel) channel.onmessage = (event) => receive(event.data, hear);
  leaveChannel = () => {
    quit.abort();
    release();
    channel?.close();
    channel = undefined;
    leads = false;
  };
  say('hello');
  if (!elects) return;
  elect(name, quit.signal, (done) => {
    release = done;
    leads = true;
    lead();
  });
}

function elect(name, signal, hold) {
  navigator.locks.request(name, { signal }, () => new Promise(hold)).catch(() => {
    elects &&= signal.aborted;
  });
}

// Without locks, whoever beat last leads.
export const leading = (beatLast) => (elects ? leads : beatLast);

const mine = () => ({ visible: !document.hidden, page: page(), input });

// Tabs with an older or newer version of this script listen too: the names in messages stay.
export function say(type, more) {
  lastShared = Date.now();
  channel?.postMessage({ ...mine(), id: me, type, ...more });
}

function receive(said, hear) {
  if (said.type === 'bye') peers.delete(said.id);
  else peers.set(said.id, { ...said, heard: Date.now() });
  hear(said);
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
