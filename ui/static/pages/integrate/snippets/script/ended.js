document.addEventListener('rollcall:ended', (event) => {
  localStorage.removeItem('accessToken');
  location.assign('/login?reason=' + encodeURIComponent(event.detail.reason));
});
