@rollcall
