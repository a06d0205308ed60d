/** @jsxImportSource preact */
import { render } from 'preact';
import { useState } from 'preact/hooks';

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

render(<App />, document.querySelector('main'));
