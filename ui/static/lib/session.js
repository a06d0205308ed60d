// Who is signed in: shown in the bar at the top, with the way out.
import { ask } from './api.js';

// Whoever signs in again comes back to this page.
function goToLogin() {
  const page = location.pathname.split('/').pop() + location.search;
  location.replace(`login${page && `?next=${encodeURIComponent(page)}`}${location.hash}`);
}

const ASK_AGAIN_MS = 5000;

// Resolves to the user, or to undefined when the server could not say; then the page begins anew
// once it can. Leaves for the login page when nobody is signed in, now or later.
export async function signedIn() {
  document.addEventListener('rollcall:ended', goToLogin);
  document.addEventListener('rollcall:unauthenticated', goToLogin);
  // Somebody may have signed out in another tab, or gone back to a page from before they did.
  document.addEventListener('visibilitychange', () => document.hidden || me());
  addEventListener('pageshow', (event) => event.persisted && me());
  const { user, session, sign_out_url: signOutURL } = (await me()) ?? {};
  if (user) show(user, session, signOutURL);
  else setInterval(async () => !document.hidden && (await me()) && location.reload(), ASK_AGAIN_MS);
  return user;
}

async function me() {
  try {
    return await ask('GET', 'auth/me');
  } catch (refusal) {
    if (refusal.status === 401) goToLogin();
    return undefined;
  }
}

// Of whom a proxy in front has signed in there is no session to end: they leave by the proxy, or not at all.
function show(user, session, signOutURL) {
  const me = document.querySelector('[data-me]');
  me.textContent = user.name || user.id;
  me.title = `Your account: ${user.name || user.id}, ${user.access}`;
  const button = document.querySelector('[data-sign-out]');
  if (!session) {
    window.rollcall?.stop();
    me.title = `${user.name || user.id}, ${user.access}, signed in by the proxy in front`;
    button.addEventListener('click', () => location.assign(signOutURL));
  } else {
    button.addEventListener('click', signOut);
  }
  button.hidden = !session && !signOutURL;
}

async function signOut(event) {
  const button = event.currentTarget;
  button.disabled = true;
  window.rollcall?.stop();
  try {
    await ask('POST', 'auth/logout');
    location.replace('login');
  } catch (refusal) {
    if (refusal.status === 401) return location.replace('login');
    // Still signed in: saying otherwise would be a lie.
    window.rollcall?.beat();
    button.disabled = false;
    button.textContent = 'Sign out failed, try again';
    button.title = refusal.message;
  }
}

// A click ends all sign-ins of whoever is signed in, this one too.
export async function signOutEverywhere({ currentTarget }) {
  currentTarget.disabled = true;
  window.rollcall?.stop();
  try {
    await ask('POST', 'auth/logout?everywhere=true');
  } finally {
    location.reload(); // which leads to the page Login, unless it failed
  }
}
