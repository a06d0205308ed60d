// People and sessions of a small application, in memory, and a cookie for "remember me".
import { cookies } from 'next/headers';
import { rollcallFor } from './rollcall';

export interface User { id: number; login: string; name: string; email: string; role: string; organization: string; team: string; password: string; active: boolean }
interface State { users: Map<number, User>; sessions: Map<string, number>; remembered: Map<string, number> }

const shared = globalThis as { state?: State }; // routes and pages have modules of their own

export function reset() {
  const of = (id: number, login: string, name: string, role: string): [number, User] =>
    [id, { id, login, name, role, email: `${login}@example.org`, organization: 'Acme', team: 'Engines', password: 'secret', active: true }];
  shared.state = { users: new Map([of(1, 'ada', 'Ada Lovelace', 'editor'), of(2, 'bob', 'Bob Bold', 'admin')]), sessions: new Map(), remembered: new Map() };
}
if (!shared.state) reset();
export const state = () => shared.state!;

export async function session() {
  const id = (await cookies()).get('session')?.value ?? '';
  const person = state().users.get(state().sessions.get(id) ?? 0);
  return person?.active ? { id, person } : null;
}

export async function begin(kind: 'session' | 'remember', user: number) {
  const value = crypto.randomUUID();
  (kind === 'session' ? state().sessions : state().remembered).set(value, user);
  (await cookies()).set(kind, value, { httpOnly: true, sameSite: 'lax' });
  return value;
}

export async function logOut() {
  const jar = await cookies();
  state().sessions.delete(jar.get('session')?.value ?? '');
  state().remembered.delete(jar.get('remember')?.value ?? '');
  jar.delete('session');
  jar.delete('remember');
}

export const rollcall = rollcallFor({ session, signOut: logOut });
