require Rails.root.join("lib/rollcall")

# In a controller: who is logged in, nil for nobody; and what your logout does, without an answer.
Rollcall.user = -> { current_user&.to_rollcall }
Rollcall.sign_out = -> { log_out }
