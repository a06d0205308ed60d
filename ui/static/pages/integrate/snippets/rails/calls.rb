include RollcallHelpers # in ApplicationController

return if rollcall_refuses?(user.to_rollcall) # before a login: a page that says why has been sent
rollcall_logged_out # before the session is reset
Rollcall.deactivated(user.id)
