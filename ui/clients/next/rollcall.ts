/*
 * Rollcall in a Next.js application (13.4 or later, app router, Node runtime). It does nothing unless ROLLCALL_URL and
 * ROLLCALL_KEY are in the environment, nor in tests, nor while it is built. No call throws, or takes longer than a second.
 * Where a proxy is in front, ROLLCALL_TRUSTED_PROXIES has its addresses, separated by commas.
 *
 *   // rollcall-setup.ts
 *   export const rollcall = rollcallFor({
 *     session: async () => ({ id, person }),       // by cookies(): an id that stays for one login; null for nobody
 *     signOut: async () => { ... },                // as your logout does
 *   });
 *   // app/rollcall/token/route.ts
 *   export const POST = (request: Request) => rollcall.token(request);
 *   // in the head of app/layout.tsx
 *   {rollcall.script && <script {...rollcall.script} />}
 *
 * Before a login: const refusal = await rollcall.refusal(person), null for whoever may; else refusal.why says why not,
 * and refusal.page() is a page that does.
 */
import { createHash, createHmac } from 'node:crypto';

export interface Person {
  id: string | number;
  name?: string | null;
  email?: string | null;
  role?: string | null;
  organization?: string | null;
  team?: string | null;
}

export interface Options {
  /** Who is logged in, and by which session: an id that no other login has and that stays for this one. */
  session(): Promise<{ id: string; person: Person } | null>;
  /** Logs the person of the request out, in a route handler. */
  signOut(): Promise<unknown>;
}

interface Answer { success?: boolean; code?: string; error?: string; status: number }

const url = (process.env.ROLLCALL_URL ?? '').replace(/\/+$/, '');
const secret = process.env.ROLLCALL_KEY ?? '';
const proxies = (process.env.ROLLCALL_TRUSTED_PROXIES ?? '').split(',').map((proxy) => proxy.trim());
const isSetUp = Boolean(url && secret && process.env.NODE_ENV !== 'test');
const isOn = isSetUp && process.env.NEXT_PHASE !== 'phase-production-build';
const noStore = { 'Cache-Control': 'no-store' };
let failing = false;

// What Rollcall answers, null where that can not be had.
async function call(method: string, path: string, body?: object, codes: string[] = []): Promise<Answer | null> {
  if (!isOn) return null;
  try {
    const response = await fetch(url + path, {
      method, body: body && JSON.stringify(body), cache: 'no-store', redirect: 'error', signal: AbortSignal.timeout(1000),
      headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
    });
    const text = await response.text();
    const answer = JSON.parse(text) as Answer | null;
    if (answer?.success !== true && !(answer?.success === false && codes.includes(answer.code ?? ''))) throw new Error(`${response.status} ${text.slice(0, 200)}`);
    failing = false;
    return { ...answer, status: response.status };
  } catch (error) {
    if (!failing) console.warn(`Rollcall: ${error instanceof Error ? error.message : error}. People may be missing from its list; nobody is kept out.`);
    failing = true;
    return null;
  }
}

const keyOf = (id: string) => createHash('sha256').update(`rollcall ${id}`).digest('hex');

// The same each time for one session, and nobody else can find it out.
const tokenOf = (key: string) => createHmac('sha256', secret).update(key).digest('hex');

function described(person: Person) {
  const texts = (['name', 'email', 'role', 'organization', 'team'] as const).filter((field) => person[field] !== undefined && person[field] !== null);
  return { id: String(person.id), ...Object.fromEntries(texts.map((field) => [field, String(person[field]).slice(0, 200)])) };
}

// Each proxy says who called it. Next.js does not tell who called the application itself.
function addressOf(request: Request) {
  const hops = (request.headers.get('x-forwarded-for') ?? '').split(',').map((hop) => hop.trim());
  return hops.reverse().find((hop) => !proxies.includes(hop)) ?? '';
}

export function rollcallFor({ session, signOut }: Options) {
  const end = (body: object) => call('POST', '/admin/sessions/end', body);
  const path = (id: string | number) => `/admin/users/${encodeURIComponent(id)}`;

  return {
    /** What the script tag has; also when a static page is built. */
    script: isSetUp ? { src: `${url}/heartbeat.js`, 'data-renew': '/rollcall/token', async: true } : null,

    /** The route that heartbeat.js asks who is logged in. */
    async token(request: Request): Promise<Response> {
      if (request.headers.get('X-Rollcall') !== 'renew') return new Response(null, { status: 400, headers: noStore });
      const current = isOn ? await session() : null;
      if (!current) return new Response(null, { status: 204, headers: noStore });
      const key = keyOf(current.id);
      const answer = await call('POST', '/admin/sessions', {
        user: described(current.person), session_key: key, session_token: tokenOf(key),
        ip_address: addressOf(request), user_agent: request.headers.get('user-agent') ?? '',
      }, ['session_ended']);
      if (!answer) return new Response(null, { status: 503, headers: noStore });
      if (answer.success) return Response.json({ token: tokenOf(key) }, { headers: noStore });
      await signOut();
      await end({ session_key: key }); // they have left
      return new Response(null, { status: 204, headers: noStore });
    },

    async refusal(person: Person) {
      const answer = await call('POST', '/admin/sessions/may', { user: described(person) }, ['draining', 'session_limit']);
      if (!answer?.code) return null;
      const why = answer.code === 'draining' ? String(answer.error) : 'You are logged in as often as you may be. Log out elsewhere first.';
      const text = why.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
      const html = `<!doctype html><html lang="en"><title>Not now</title><h1>Not now</h1><p>${text}</p><p><a href="">Try again</a></p></html>`;
      return { why, page: () => new Response(html, { status: answer.status, headers: { ...noStore, 'Content-Type': 'text/html; charset=utf-8' } }) };
    },

    /** To be called before the session is gone. */
    async loggedOut() {
      const current = isOn ? await session() : null;
      if (current) await end({ session_key: keyOf(current.id) });
    },

    /** The other sessions of whoever is logged in end. */
    async passwordChanged() {
      const current = isOn ? await session() : null;
      if (current) await end({ user: String(current.person.id), reason: 'password_changed', except_token: tokenOf(keyOf(current.id)) });
    },

    changed: async (person: Person) => void (await call('PUT', path(person.id), described(person))),
    deactivated: async (id: string | number) => void (await end({ user: String(id), reason: 'revoked' })),

    async deleted(id: string | number) {
      const answer = await call('DELETE', path(id), undefined, ['forbidden', 'not_found']);
      if (answer?.code === 'forbidden') await end({ user: String(id), reason: 'revoked' }); // another application has them too
    },
  };
}
