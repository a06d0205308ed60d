# For the session of your own whose cookie the visitor sends. KEY is its id; TOKEN is the same each time
# for one session: a keyed hash (HMAC) of its id, say. Answer {"token": "TOKEN"} to the page.
curl -sS --max-time 1 -X POST 'https://rollcall.example/admin/sessions' \
  -H 'Authorization: Bearer rck_YOUR_KEY' \
  -H 'Content-Type: application/json' \
  -d "{\"user\": {\"id\": \"42\", \"name\": \"Ada Lovelace\"}, \"session_key\": \"$KEY\", \"session_token\": \"$TOKEN\"}"
