/*
 * Rollcall in an Express application (4 or 5, Node 18 or later). It does nothing unless ROLLCALL_URL and ROLLCALL_KEY
 * are in the environment, nor where NODE_ENV is "test". Put it beside your application:
 *
 *   const rollcall = require('./rollcall.cjs')({       // or: import rollcallFor from './rollcall.cjs'
 *     user: (req) => req.user && { id: req.user.id, name: req.user.name, email, role, organization, team },
 *     signOut: (req, res) => ...,                      // as your logout does, "remember me" too; else the session is destroyed
 *   });
 *   app.use(rollcall.route);                           // after the middleware of your sessions
 *
 *   if (await rollcall.refuses(user, res)) return;     // before a login; the page that says why is sent
 *   await rollcall.loggedOut(req);                     // before the session is destroyed
 *   await rollcall.passwordChanged(req, user.id);      // their other sessions end
 *   await rollcall.changed(user); await rollcall.deactivated(user.id); await rollcall.deleted(user.id);
 *
 * and in the head of every page, unescaped, rollcall.script. Nothing here throws, or takes longer than a second.
 * Where a proxy is in front, app.set('trust proxy', ...) has the right addresses of people shown.
 */
'use strict';
const { createHash, createHmac, randomBytes } = require('node:crypto');

module.exports = function rollcallFor({ user, signOut = destroySession, session = sessionOf, log = console.warn }) {
  const { ROLLCALL_URL = '', ROLLCALL_KEY = '', NODE_ENV } = process.env;
  const base = ROLLCALL_URL.replace(/\/+$/, '');
  const on = Boolean(base && ROLLCALL_KEY && NODE_ENV !== 'test');
  let failing = false;

  // Resolves to what Rollcall answers, and to {} where that can not be had.
  async function call(method, path, body) {
    if (!on) return {};
    try {
      const response = await fetch(base + path, {
        method, body: body && JSON.stringify(body), redirect: 'error', signal: AbortSignal.timeout(1000),
        headers: { Authorization: `Bearer ${ROLLCALL_KEY}`, 'Content-Type': 'application/json' },
      });
      const text = await response.text();
      const answer = JSON.parse(text);
      const expected = response.ok || EXPECTED.includes(answer?.code) || (method === 'DELETE' && response.status < 500);
      if (answer?.success === undefined || !expected) throw new Error(`${response.status} ${text.slice(0, 200)}`);
      failing = false;
      return { ...answer, status: response.status };
    } catch (error) {
      trouble(error);
      return {};
    }
  }

  function trouble(error) {
    if (!failing) log(`Rollcall: ${error?.cause?.message ?? error?.message ?? error}. People may be missing from its list; nobody is kept out.`);
    failing = true;
  }

  // The same each time for one session, and nobody else can find it out.
  const tokenOf = (key) => createHmac('sha256', ROLLCALL_KEY).update(key).digest('hex');

  async function route(req, res, next) {
    if (req.path !== '/rollcall/token') return next();
    res.set('Cache-Control', 'no-store');
    if (req.method !== 'POST' || req.get('X-Rollcall') !== 'renew') return res.status(400).end();
    try {
      const token = on ? await report(req, res) : '';
      if (token) res.json({ token });
      else res.status(token === undefined ? 503 : 204).end();
    } catch (error) {
      trouble(error);
      if (!res.headersSent) res.status(503).end();
    }
  }

  // '' where nobody is logged in, undefined where Rollcall can not be reached.
  async function report(req, res) {
    const person = await user(req);
    const key = person && (await session(req));
    if (!key) return '';
    const token = tokenOf(key);
    const answer = await call('POST', '/admin/sessions', {
      user: described(person), session_key: key, session_token: token, ip_address: req.ip, user_agent: req.get('User-Agent'),
    });
    if (answer.code !== 'session_ended') {
      if (req.session?.touch) req.session.save = (done) => done?.(); // stored again, it would undo a logout that happens meanwhile
      return answer.success ? token : undefined;
    }
    renameSession(req);
    await signOut(req, res);
    await call('POST', '/admin/sessions/end', { session_key: key }); // they have left
    return '';
  }

  async function refuses(person, res) {
    const { code, error, status } = await call('POST', '/admin/sessions/may', { user: described(person) });
    if (code !== 'draining' && code !== 'session_limit') return false;
    const why = code === 'draining' ? error : 'You are logged in as often as you may be. Log out elsewhere first.';
    const text = String(why).replace(/[&<>]/g, (c) => `&#${c.charCodeAt()};`);
    res.status(status).set('Cache-Control', 'no-store').type('html')
      .send(`<!doctype html><html lang="en"><title>Not now</title><h1>Not now</h1><p>${text}</p><p><a href="">Try again</a></p></html>`);
    return true;
  }

  async function loggedOut(req) {
    const key = on && (await attempt(async () => session(req)));
    if (!key) return;
    renameSession(req);
    await call('POST', '/admin/sessions/end', { session_key: key });
  }

  async function passwordChanged(req, id) {
    const key = on && (await attempt(async () => session(req)));
    await call('POST', '/admin/sessions/end', { user: String(id), reason: 'password_changed', except_token: key ? tokenOf(key) : undefined });
  }

  const path = (id) => `/admin/users/${encodeURIComponent(id)}`;
  const deactivated = async (id) => void (await call('POST', '/admin/sessions/end', { user: String(id), reason: 'revoked' }));
  const changed = async (person) => void (await call('PUT', path(person.id), described(person)));

  async function deleted(id) {
    const { code } = await call('DELETE', path(id));
    if (code === 'forbidden') await deactivated(id); // another application has them too
  }

  const src = `${base}/heartbeat.js`.replace(/[&"<>]/g, (c) => `&#${c.charCodeAt()};`);
  const script = on ? `<script src="${src}" data-renew="/rollcall/token" async></script>` : '';
  return { route, refuses, loggedOut, passwordChanged, changed, deactivated, deleted, script };
};

const EXPECTED = ['session_ended', 'draining', 'session_limit'];
const TOLD = ['name', 'email', 'role', 'organization', 'team'];

function described(person) {
  const told = TOLD.filter((field) => person[field] !== undefined && person[field] !== null);
  return { id: String(person.id), ...Object.fromEntries(told.map((field) => [field, String(person[field]).slice(0, 200)])) };
}

// What stays the same for one login. Of sessions without an id (cookie-session) it is kept within.
function sessionOf(req) {
  if (!req.session) return undefined;
  if (!req.session.rollcall && !req.sessionID) renameSession(req);
  return req.session.rollcall ?? createHash('sha256').update(`rollcall ${req.sessionID}`).digest('hex');
}

// A session that ended stays ended: where the next login has the same session, its name is another one.
function renameSession(req) {
  if (req.session) req.session.rollcall = randomBytes(32).toString('hex');
}

const destroySession = (req) => new Promise((done) => (req.session?.destroy ? req.session.destroy(done) : done((req.session = null))));

const attempt = async (action) => action().catch(() => undefined);
