package presence

// PanelApp is the app of the panel's own sessions. No key can be made for it, and who is only
// in the panel does not count as online.
const PanelApp = "rollcall"
