package doctor

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"rollcall/server/api"
)

// Refusal is how a heartbeat, or the report of a login, was refused.
type Refusal struct {
	Report bool   // of a login
	Code   string // of the answer
	App    string // that reported it, "" where nobody knows
	Origin string // of the page that sent the heartbeat, "" where it said none
}

// NoteRefused notes what was refused, and may be of somebody who works. Pages that are not allowed are noted
// for themselves: see Watch.
func (d *Doctor) NoteRefused(what Refusal) {
	if what.Code != originNotAllowed {
		d.refusals.note(d.cfg.Clock.Now(), what, 0)
	}
}

// originNotAllowed is the code of what a browser refuses, not the server.
const originNotAllowed = "origin_not_allowed"

// remedies say what to do about a code, of whatever was refused.
var remedies = map[string]struct{ words, paste string }{
	"unknown_host": {"It was sent to a host name that this server does not answer for. Send it to the address of --public-url, " +
		"or start the server with this setting, beside those that it has:", "--host NAME"},
	"not_found": {"It was sent to a path that is none here: logins are reported by POST /admin/sessions, heartbeats are sent by " +
		"POST /admin/users/heartbeat, both below --base-path, where there is one.", ""},
	"unauthenticated": {"Its key is unknown here, or it brought none: the application needs one of its own in ROLLCALL_KEY. Where it was " +
		"lost, or deleted, make another:", "rollcall key create --app NAME --scope sessions"},
	"forbidden": {"Its key may not report logins. Make one that may, and give it to the application:",
		"rollcall key create --app NAME --scope sessions"},
	"unavailable": {"The keys of the application's tokens, of --jwt, can not be read; why is in the server's log.", ""},
}

func remedy(code string) (words, paste string) {
	if code == "method_not_allowed" {
		code = "not_found"
	}
	if known, ok := remedies[code]; ok {
		return known.words, known.paste
	}
	return "The field error of the answer says what is wrong with it; /docs says what is expected.", ""
}

// reportsFinding tells of reports of logins that were refused.
func (d *Doctor) reportsFinding(now time.Time) api.Finding {
	return d.refusedFinding(now, "reports", "No report of a login was refused", func(what Refusal) bool { return what.Report },
		func(what Refusal, n int) (string, string) {
			from := "a stranger, or an application whose key is unknown"
			if what.App != "" {
				from = strconv.Quote(what.App)
			}
			return counted(n, "report of a login was", "reports of logins were") + " refused: " + what.Code, "of " + from
		})
}

// refusalsFinding tells of heartbeats that were refused.
func (d *Doctor) refusalsFinding(now time.Time) api.Finding {
	return d.refusedFinding(now, "refusals", "No heartbeat was refused for how it was sent", func(what Refusal) bool { return !what.Report },
		func(what Refusal, n int) (string, string) {
			from := "a page that does not say where it is"
			if what.Origin != "" {
				from = strconv.Quote(what.Origin)
			}
			return counted(n, "heartbeat was", "heartbeats were") + " refused: " + what.Code, "from " + from
		})
}

// refusedFinding tells of the most frequent refusal of some. It is a warning: a stranger can cause one.
func (d *Doctor) refusedFinding(now time.Time, check, fine string, is func(Refusal) bool, tell func(what Refusal, n int) (words, from string)) api.Finding {
	var all []Refusal
	var first occurrence
	refusals, seen := d.refusals.lately(now)
	for i, what := range refusals {
		if is(what) {
			all = append(all, what)
			first = cmp.Or(first, seen[i])
		}
	}
	if len(all) == 0 {
		return api.Fine(check, fine)
	}
	words, from := tell(all[0], first.count)
	fix, paste := remedy(all[0].Code)
	fix = fmt.Sprintf("The last, at %s, was %s%s. Until it is mended, the gate says caution while such come. %s", when(first.last), from, others(len(all)), fix)
	if paste == "" {
		return api.Warning(check, words, fix)
	}
	return api.Warning(check, words, fix, paste)
}

// others says how many kinds there are beside the first.
func others(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprint("; others were refused for ", n-1, " more reasons or from elsewhere")
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
