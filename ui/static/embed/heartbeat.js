/*
 * Rollcall heartbeat: tells a Rollcall server that the person at this browser is here.
 *
 *   <script src="https://rollcall.example/heartbeat.js" data-token-from="localStorage:accessToken" defer></script>
 *
 * data-token-from  localStorage:KEY, sessionStorage:KEY, cookie:NAME or meta:NAME
 * data-token       the token itself; with neither, this origin's Rollcall cookie
 * data-page        instead of the path; "off" shows nothing
 * data-notices     "off": announcements are not shown, only told by the next event
 * data-live        hears of them, and of the end of the session, at once: one connection a browser
 * rollcall:notices event on document, detail {notices}: all that there are now
 * rollcall:ended   event on document and window, detail {reason}: sign the person out
 * window.rollcall  setPage(path), beat() at once, stop(), and
 *                  setStatus("busy", "Recording", {minutes: 30}), a promise: the person is
 *                  available, busy or away, with minutes or until (a Date) for so long
 */
(() => {
  'use strict';
  const script = document.currentScript;
  if (!script || window.rollcall) return;

  const options = script.dataset;
  const endpoint = new URL('admin/users/heartbeat', script.src).href;
  const byCookie = options.token === undefined && !options.tokenFrom;
  const me = Math.random();
  const started = Date.now();
  const peers = new Map(); // what the other tabs last said

  let token; // undefined: not looked yet
  let who; // the name of the channel, and of what the person dismissed
  let silent; // nobody is signed in, the session ended, or stop()
  let channel;
  let part = () => {}; // gives up channel and lock
  let elects = !!navigator.locks; // absent on plain http
  let leads = false;
  let bereft = false; // another tab was closed

  let interval = 60000;
  let last = 0; // when any tab last tried
  let due = 0; // when this tab beats unless another one does before
  let owed = Infinity; // when this tab beats whatever others do
  let barred = 0; // not before: Retry-After
  let failures = 0;
  let inFlight = false;
  let again = false;

  let input = document.hidden ? 0 : started;
  let told = {}; // the page that the server heard last, and whether it takes us for idle
  let shared = 0; // when the other tabs last heard of our input
  let ownPage = options.page;
  let noted = '[]'; // the notices that were shown last
  let fresh = 0; // as of when: an answer may come later than news that it lacks
  // Of these: what a person could see, and of that what the server has not heard.
  const counted = new Set();
  const seen = new Set();

  // A sandbox forbids storage and channels; we do without.
  function attempt(action) {
    try {
      return action();
    } catch {
      return undefined;
    }
  }

  // ---- who: the token and its tabs ----

  function readToken() {
    if (options.token !== undefined) return options.token;
    const [, kind, name] = /^(\w+):(.+)$/.exec(options.tokenFrom) || [];
    if (kind === 'cookie') return decodeURIComponent(readCookie(name));
    if (kind === 'meta') return document.querySelector(`meta[name="${name}"]`).content;
    // Some frameworks keep strings as JSON, in quotes.
    return kind && window[kind].getItem(name).replace(/^"(.*)"$/, '$1');
  }

  function readCookie(name) {
    return ('; ' + document.cookie).split(`; ${name}=`)[1].split(';')[0];
  }

  // Notices a login, a logout and a new token without being told.
  function recognise() {
    const now = attempt(readToken) || '';
    if (now === token) return;
    token = now;
    part();
    silent = !token && !byCookie;
    last = due = barred = failures = 0;
    told = {};
    announce([]);
    seen.clear();
    counted.clear();
    who = 'rollcall ' + hash(endpoint + token);
    if (!silent) join(who);
  }

  // Only so that no name shows the token.
  function hash(text) {
    let a = 1;
    let b = 7;
    for (const c of text) {
      a = Math.imul(a, 33) ^ c.charCodeAt();
      b = Math.imul(b, 31) ^ c.charCodeAt();
    }
    return `${a} ${b}`;
  }

  function join(name) {
    const quit = new AbortController();
    let release = () => {};
    peers.clear();
    channel = attempt(() => new BroadcastChannel(name)); // without: every tab beats
    if (channel) channel.onmessage = (event) => hear(event.data);
    part = () => {
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
      if (bereft || (last && Date.now() - last > 1000)) insist(); // inherited from a closed tab
      if ('live' in options) follow(signal);
    };
    navigator.locks.request(name, { signal }, () => new Promise(hold)).catch(() => {
      elects &&= signal.aborted;
    });
  }

  // ---- the other tabs ----

  const mine = () => ({ visible: !document.hidden, page: page(), input });

  function say(type, more) {
    shared = Date.now();
    channel?.postMessage({ ...mine(), id: me, type, ...more });
  }

  function hear(said) {
    const { id, type } = said;
    if (type === 'bye') return answerBye(id);
    peers.set(id, { ...said, heard: Date.now() });
    said.seen?.forEach((notice) => seen.add(notice));
    if (said.notices) announce(said.notices, said.ahead, said.asOf);
    if (type === 'ended') end(said.reason);
    if (type === 'beat') {
      ({ interval, told } = said);
      plan();
    }
    if (type === 'hello' || type === 'beat') say('state');
  }

  // The server now believes that we left: every tab still here says otherwise, late
  // enough to arrive after the beacon. A hidden tab's timers may run once a minute, so
  // a hidden leader beats at once, and again after the answer. Without locks, each does.
  function answerBye(id) {
    peers.delete(id);
    bereft = true;
    owed = Math.min(owed, Date.now() + 1000 + Math.random() * 3000);
    if (document.hidden && (leads || !elects)) insist();
  }

  function insist() {
    beat();
    again ||= document.hidden;
  }

  // The tab that was used last speaks for the person.
  function front() {
    let best = mine();
    for (const [id, peer] of peers) {
      if (peer.heard < Date.now() - 3 * interval) peers.delete(id);
      else if (peer.input > best.input) best = peer;
    }
    return best;
  }

  // ---- what is said ----

  // Query and fragment never leave the browser.
  function page() {
    const shown = ownPage ?? location.pathname;
    return shown === 'off' ? undefined : shown.replace(/[?#].*/s, '').slice(0, 500);
  }

  function report() {
    const { page, input } = front();
    const visible = [mine(), ...peers.values()].some((tab) => tab.visible);
    return { idle_ms: Math.max(0, Date.now() - (input || started)), visible, page, seen: [...seen].slice(0, 20) };
  }

  const headers = () => ({ 'Content-Type': 'application/json', ...(token && { Authorization: 'Bearer ' + token }) });
  const credentials = byCookie ? 'same-origin' : 'omit';

  function send(said, init) {
    return fetch(endpoint, {
      method: 'POST',
      body: JSON.stringify({ sessionToken: token || undefined, ...said }),
      credentials,
      // The Referer would show the query.
      referrerPolicy: 'origin',
      ...init,
    });
  }

  // What the person says of themselves.
  async function setStatus(status, text, { minutes, until } = {}) {
    recognise();
    const said = { status, text, for_ms: minutes && minutes * 60000, until: until && new Date(until).toISOString() };
    if (Number.isNaN(said.for_ms)) throw new RangeError('minutes must be a number');
    const response = await fetch(new URL('me/status', endpoint), {
      method: 'PUT', headers: headers(), body: JSON.stringify(said), credentials, referrerPolicy: 'origin', signal: AbortSignal.timeout(20000),
    });
    const answer = await response.json().catch(() => ({}));
    if (!answer.success) throw new Error(answer.error || `The server answered with status ${response.status}`);
    return answer;
  }

  async function beat() {
    again = inFlight;
    if (inFlight || silent || Date.now() < barred) return;
    inFlight = true;
    if (Date.now() >= owed) owed = Infinity;
    await ask(token, report());
    inFlight = false;
    if (again) beat();
  }

  async function ask(asked, said) {
    const asOf = Date.now();
    try {
      const response = await send(said, { headers: headers(), signal: AbortSignal.timeout(20000) });
      const answer = await response.json().catch(() => ({}));
      if (asked === token) judge(response, answer, said, asOf);
    } catch {
      if (asked === token) retry();
    }
  }

  function judge({ ok, status, headers }, answer, said, asOf) {
    if (ok) {
      interval = Math.max(1000, answer.next_heartbeat_ms || 60000);
      told = { page: said.page, idle: answer.idle };
      plan(true);
      const { notices = [], timestamp } = answer;
      const ahead = Date.parse(timestamp) - Date.now();
      said.seen.forEach((notice) => seen.delete(notice));
      announce(notices, ahead, asOf);
      say('beat', { interval, told, notices, ahead, asOf });
    } else if (answer.code === 'session_ended') {
      endAll(answer.end_reason || 'unknown');
    } else if (status === 429 || status > 499) {
      retry(headers.get('Retry-After'));
    } else {
      // Refused: asking more often will not help.
      plan(true);
    }
  }

  // A leader beats a little early, never late; the others step in should it fall asleep.
  // Without locks, whoever beat last leads.
  function plan(here) {
    const leading = elects ? leads : here;
    last = Date.now();
    failures = 0;
    due = last + interval * (leading ? 0.9 + Math.random() / 10 : 1.5 + Math.random() / 2);
  }

  function retry(after) {
    last = Date.now();
    barred = last + (after * 1000 || Date.parse(after) - last || 0);
    due = barred + Math.random() * Math.min(interval, 2000 * 2 ** failures++);
  }

  function endAll(reason) {
    say('ended', { reason });
    end(reason);
  }

  function end(reason) {
    if (silent) return;
    stop();
    const fire = () => document.dispatchEvent(new CustomEvent('rollcall:ended', { bubbles: true, detail: { reason } }));
    // A page that is still loading does not listen yet.
    if (document.readyState === 'complete') fire();
    else addEventListener('load', fire);
  }

  function stop() {
    silent = true;
    part();
    announce([]);
  }

  // ---- announcements ----

  const lazily = (name) => import(new URL(name, script.src));
  let banners = 'static/built/heartbeat-notices.js';

  function announce(notices, ahead, asOf = Date.now()) {
    if (asOf < fresh) return;
    fresh = asOf;
    const text = JSON.stringify(notices);
    const news = text !== noted;
    noted = text;
    if (news) document.dispatchEvent(new CustomEvent('rollcall:notices', { bubbles: true, detail: { notices } }));
    if (options.notices === 'off' || !(news || notices[0])) return;
    // The same ones too: the page may have replaced its body, or the file was out of reach. Then
    // the one that the server has now is asked for, which may have been upgraded since; by another
    // name each time, because browsers remember failures.
    lazily(banners).then(({ show }) => text === noted && show(notices, saw, ahead, who), () => (banners = `heartbeat-notices.js?${Date.now()}`)).catch(() => {});
  }

  // Whoever beats next tells the server.
  function saw(id) {
    if (counted.has(id)) return;
    counted.add(id);
    seen.add(id);
    say('state', { seen: [id] });
  }

  function follow(signal) {
    const on = {
      notices(notices, ahead) {
        announce(notices, ahead);
        say('state', { notices, ahead });
      },
      ended: endAll,
    };
    lazily('static/built/heartbeat-live.js').then((live) => live.follow(script.src, token, signal, on)).catch(() => {});
  }

  // ---- when it is said ----

  function tick() {
    if (document.prerendering) return;
    recognise();
    const now = Date.now();
    // The clock was set back, maybe between a question and its answer.
    if (now < Math.max(last, fresh)) last = due = barred = fresh = 0;
    if (now >= Math.min(due, owed) || movedOn(now)) beat();
  }

  // A page change is news.
  function movedOn(now) {
    const { id, page } = front();
    return 'idle' in told && !id && page !== told.page && now - last > 5000;
  }

  // A resting cursor makes events too when the page moves; they are not input.
  function touch(event) {
    const now = Date.now();
    if (!event.isTrusted || now - input < 1000) return;
    if (event.type === 'pointermove' && !event.movementX && !event.movementY) return;
    input = now;
    if (now - shared > 5000) say('state');
    if (told.idle) {
      told.idle = false;
      beat(); // back from a break
    }
  }

  function wake() {
    if (!document.hidden) {
      input = Date.now();
      if (told.idle || input - last > interval) due = 0;
    }
    say('state');
    tick();
  }

  // What was under way when the page froze may never be answered.
  function thaw() {
    inFlight = false;
    wake();
  }

  // Text with the token inside needs no preflight; there is no time for one.
  function leave() {
    if (silent) return;
    const headers = { 'Content-Type': byCookie ? 'application/json' : 'text/plain' };
    send({ leaving: true }, { keepalive: true, headers, mode: byCookie ? 'cors' : 'no-cors' }).catch(() => {});
    say('bye');
    // What the browser still tells a page that goes must not bring it back.
    stop();
    attempt(() => (sessionStorage.rollcallBye = Date.now()));
  }

  // The last goodbye may arrive after our first heartbeat; a second one puts that right.
  function outlive() {
    owed = Date.now() + 5000;
  }

  addEventListener('pagehide', leave);
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    token = undefined; // join again, and beat at once
    thaw();
    outlive();
  });
  addEventListener('storage', tick);
  addEventListener('online', () => {
    if (failures) due = 0;
    tick();
  });
  document.addEventListener('visibilitychange', wake);
  document.addEventListener('resume', thaw);
  for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) {
    addEventListener(type, touch, { capture: true, passive: true });
  }

  window.rollcall = {
    setPage(path) {
      ownPage = path;
      tick();
    },
    beat() {
      if (silent) token = undefined;
      due = 0;
      tick();
    },
    setStatus,
    stop, // until the token changes
  };

  tick();
  setInterval(tick, 1000);
  if (started - attempt(() => sessionStorage.rollcallBye) < 15000) outlive();
})();
