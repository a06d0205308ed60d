const refusal = await rollcall.refusal(person); // before a login: null for whoever may
if (refusal) return refusal.page(); // or show refusal.why
await rollcall.loggedOut(); // before the session is gone
await rollcall.passwordChanged(); // the other sessions end
await rollcall.changed(person); // a new name, say
await rollcall.deactivated(person.id);
await rollcall.deleted(person.id);
