// A small application with sessions, and a cookie for "remember me".
import { randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import express from 'express';
import session from 'express-session';
import rollcallFor from './rollcall.cjs';

let users;
const remembered = new Map(); // user by the cookie
function reset() {
  users = new Map([[1, { id: 1, login: 'ada', name: 'Ada Lovelace', role: 'editor' }], [2, { id: 2, login: 'bob', name: 'Bob Bold', role: 'admin' }]]);
  for (const user of users.values()) Object.assign(user, { password: 'secret', active: true, email: `${user.login}@example.org`, organization: 'Acme', team: 'Engines' });
  remembered.clear();
}
reset();

export const app = express();
app.set('trust proxy', process.env.TRUSTED_PROXY ?? false);
app.use(express.urlencoded());
app.use(session({ secret: 'a secret of the tests', resave: false, saveUninitialized: false, cookie: { sameSite: 'lax' } }));
app.use((req, res, next) => {
  const id = req.session.user ?? remembered.get(cookie(req));
  const user = users.get(id);
  if (user?.active) {
    req.user = user;
    req.session.user = user.id;
  }
  next();
});

const cookie = (req) => /(?:^|; )remember=(\w+)/.exec(req.headers.cookie ?? '')?.[1];

function logOut(req, res) {
  remembered.delete(cookie(req));
  res.clearCookie('remember');
  return new Promise((done) => req.session.destroy(done));
}

const rollcall = rollcallFor({ user: (req) => req.user, signOut: logOut });
app.use(rollcall.route);

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt()};`);
const form = (name, fields) => `<form id="${name}" method="post" action="/${name}">${fields.map((f) => `<input name="${f}">`).join('')}<button>${name}</button></form>`;

app.get('/', (req, res) => {
  const forms = req.user
    ? form('logout', []) + form('password', ['password']) + form('rename', ['name']) + form('deactivate', ['user']) + form('delete', [])
    : '<form id="login" method="post" action="/login"><input name="name"><input name="password" type="password"><input name="remember" type="checkbox"><button>Log in</button></form>';
  res.send(`<!doctype html><html lang="en"><head><title>Host</title>${rollcall.script}</head><body><p id="who">${escape(req.user?.name ?? '')}</p>${forms}<a id="next" href="/next">Next</a></body></html>`);
});
app.get('/next', (req, res) => res.send(`<!doctype html><html lang="en"><head><title>Next</title>${rollcall.script}</head><body><p id="who">${escape(req.user?.name ?? '')}</p><a id="back" href="/">Back</a></body></html>`));
app.get('/private', (req, res) => (req.user ? res.send('private') : res.redirect('/')));
app.get('/before', (req, res) => res.send((delete req.session.rollcall, 'done')));
app.get('/forget', (req, res) => req.session.destroy(() => res.send('done')));
app.get('/reset', (req, res) => res.send((reset(), 'done')));

app.post('/login', async (req, res) => {
  const user = [...users.values()].find((u) => u.login === req.body.name && u.password === req.body.password && u.active);
  if (!user) return res.status(401).send('wrong');
  if (await rollcall.refuses(user, res)) return;
  await new Promise((done) => req.session.regenerate(done));
  req.session.user = user.id;
  if (req.body.remember) {
    const secret = randomBytes(20).toString('hex');
    remembered.set(secret, user.id);
    res.cookie('remember', secret, { maxAge: 1e9, httpOnly: true, sameSite: 'lax' });
  }
  res.redirect(303, '/');
});

app.post('/logout', async (req, res) => {
  await rollcall.loggedOut(req);
  await logOut(req, res);
  res.redirect(303, '/');
});

app.use((req, res, next) => (req.user ? next() : res.redirect(303, '/')));

app.post('/password', async (req, res) => {
  req.user.password = req.body.password;
  await rollcall.passwordChanged(req, req.user.id);
  res.redirect(303, '/');
});

app.post('/rename', async (req, res) => {
  req.user.name = req.body.name;
  await rollcall.changed(req.user);
  res.redirect(303, '/');
});

app.post('/deactivate', async (req, res) => {
  const user = users.get(Number(req.body.user));
  user.active = false;
  await rollcall.deactivated(user.id);
  res.redirect(303, '/');
});

app.post('/delete', async (req, res) => {
  users.delete(req.user.id);
  await rollcall.deleted(req.user.id);
  await logOut(req, res);
  res.redirect(303, '/');
});

if (import.meta.url === pathToFileURL(process.argv[1]).href) app.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
