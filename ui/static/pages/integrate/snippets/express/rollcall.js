const { ROLLCALL_URL, ROLLCALL_KEY } = process.env;

async function call(path, body) {
  const response = await fetch(ROLLCALL_URL + path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ROLLCALL_KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(3000),
  });
  if (!response.ok) throw new Error(`Rollcall answered ${response.status}: ${await response.text()}`);
  return response.json();
}

// Resolves to the token for the browser.
export async function reportLogin(req, user) {
  const { session } = await call('/admin/sessions', {
    user: { id: String(user.id), name: user.name, email: user.email },
    ip_address: req.ip,
    user_agent: req.get('User-Agent'),
  });
  return session.token;
}

export async function reportLogout(token) {
  if (token) await call('/admin/sessions/end', { session_token: token });
}
