mkdir rollcall && cd rollcall
curl -fsSO https://rollcall.example/clients/go/rollcall.go
curl -fsSO https://rollcall.example/clients/go/call.go
