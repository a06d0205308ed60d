TOKEN=$(curl -sS -X POST 'https://rollcall.example/admin/sessions' \
  -H 'Authorization: Bearer rck_YOUR_KEY' \
  -H 'Content-Type: application/json' \
  -d '{"user": {"id": "42", "name": "Ada Lovelace", "email": "ada@example.com", "role": "editor", "team": "Engines", "organization": "Acme"}}' \
  | tee /dev/stderr | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
