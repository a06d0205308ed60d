// What an application in TypeScript does with the types.
import rollcallFor from './rollcall.cjs';
import type { Person } from './rollcall.cjs';

const ada: Person = { id: 42, name: 'Ada Lovelace', email: null };
const rollcall = rollcallFor({ user: async (req) => (req.url ? ada : undefined), signOut: (req, res) => res.end() });
const tag: string = rollcall.script;
// @ts-expect-error: somebody has an id
rollcallFor({ user: () => ({ name: 'Ada' }) });
export { tag };
