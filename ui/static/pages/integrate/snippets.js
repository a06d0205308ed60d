// What to paste into an application. Every snippet is complete: the real address, the
// key if one was just made, login, logout and what goes into the page.

export const PLACEHOLDER = 'rck_YOUR_KEY';

// The tabs, each {id, name, blocks: [{title, note, code}]}.
export function snippets(url, key = PLACEHOLDER) {
  return [curl(url, key), express(url, key), django(url, key), laravel(url, key), go(url, key), plain(url)];
}

const environment = (url, key) => ({
  title: 'Environment',
  note: 'The key belongs to the back end only. It must never reach a browser.',
  code: `ROLLCALL_URL=${url}
ROLLCALL_KEY=${key}`,
});

// Server-rendered pages hand the token over in a meta element.
const inPage = (url, token, note) => ({
  title: 'In the head of every page',
  note,
  code: `<meta name="rollcall-token" content="${token}">
<script src="${url}/heartbeat.js" data-token-from="meta:rollcall-token" defer></script>`,
});

function curl(url, key) {
  return {
    id: 'curl',
    name: 'curl',
    blocks: [
      {
        title: 'Someone logs in',
        note: 'The token in the answer is for their browser.',
        code: `TOKEN=$(curl -sS -X POST '${url}/admin/sessions' \\
  -H 'Authorization: Bearer ${key}' \\
  -H 'Content-Type: application/json' \\
  -d '{"user": {"id": "42", "name": "Ada Lovelace", "email": "ada@example.com", "role": "editor", "team": "Engines", "organization": "Acme"}}' \\
  | tee /dev/stderr | sed -n 's/.*"token": *"\\([^"]*\\)".*/\\1/p')`,
      },
      {
        title: 'Their browser says that they are here',
        note: 'Once a minute. This is what the script tag does.',
        code: `curl -sS -X POST '${url}/admin/users/heartbeat' -H "Authorization: Bearer $TOKEN"`,
      },
      {
        title: 'They log out',
        code: `curl -sS -X POST '${url}/admin/sessions/end' \\
  -H 'Authorization: Bearer ${key}' \\
  -H 'Content-Type: application/json' \\
  -d "{\\"session_token\\": \\"$TOKEN\\"}"`,
      },
      {
        title: 'In every page',
        note: 'With the token where your page keeps it.',
        code: `<script src="${url}/heartbeat.js" data-token-from="localStorage:accessToken" defer></script>`,
      },
    ],
  };
}

function express(url, key) {
  return {
    id: 'express',
    name: 'Express',
    blocks: [
      environment(url, key),
      {
        title: 'rollcall.js',
        note: 'Node 18 or later; no package is needed.',
        code: `const { ROLLCALL_URL, ROLLCALL_KEY } = process.env;

async function call(path, body) {
  const response = await fetch(ROLLCALL_URL + path, {
    method: 'POST',
    headers: { Authorization: \`Bearer \${ROLLCALL_KEY}\`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(3000),
  });
  if (!response.ok) throw new Error(\`Rollcall answered \${response.status}: \${await response.text()}\`);
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
}`,
      },
      {
        title: 'Your routes',
        note: 'With express-session. Rollcall being down keeps nobody from logging in.',
        code: `import { reportLogin, reportLogout } from './rollcall.js';

app.post('/login', async (req, res) => {
  const user = await checkPassword(req.body); // yours
  req.session.rollcallToken = await reportLogin(req, user).catch(console.error);
  res.redirect('/');
});

app.post('/logout', async (req, res) => {
  await reportLogout(req.session.rollcallToken).catch(console.error);
  req.session.destroy(() => res.redirect('/login'));
});`,
      },
      inPage(url, '<%= rollcallToken %>', 'EJS; pass rollcallToken: req.session.rollcallToken to render.'),
    ],
  };
}

function django(url, key) {
  return {
    id: 'django',
    name: 'Django',
    blocks: [
      environment(url, key),
      {
        title: 'rollcall.py',
        note: 'In one of your apps. Import it in the ready() of that app\'s AppConfig.',
        code: `import json
import logging
import os
from urllib.request import Request, urlopen

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver

log = logging.getLogger(__name__)


def call(path, body):
    request = Request(
        os.environ["ROLLCALL_URL"] + path,
        data=json.dumps(body).encode(),
        headers={
            "Authorization": "Bearer " + os.environ["ROLLCALL_KEY"],
            "Content-Type": "application/json",
        },
    )
    with urlopen(request, timeout=3) as response:
        return json.load(response)


# Rollcall being down keeps nobody from logging in: errors only go to the log.
@receiver(user_logged_in)
def report_login(sender, request, user, **kwargs):
    try:
        answer = call("/admin/sessions", {
            "user": {
                "id": str(user.pk),
                "name": user.get_full_name() or user.get_username(),
                "email": user.email,
            },
            "ip_address": request.META["REMOTE_ADDR"],
            "user_agent": request.headers.get("User-Agent", ""),
        })
        request.session["rollcall_token"] = answer["session"]["token"]
    except OSError:
        log.exception("login not reported")


@receiver(user_logged_out)
def report_logout(sender, request, user, **kwargs):
    token = request.session.get("rollcall_token")
    if not token:
        return
    try:
        call("/admin/sessions/end", {"session_token": token})
    except OSError:
        log.exception("logout not reported")`,
      },
      inPage(url, '{{ request.session.rollcall_token }}', 'In your base template.'),
    ],
  };
}

function laravel(url, key) {
  return {
    id: 'laravel',
    name: 'Laravel',
    blocks: [
      { ...environment(url, key), title: '.env' },
      {
        title: 'config/services.php',
        code: `'rollcall' => [
    'url' => env('ROLLCALL_URL'),
    'key' => env('ROLLCALL_KEY'),
],`,
      },
      {
        title: 'app/Providers/AppServiceProvider.php',
        note: 'rescue() logs what goes wrong: Rollcall being down keeps nobody from logging in.',
        code: `<?php

namespace App\\Providers;

use Illuminate\\Auth\\Events\\Login;
use Illuminate\\Auth\\Events\\Logout;
use Illuminate\\Http\\Client\\PendingRequest;
use Illuminate\\Support\\Facades\\Event;
use Illuminate\\Support\\Facades\\Http;
use Illuminate\\Support\\ServiceProvider;

class AppServiceProvider extends ServiceProvider
{
    public function boot(): void
    {
        Event::listen(fn (Login $event) => rescue(fn () => $this->reportLogin($event)));
        Event::listen(fn (Logout $event) => rescue(fn () => $this->reportLogout()));
    }

    private function reportLogin(Login $event): void
    {
        $answer = $this->rollcall()->post('/admin/sessions', [
            'user' => [
                'id' => (string) $event->user->getAuthIdentifier(),
                'name' => $event->user->name,
                'email' => $event->user->email,
            ],
            'ip_address' => request()->ip(),
            'user_agent' => (string) request()->userAgent(),
        ])->throw();

        session(['rollcall_token' => $answer->json('session.token')]);
    }

    private function reportLogout(): void
    {
        if ($token = session('rollcall_token')) {
            $this->rollcall()->post('/admin/sessions/end', ['session_token' => $token])->throw();
        }
    }

    private function rollcall(): PendingRequest
    {
        return Http::baseUrl(config('services.rollcall.url'))
            ->withToken(config('services.rollcall.key'))
            ->timeout(3);
    }
}`,
      },
      inPage(url, "{{ session('rollcall_token') }}", 'In your Blade layout.'),
    ],
  };
}

function go(url, key) {
  return {
    id: 'go',
    name: 'Go',
    blocks: [
      environment(url, key),
      {
        title: 'rollcall.go',
        note: 'Only the standard library.',
        code: `package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

var rollcallHTTP = &http.Client{Timeout: 3 * time.Second}

// reportLogin returns the token for the browser.
func reportLogin(r *http.Request, id, name, email string) (string, error) {
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	var answer struct {
		Session struct {
			Token string \`json:"token"\`
		} \`json:"session"\`
	}
	err := rollcall(r.Context(), "/admin/sessions", map[string]any{
		"user":       map[string]string{"id": id, "name": name, "email": email},
		"ip_address": ip,
		"user_agent": r.UserAgent(),
	}, &answer)
	return answer.Session.Token, err
}

func reportLogout(ctx context.Context, token string) error {
	return rollcall(ctx, "/admin/sessions/end", map[string]string{"session_token": token}, nil)
}

func rollcall(ctx context.Context, path string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("ROLLCALL_URL")+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("ROLLCALL_KEY"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := rollcallHTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("rollcall answered %s", resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}`,
      },
      inPage(url, '{{.RollcallToken}}', 'With html/template.'),
    ],
  };
}

function plain(url) {
  return {
    id: 'script',
    name: 'Script tag',
    blocks: [
      {
        title: 'In every page',
        note: 'The token may be in localStorage:KEY, sessionStorage:KEY, cookie:NAME or meta:NAME. Logging in later needs no reload.',
        code: `<script src="${url}/heartbeat.js" data-token-from="localStorage:accessToken" defer></script>`,
      },
      {
        title: 'Login and logout, from your back end',
        note: 'Your own token works too, once your back end reports it with the login as session_token; the other tabs show the code.',
        code: `POST ${url}/admin/sessions
{"user": {"id": "42", "name": "Ada Lovelace"}, "session_token": "the token your page keeps"}

POST ${url}/admin/sessions/end
{"session_token": "the token your page keeps"}`,
      },
      {
        title: 'When the session is ended elsewhere',
        note: 'In a script of your page.',
        code: `document.addEventListener('rollcall:ended', (event) => {
  localStorage.removeItem('accessToken');
  location.assign('/login?reason=' + encodeURIComponent(event.detail.reason));
});`,
      },
      {
        title: 'Busy or away',
        note: 'In a script of your page, for whoever is signed in there. Others see it in the list.',
        code: `await rollcall.setStatus('busy', 'Recording a meeting', { minutes: 30 });
await rollcall.setStatus('available');`,
      },
      {
        title: 'Who is online, in a page of yours',
        note: 'The token is that of a session whose user has the access viewer or admin.',
        code: `<script src="${url}/online-users-panel.js" defer></script>
<online-users-panel src="${url}" token="THE_SESSION_TOKEN"></online-users-panel>`,
      },
      {
        title: 'How many are online, in a corner of yours',
        note: 'The same token.',
        code: `<script src="${url}/online-users-badge.js" defer></script>
<online-users-badge src="${url}" token="THE_SESSION_TOKEN"></online-users-badge>`,
      },
    ],
  };
}
