// Package presence has the rules: who is online, what their status is, whether it is safe to
// deploy, and when that changes by time alone. They are pure functions of a time, of what is
// recorded of sessions, and of the settings. The package knows no database (but for the
// condition that says the same in SQL), no clock and no HTTP.
package presence
