// The application's own tests, in which Rollcall is off although it is configured.
import assert from 'node:assert';
import { createServer } from 'node:http';

process.env.NODE_ENV = 'test';
const { app } = await import('./app.mjs');
const server = createServer(app).listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const login = await fetch(`${url}/login`, { method: 'POST', body: new URLSearchParams({ name: 'ada', password: 'secret' }), redirect: 'manual' });
  assert.equal(login.status, 303);
  const headers = { cookie: login.headers.getSetCookie()[0].split(';')[0] };
  const page = await (await fetch(url, { headers })).text();
  assert.match(page, /Ada Lovelace/);
  assert.doesNotMatch(page, /heartbeat/);
  const token = await fetch(`${url}/rollcall/token`, { method: 'POST', headers: { ...headers, 'X-Rollcall': 'renew' } });
  assert.equal(token.status, 204);
  assert.equal((await fetch(`${url}/logout`, { method: 'POST', headers, redirect: 'manual' })).status, 303);
  server.close();
});
