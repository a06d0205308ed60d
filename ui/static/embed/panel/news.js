// What the feed tells, brought into the part of a list that is shown, as the server would answer the same question.
import { personKey, total } from '../../lib/status.js';

const PANEL = 'rollcall'; // an app of which the feed does not tell

// As texts are searched and sorted by the server, as far as they are Latin without and with accents.
const fold = (text) => text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
const searched = (user) => fold([user.name, user.email, user.id, user.role, user.team_name].join('\n'));
const compareTexts = (a, b) => (a > b) - (a < b);

// By sort. With the latest activity first, whoever comes is the first.
const ORDERS = {
  name: (a, b) => compareTexts(searched(a), searched(b)),
  duration: (a, b) => Date.parse(a.session_started_at) - Date.parse(b.session_started_at),
};

// Whether somebody is among those who are asked for, whatever their status; undefined where only the server can tell:
// in one of several apps they may have begun, and have a status, of their own, and other scripts fold in other ways.
function fits(user, { q, app, organization, team, role }) {
  if (app === PANEL) return undefined;
  if ((organization && user.organization_name !== organization) || (team && user.team_name !== team)) return false;
  if (app && !user.apps.includes(app) && user.status !== 'offline') return false;
  const text = `${searched(user)} ${fold(user.organization_name)}`;
  const sure = !(q || role) || !/[^\0-\x7f]/.test(text + fold(q));
  if (sure && ((role && fold(user.role) !== fold(role)) || !text.includes(fold(q)))) return false;
  return sure && !(app && user.apps.length > 1) ? true : undefined;
}

// Returns the page as it is after the news, and whether the server is to be asked: soon, because the page may be wrong,
// or later, because only how many there are beyond it may be.
export function bringIn(news, page, { params, filtered }, wanted) {
  const users = [...page.users];
  const counts = { ...page.counts };
  const whole = !page.next_cursor;
  let soon = false;
  let later = false;
  for (const { type, user } of news) {
    if (!user) continue; // it is about those who are in no list
    const gone = type === 'offline';
    const at = users.findIndex((one) => personKey(one) === personKey(user));
    const before = users[at];
    const fit = gone && before ? true : fits(user, params);
    if (fit === undefined || (gone && params.app === PANEL)) {
      soon = true;
      continue;
    }
    const listed = fit && !gone && (!params.status || user.status === params.status);
    if (before) {
      counts[before.status]--;
      users.splice(at, 1, ...(listed ? [user] : [])); // in their place until the list is read again
    } else if (listed) {
      insert(users, user, ORDERS[params.sort], whole, type);
    }
    if (listed && (before || whole || type === 'online')) counts[user.status]++;
    else if (filtered && fit && !before && !whole) later = true; // did they count before?
  }
  if (!whole) {
    users.splice(wanted);
    soon ||= users.length < wanted / 2;
  }
  return { page: { ...page, users, ...standing(news.at(-1), counts, filtered, page) }, soon: soon || (filtered && page.count > 0 && !total(counts)), later };
}

function insert(users, user, compare, whole, type) {
  const first = whole || type === 'online' ? 0 : -1; // who was there before is further down, or would be shown
  const at = compare ? users.findIndex((one) => compare(user, one) < 0) : first;
  if (at >= 0) users.splice(at, 0, user);
  else if (whole) users.push(user);
}

// How many there are, and what that means. The server said it of everybody; of those who match it is the same rule, but
// that nobody is in the way only the server may say.
function standing({ counts: all, level }, counts, filtered, page) {
  if (!filtered) return { counts: all, level, count: total(all) };
  const count = total(counts);
  const worse = counts.available || counts.busy ? 'hold' : 'caution';
  return { counts, level: count ? worse : page.level, count };
}
