curl -sS -X POST 'https://rollcall.example/admin/users/heartbeat' -H "Authorization: Bearer $TOKEN"
