import { type NextRequest, NextResponse } from 'next/server';

export const config = { runtime: 'nodejs', matcher: ['/', '/next'] };

// Next.js takes the nonce of its inline scripts from here. Whoever is remembered gets a session.
export function middleware(request: NextRequest) {
  const headers = new Headers(request.headers);
  headers.set('content-security-policy', "script-src 'nonce-n0nce'");
  const { sessions, remembered } = (globalThis as any).state ?? { sessions: new Map(), remembered: new Map() };
  const user = remembered.get(request.cookies.get('remember')?.value);
  if (!user || sessions.has(request.cookies.get('session')?.value)) return NextResponse.next({ request: { headers } });
  const value = crypto.randomUUID();
  sessions.set(value, user);
  headers.set('cookie', `session=${value}; remember=${request.cookies.get('remember')?.value}`);
  const response = NextResponse.next({ request: { headers } });
  response.cookies.set('session', value, { httpOnly: true, sameSite: 'lax' });
  return response;
}
