import { badge, heartbeat, panel, type Rollcall, type RollcallElements } from './rollcall.mjs';

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements extends RollcallElements {}
  }
}

export const right = (
  <main>
    <online-users-panel src="https://rollcall.example" token={null} refresh={30} theme="dark" className="wide" key="one" />
    <online-users-badge token="token" refresh="30" />
  </main>
);

// @ts-expect-error there is no such attribute
export const attribute = <online-users-panel source="https://rollcall.example" />;
// @ts-expect-error there is no such theme
export const theme = <online-users-badge theme="blue" />;

export async function start(): Promise<Rollcall> {
  await Promise.all([panel('/presence'), badge('/presence')]);
  document.addEventListener('rollcall:ended', ({ detail }) => detail.reason === 'expired');
  document.querySelector('online-users-panel')?.refresh();
  // @ts-expect-error a number of minutes
  void window.rollcall?.setStatus('busy', 'Recording', { minutes: 'thirty' });
  return heartbeat('/presence', { identify: async () => 'token', live: true });
}
