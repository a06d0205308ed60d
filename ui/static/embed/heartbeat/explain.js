/*
 * Says in the console why heartbeat.js gets nowhere, once a page, and with data-debug each step.
 * heartbeat.js loads this file for either.
 */
let warned = false;
let forbidden = ''; // what the page's policy refused last

document.addEventListener('securitypolicyviolation', ({ blockedURI, effectiveDirective, disposition }) => {
  if (disposition === 'enforce') forbidden = `${effectiveDirective} ${blockedURI}`;
});

// now is what became of a heartbeat, undefined where there was no answer; problem has what is known:
// {what, endpoint, status, code}; become(state) is told what was found out.
export async function explain(now, problem, { debug, tokenFrom }, become) {
  const { what, endpoint, status, code } = problem || {};
  if (debug !== undefined && what !== 'source') console.info('Rollcall:', now ?? what ?? 'no answer', problem ?? '');
  if (!problem) return;
  if (what === 'source') return warn(`data-token-from="${tokenFrom}" is none of localStorage:KEY, sessionStorage:KEY, cookie:NAME and meta:NAME.`);
  if (what === 'not-a-token') return warn('data-renew, or what identify() got, brought something that is no token: a page, perhaps. Wanted: {"token": "..."}, or 204 where nobody is signed in.');
  if (what === 'route') return warn(ofTheRoute(status));
  if (now) return warn(refusal(status, code, new URL(endpoint).host));
  const found = await whyNoAnswer(endpoint);
  become(found ? 'blocked' : 'offline');
  if (found) warn(found);
}

function warn(text) {
  if (warned) return;
  warned = true;
  console.warn(`Rollcall: ${text} Until then this page's people may be missing from the list.`);
}

function ofTheRoute(status) {
  if (status === 403) return 'the route of data-renew answers 403, which is taken for nobody being signed in. If a check of forms refuses it, exempt the route: the header X-Rollcall does the same.';
  if (!status) return 'the route of data-renew redirects, which is taken for nobody being signed in. Give its exact address, and answer 204 where nobody is.';
  return `the route of data-renew answers ${status}. Wanted: {"token": "..."}, or 204 where nobody is signed in.`;
}

function refusal(status, code, host) {
  if (status < 300) return `${host} answers heartbeats with a page of something else, such as a proxy's sign-in. Let requests to it through.`;
  if (status === 421) return `the server does not know itself by the name ${host}. Start Rollcall with --host ${host} as well.`;
  if (status === 403) return `this page may not send heartbeats to ${host} (403${code ? ` ${code}` : ''}).`;
  return `${host} refuses heartbeats (${status}${code ? ` ${code}` : ''}).`;
}

// What leads to another origin looks like no answer.
const isSentElsewhere = (url) => fetch(url, { redirect: 'manual', cache: 'no-store', referrerPolicy: 'origin' }).then(({ type }) => type === 'opaqueredirect', () => false);

// Nothing says why a request failed, but for whether one gets through that pages of any origin may make.
async function whyNoAnswer(endpoint) {
  if (!navigator.onLine) return '';
  const { host, origin } = new URL(endpoint);
  if (origin === location.origin && (await isSentElsewhere(endpoint))) {
    return `${host} sends heartbeats on to another address, such as a proxy's sign-in. Sign in there again, or let requests to it through.`;
  }
  try {
    await fetch(new URL('../../heartbeat.js', endpoint), { mode: 'no-cors', credentials: 'omit', cache: 'no-store', referrerPolicy: 'origin' });
  } catch {
    return forbidden.includes(host) ? `this page's content security policy forbids heartbeats (${forbidden}). Name it in connect-src.` : '';
  }
  return `the browser may not read what ${host} answers to this page: start Rollcall with --allow-origin ${location.origin}. Or something in this browser blocks heartbeats.`;
}
