package presence

import "strings"

// OnlineRule is who is online, in SQL, for the sessions called alias: active,
// not expired, heard of within the online window (nor after it, by a clock that
// has been set back since), by more than a login of a while ago, and not left. It names the block of
// the activity for the index.
func OnlineRule(alias string) string {
	return strings.ReplaceAll(`s.is_active = true AND s.expires_at > ? AND `+InActivityBlock(`s.last_activity_at`)+` >= ? AND s.last_activity_at > ? AND s.last_activity_at <= ?
		AND (s.heard = true OR s.last_activity_at > ?) AND (s.leaving_at IS NULL OR s.leaving_at > ?)`, "s.", alias+".")
}

// Bounds returns the parameters of OnlineRule.
func (m Cutoffs) Bounds() []any {
	return []any{m.Expiry, ActivityBlock(m.Window), m.Window, m.Future, m.Login, m.Grace}
}

// AtRule is whose sessions s were on at a time in the past, as far as is known: logged in by then and
// not over, and neither past the online window nor past a goodbye. A row keeps its last activity only:
// who was heard of later may have been silent at that time, and is on here.
const AtRule = `s.created_at <= ? AND COALESCE(s.ended_at, s.expires_at) > ? AND s.last_activity_at > ?
	AND (s.heard = true OR s.last_activity_at > ?) AND (s.leaving_at IS NULL OR s.leaving_at > ?)`
