import { heartbeat } from './rollcall.mjs';

await heartbeat('https://rollcall.example', { identify: async () => (await currentUser())?.token });
