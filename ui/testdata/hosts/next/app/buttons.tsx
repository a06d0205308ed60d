'use client';
import { useRouter } from 'next/navigation';

// A login and a logout without a load.
function Act({ id, path, to, data }: { id: string; path: string; to: string; data?: Record<string, string> }) {
  const router = useRouter();
  return <button id={id} onClick={async () => {
    await fetch(path, { method: 'POST', body: new URLSearchParams(data), redirect: 'manual' });
    router.push(to);
    router.refresh();
  }}>{id}</button>;
}

export const Login = () => <Act id="quick-login" path="/login" to="/next" data={{ name: 'ada', password: 'secret' }} />;
export const Logout = () => <Act id="quick-logout" path="/logout" to="/next" />;
