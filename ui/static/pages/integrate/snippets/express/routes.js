if (await rollcall.refuses(user, res)) return; // before a login: a page that says why has been sent
await rollcall.loggedOut(req); // before the session is destroyed
await rollcall.passwordChanged(req, user.id); // the other sessions end
await rollcall.changed(user); // a new name, say
await rollcall.deactivated(user.id);
await rollcall.deleted(user.id);
