// What people say of themselves: available, busy or away.
import { timeLimit } from '../../lib/time-limit.js';
import { headers } from './beat.js';
import { recognise } from './recognise.js';
import { credentials, endpoint } from './script.js';

export async function setStatus(status, text, { minutes, until } = {}) {
  recognise();
  const said = { status, text, for_ms: minutes && Math.round(minutes * 60000), until: until && new Date(until).toISOString() };
  if (Number.isNaN(said.for_ms)) throw new RangeError('minutes must be a number');
  const response = await fetch(new URL('me/status', endpoint), {
    method: 'PUT', headers: headers(), body: JSON.stringify(said), credentials: credentials(), referrerPolicy: 'origin', signal: timeLimit(20000),
  });
  const answer = await response.json().catch(() => ({}));
  if (!answer.success) throw new Error(answer.error || `The server answered with status ${response.status}`);
  return answer;
}
