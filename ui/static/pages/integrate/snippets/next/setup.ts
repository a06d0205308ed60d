import { rollcallFor } from './rollcall';

export const rollcall = rollcallFor({
  // By cookies(): who is logged in, and an id of the session that no other login has; null for nobody.
  session: async () => ({ id: 'the session', person: { id: 42, name: 'Ada Lovelace', email: 'ada@example.com' } }),
  // As your logout does.
  signOut: async () => (await cookies()).delete('session'),
});
