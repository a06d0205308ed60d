// Acme Notes, the sample application of the demo. It does what any application does:
// logs in at its own back end, keeps the token, and has a few pages. The script tag in
// demo-app.html does the rest.
import { at, h } from '../../lib/dom.js';

const PAGES = {
  '/notes': { title: 'Notes', notes: [['Quarterly review', 'Numbers by Thursday. Ask Priya about the third column.'], ['Shopping', 'Oat milk, two lemons, the good bread.'], ['Talk ideas', 'What a roll call teaches about distributed systems.']] },
  '/archive': { title: 'Archive', notes: [['Office move', 'Done. Keys are with the front desk.'], ['Old passwords', 'Deleted, as they should be.']] },
  '/settings': { title: 'Settings', notes: [['Theme', 'Follows your system.'], ['Export', 'Everything as plain text, any time.']] },
};
const REASONS = {
  logout: 'You signed out in another window.',
  expired: 'You were away for long, so you were signed out.',
  revoked: 'An administrator ended your session.',
  evicted: 'You signed in on another device.',
};

async function post(path, body) {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// ---- signing in and out ----

async function signIn(person, button) {
  button.disabled = true;
  try {
    const { token } = await post('login', { id: person.id });
    localStorage.setItem('accessToken', token);
    localStorage.setItem('name', person.name);
    notify('');
    window.rollcall?.beat(); // it would notice by itself, a moment later
  } catch (error) {
    notify(`Signing in failed: ${error.message}`);
  }
  show();
}

async function signOut() {
  const token = localStorage.getItem('accessToken');
  forget();
  await post('logout', { token }).catch((error) => notify(`Signed out here only: ${error.message}`));
}

function forget() {
  localStorage.removeItem('accessToken');
  localStorage.removeItem('name');
  show();
}

function notify(words) {
  at('notice').textContent = words;
  at('notice').hidden = !words;
}

// ---- what is on the screen ----

async function showPeople() {
  const answer = await fetch('people').then((response) => response.json()).catch(() => ({}));
  const people = answer.people || [];
  at('people').setAttribute('aria-busy', 'false');
  if (!people.length) notify('The list of people could not be loaded. Reload the page to try again.');
  at('people').replaceChildren(...people.map((person) => {
    const button = h('button', { type: 'button', 'data-person': person.id, click: () => signIn(person, button) }, person.name, h('span', {}, person.organization));
    return h('li', {}, button);
  }));
}

function showPage() {
  const route = location.hash.slice(1) in PAGES ? location.hash.slice(1) : '/notes';
  const page = PAGES[route];
  document.title = `${page.title} – Acme Notes`;
  at('title').textContent = page.title;
  at('content').replaceChildren(...page.notes.map(([title, text]) => h('article', { class: 'note' }, h('h2', {}, title), h('p', {}, text))));
  for (const link of document.querySelectorAll('[data-route]')) {
    if (link.dataset.route === route) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  // Routes behind a # are not part of the path, so Rollcall is told.
  window.rollcall?.setPage(route);
}

function show() {
  const signedIn = Boolean(localStorage.getItem('accessToken'));
  for (const element of document.querySelectorAll('[data-signed-in]')) element.hidden = !signedIn;
  at('sign-in').hidden = signedIn;
  at('page').hidden = !signedIn;
  at('name').textContent = localStorage.getItem('name');
  if (signedIn) showPage();
  else showPeople();
}

at('sign-out').addEventListener('click', signOut);
addEventListener('hashchange', show);
addEventListener('storage', show);
document.addEventListener('rollcall:state', show, { once: true }); // Rollcall's script may come later
document.addEventListener('rollcall:ended', (event) => {
  forget();
  notify(REASONS[event.detail.reason] || 'Your session has ended.');
});
show();
