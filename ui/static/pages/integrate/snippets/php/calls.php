if (rollcall_refuses($person)) exit; // before a login: a page that says why has been sent
rollcall_logged_out(); // before the session is destroyed
Rollcall::passwordChanged($id, rollcall_session()); // the other sessions end
Rollcall::changed($person); // a new name, say
Rollcall::deactivated($id);
Rollcall::deleted($id);
