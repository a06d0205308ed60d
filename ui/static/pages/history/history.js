// The page History: how many people were online, when it is quiet, and who was on at a
// time.
import { changedQuery, here, visit } from '../../lib/address.js';
import { ask, inZone, Refusal } from '../../lib/api.js';
import { choose, fillChoices } from '../../lib/choices.js';
import { at, h, tryAgain } from '../../lib/dom.js';
import { signedIn } from '../../lib/session.js';
import { Clock, DAY, duration, local } from '../../lib/time.js';
import { Days } from './days.js';
import { OnlineAt } from './online-at.js';
import { crowd, quietList } from './quiet.js';
import { Timeline } from './timeline.js';
import { Week } from './week.js';
import { instant, people } from './words.js';

const RELOAD_MS = 60000;
// Each with its length, and the step between two points on wide and on narrow screens.
const RANGES = { '24h': [DAY, '5m', '10m'], '7d': [7 * DAY, '15m', '1h'], '30d': [30 * DAY, '1h', '3h'], '90d': [90 * DAY, '6h', '12h'] };
const narrow = matchMedia('(max-width: 619px)');
const LEAST_DAYS = 30; // that are shown as bars, however short the range is

const form = at('filters');
const clock = new Clock();
const timeline = new Timeline(askOnlineAt);
const week = new Week();
const days = new Days();
const onlineAt = new OnlineAt(at('online-at'), closeOnlineAt);
const page = { asked: undefined, loaded: 0 };

// ---- the address ----

const go = (changes) => visit('history', changedQuery(changes));

// Brings the form in line with the address, and loads what that means.
function arrive() {
  const query = here();
  const range = RANGES[query.get('range')] ? query.get('range') : '24h';
  form.querySelector(`[name=range][value="${range}"]`).checked = true;
  for (const name of ['app', 'organization']) choose(form.elements[name], query.get(name) || '');
  load();
  showOnlineAt();
}

function filters() {
  const query = here();
  return Object.fromEntries(['app', 'organization'].map((name) => [name, query.get(name)]).filter(([, value]) => value));
}

// ---- loading ----

const activity = (span, step) => {
  const from = new Date(clock.now() - span).toISOString();
  return ask('GET', `admin/stats/activity?${new URLSearchParams({ from, step, ...filters() })}`);
};

const heatmap = () => inZone((zone) => ask('GET', `admin/stats/heatmap?${new URLSearchParams({ ...zone, ...filters() })}`));

// Only the latest question counts.
async function load() {
  const asked = (page.asked = {});
  const [span, wide, slim] = RANGES[form.elements.range.value];
  const step = narrow.matches ? slim : wide;
  const question = JSON.stringify([span, filters()]);
  try {
    const [over, daily, hours] = await Promise.all([activity(span, step), span < LEAST_DAYS * DAY ? activity(LEAST_DAYS * DAY, '24h') : undefined, heatmap()]);
    if (asked !== page.asked) return;
    clock.set(over.timestamp);
    page.loaded = Date.now();
    page.question = question;
    stale();
    show(over, (daily || over).days, hours);
  } catch (refusal) {
    if (asked !== page.asked) return;
    if (!(refusal instanceof Refusal)) throw refusal;
    stale(refusal, question);
  }
}

function show(over, daily, hours) {
  const fresh = over.since === null;
  put(at('chart'), fresh ? beginning() : timeline.element);
  if (!fresh) timeline.show(over);
  figures(over);
  put(at('quiet'), quietList(hours, clock.now()));
  at('quiet-words').textContent = crowd(hours);
  put(at('week'), fresh ? blank('Fills as people come and go.') : week.element);
  if (!fresh) week.show(hours);
  at('days-words').textContent = daily.length ? `In UTC${Object.keys(filters()).length ? ', of everybody' : ''}` : '';
  put(at('days'), daily.length ? days.element : blank('The first day shows within a minute.'));
  days.show(daily);
}

const blank = (words) => h('p', { class: 'blank' }, words);

function beginning() {
  return h('div', { class: 'blank' }, h('strong', {}, 'History begins now.'), h('p', {}, 'The first point shows within 5 minutes. Where the server is down, there will be a gap: unknown is not nobody.'));
}

function put(place, element) {
  if (place.firstElementChild !== element) place.replaceChildren(element);
}

function figures({ points, duration: { average_ms: average, median_ms: median } }) {
  const peak = points.reduce((most, point) => (point.people !== null && !(point.people <= most?.people) ? point : most), undefined);
  const all = [
    ['Most at once', peak ? people(peak.people) : '–', peak && peak.people ? instant(Date.parse(peak.at)) : ''],
    ['Average session', average === null ? '–' : duration(average), average === null ? 'none ended' : ''],
    ['Median session', median === null ? '–' : duration(median), ''],
  ];
  at('figures').replaceChildren(...all.map(([name, value, more]) => h('div', {}, h('dt', {}, name), h('dd', { title: more }, value, more ? h('small', {}, more) : ''))));
}

// Says that what is shown is old, or of another question, or that nothing can be shown.
function stale(refusal, question) {
  const box = at('stale');
  box.hidden = !refusal;
  const other = Boolean(refusal) && question !== page.question;
  for (const place of document.querySelectorAll('.column')) place.classList.toggle('other', other);
  if (!refusal) return;
  const since = !page.loaded ? 'The history could not be loaded: ' : other ? 'This could not be loaded, below is still what was shown before: ' : `Not updated since ${local(page.loaded)}: `;
  box.replaceChildren(`${since}${refusal.message} `, tryAgain(load));
  if (!page.loaded) for (const place of document.querySelectorAll('[data-chart], [data-quiet], [data-week], [data-days]')) put(place, blank('Not loaded.'));
}

// ---- who was online at a time ----

const pad = (number) => String(number).padStart(2, '0');

// An instant as a field for a local time has it.
function fieldValue(time) {
  const date = new Date(time);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

function askOnlineAt(time) {
  go({ at: new Date(time).toISOString() });
  showOnlineAt();
}

function showOnlineAt() {
  const time = Date.parse(here().get('at') || '');
  at('hint').hidden = !isNaN(time);
  if (isNaN(time)) return onlineAt.close();
  at('ask').elements.at.value = fieldValue(time);
  return onlineAt.show(time, filters());
}

at('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const time = new Date(event.target.elements.at.value);
  if (!isNaN(time)) askOnlineAt(time);
});

function closeOnlineAt() {
  at('ask').reset();
  go({ at: '' });
  showOnlineAt();
  at('ask').elements.at.focus();
}

// ---- choices ----

form.addEventListener('change', () => {
  const { range, app, organization } = form.elements;
  go({ range: range.value === '24h' ? '' : range.value, app: app.value, organization: organization.value });
  arrive();
});
form.addEventListener('submit', (event) => event.preventDefault());
addEventListener('popstate', arrive);
narrow.addEventListener('change', load);
setInterval(() => document.hidden || load(), RELOAD_MS);
document.addEventListener('visibilitychange', () => document.hidden || Date.now() - page.loaded < RELOAD_MS || load());

await signedIn();
arrive();
fillChoices(form);
