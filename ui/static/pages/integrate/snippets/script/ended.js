document.addEventListener('rollcall:ended', (event) => {
  if (event.detail.reason === 'expired') return; // Rollcall's session ran out of time, the person may be logged in
  localStorage.removeItem('accessToken');
  location.assign('/login?reason=' + encodeURIComponent(event.detail.reason));
});
