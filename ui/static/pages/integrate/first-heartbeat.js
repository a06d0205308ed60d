// "Waiting for the first heartbeat…", which turns green with the first person online.
import { ask } from '../../lib/api.js';
import { shownName } from '../../lib/status.js';

const RELOAD_MS = 3000;

// Watches the app whose name watch is called with, and shows it in box.
export function firstHeartbeat(box) {
  let timer;
  let app = '';

  function show(state, words) {
    box.dataset.state = state;
    box.querySelector('[data-words]').textContent = words;
  }

  async function look() {
    const looked = app;
    try {
      const { users, count } = await ask('GET', `admin/users/online?limit=3&app=${encodeURIComponent(app)}`);
      if (looked !== app) return;
      if (users.some(beaten)) return show('online', arrived(users, count, app));
      show('waiting', count ? `${users[0].name} has logged in to ${app}. Waiting for the first heartbeat…` : `Waiting for the first heartbeat of ${app}…`);
    } catch (refusal) {
      if (looked !== app) return;
      show('error', `Not known: ${refusal.message} Trying again.`);
    }
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (app && !document.hidden && box.dataset.state !== 'online') timer = setTimeout(look, RELOAD_MS);
  }

  document.addEventListener('visibilitychange', plan);
  return function watch(name) {
    clearTimeout(timer);
    app = name;
    if (!app) return show('idle', 'Name an app to wait for its first heartbeat.');
    show('waiting', `Waiting for the first heartbeat of ${app}…`);
    look();
  };
}

// A login counts as activity too, but only a heartbeat shows that the script tag works.
function beaten(user) {
  return user.sessions.some((session) => session.last_activity_at > session.session_started_at);
}

function arrived(users, count, app) {
  const names = users.map(shownName);
  const others = count - names.length;
  const all = others > 0 ? [...names, `${others} more`] : names;
  return `${new Intl.ListFormat('en').format(all)} ${count === 1 ? 'is' : 'are'} online in ${app}.`;
}
