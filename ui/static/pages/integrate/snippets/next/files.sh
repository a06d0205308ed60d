curl -fsSO https://rollcall.example/clients/next/rollcall.ts
