curl -fsSO https://rollcall.example/clients/django/rollcall.py
curl -fsSO https://rollcall.example/clients/django/rollcall_calls.py
