/*
 * What people say of themselves: available, busy or away. heartbeat.js loads this file for setStatus.
 */
import { timeLimit } from '../../lib/time-limit.js';

// Without Authorization, which is for what stands before Rollcall, the token has a header of its own; where a proxy says who
// is in this page, it is not whoever is signed in to a panel of this origin.
function ofPage({ headers, token }) {
  return headers.Authorization ? headers : { ...headers, ...(token && { 'X-Rollcall-Session': token }), 'X-Rollcall': 'page' };
}

// request is what heartbeat.js sends its own requests with: {headers, credentials}, and the token of its session.
export async function setStatus(endpoint, request, status, text, { minutes, until } = {}) {
  const said = { status, text, for_ms: minutes && Math.round(minutes * 60000), until: until && new Date(until).toISOString() };
  if (Number.isNaN(said.for_ms)) throw new RangeError('minutes must be a number');
  const response = await fetch(new URL('me/status', endpoint), {
    method: 'PUT', body: JSON.stringify(said), referrerPolicy: 'origin', signal: timeLimit(20000), credentials: request.credentials, headers: ofPage(request),
  });
  const answer = await response.json().catch(() => ({}));
  if (!answer.success) throw new Error(answer.error || `The server answered with status ${response.status}`);
  return answer;
}
