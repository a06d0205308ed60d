// A page that is not Rollcall's. Serve this folder from any origin that Rollcall allows:
//
//   rollcall serve --allow-origin http://127.0.0.1:8000
//   python3 -m http.server --bind 127.0.0.1 8000
//
// and open http://127.0.0.1:8000/plain.html#TOKEN with the session token of a user whose
// access is viewer or admin, as POST /admin/sessions answered it. In a real application
// the login puts the token where this line does.
if (location.hash) localStorage.setItem('accessToken', location.hash.slice(1));
history.replaceState(null, '', location.pathname);

const state = document.querySelector('#state');
const busy = document.querySelector('#busy');

function show(words) {
  const token = localStorage.getItem('accessToken') || '';
  for (const element of document.querySelectorAll('online-users-panel, online-users-badge')) element.setAttribute('token', token);
  busy.hidden = !token;
  state.textContent = words || (token ? 'Signed in.' : 'Not signed in: add #TOKEN to the address.');
}

busy.addEventListener('click', () => {
  rollcall.setStatus('busy', 'Trying Rollcall', { minutes: 30 }).then(() => show('You are busy.'), (error) => show(error.message));
});

// Ended by an administrator or by a logout elsewhere. One that only ran out of time is begun anew by the next report.
document.addEventListener('rollcall:ended', (event) => {
  if (event.detail.reason === 'expired') return;
  localStorage.removeItem('accessToken');
  show(`Signed out: ${event.detail.reason}.`);
});
show();
