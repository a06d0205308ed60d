post "/rollcall/token", to: "rollcall#token"
