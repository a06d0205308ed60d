curl -fsSO https://rollcall.example/clients/express/rollcall.cjs
curl -fsSO https://rollcall.example/clients/express/rollcall.d.cts
