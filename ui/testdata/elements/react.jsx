import { StrictMode, useState } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server.browser';

function App() {
  const [shown, show] = useState(true);
  const [{ token, refresh }, set] = useState({ token: window.first, refresh: 3600 });
  Object.assign(window, { show, set });
  return shown && (
    <>
      <online-users-panel src={window.server} token={token} refresh={refresh} theme="dark" />
      <online-users-badge src={window.server} token={token} refresh={refresh} />
    </>
  );
}

const app = (
  <StrictMode>
    <App />
  </StrictMode>
);
const root = document.querySelector('main');
if (location.pathname === '/hydrated') {
  root.innerHTML = renderToString(app);
  hydrateRoot(root, app, { onRecoverableError: (error) => console.error(`hydration: ${error}`) });
} else {
  createRoot(root).render(app);
}
