// The notices of the server: told to the page by an event, and shown by a script of its own.
import { channelName, say } from './channel.js';
import { load, options, tell } from './script.js';

let last = '[]'; // the notices that were announced last
export let noticesAsOf = 0; // an answer may come later than news that it lacks
const counted = new Set(); // notices that a person could see
const unreported = new Set(); // and of these, what the server has not heard of

// ahead is the server's clock less ours, asOf when the server was asked.
export function announce(notices, ahead, asOf = Date.now()) {
  if (asOf < noticesAsOf) return;
  noticesAsOf = asOf;
  const text = JSON.stringify(notices);
  const news = text !== last;
  last = text;
  if (news) tell('notices', { notices });
  if (options.notices === 'off' || !(news || notices[0])) return;
  // The same ones too: the page may have replaced its body, or the script was out of reach.
  load('heartbeat-notices.js').then(({ show }) => text === last && show(notices, saw, ahead, channelName)).catch(() => {});
}

// Whoever beats next tells the server.
function saw(id) {
  if (counted.has(id)) return;
  counted.add(id);
  unreported.add(id);
  say('state', { seen: [id] });
}

export const markSeen = (id) => unreported.add(id);
export const unsent = () => [...unreported].slice(0, 20);
export const sent = (ids) => ids.forEach((id) => unreported.delete(id));

export function forgetNotices() {
  unreported.clear();
  counted.clear();
}

export function forgetAsOf() {
  noticesAsOf = 0;
}
