require Rails.root.join("lib/rollcall")

Rollcall.user = -> { current_user&.to_rollcall }
Rollcall.sign_out = -> { log_out }
