curl -sS -X POST 'https://rollcall.example/admin/sessions/end' \
  -H 'Authorization: Bearer rck_YOUR_KEY' \
  -H 'Content-Type: application/json' \
  -d "{\"session_token\": \"$TOKEN\"}"
