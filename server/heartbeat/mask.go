package heartbeat

import (
	"regexp"
	"slices"
	"strings"
)

// A page may be the one of a link that was mailed, whose path is as good as a password: whoever sees the
// list would have it. Segments that look like such a secret are not kept.
var (
	secretNear = regexp.MustCompile(`(?i)reset|recover|verif|confirm|activat|invit|magic|token|unsubscri`)
	longRandom = regexp.MustCompile(`\w{20,}`)
	hasLetter  = regexp.MustCompile(`[A-Za-z]`)
)

// minSecret is how many bytes a segment with a secret in it has at least.
const minSecret = 8

// masked is a page with a star in place of what may be a secret.
func masked(page *string) *string {
	if page == nil {
		return nil
	}
	segments := strings.Split(*page, "/")
	if !slices.ContainsFunc(segments, mayBeSecret) { // as in nearly every heartbeat
		return page
	}
	near := false
	for i, segment := range segments {
		if mayBeSecret(segment) && (near || isRandom(segment)) {
			segments[i] = "*"
		}
		near = near || secretNear.MatchString(segment)
	}
	return new(strings.Join(segments, "/"))
}

// mayBeSecret tells whether a segment is long enough for one and has a digit: no other is taken for one.
func mayBeSecret(segment string) bool { return len(segment) >= minSecret && hasDigit(segment) }

// isRandom tells whether a segment looks like a secret in whatever address.
func isRandom(segment string) bool {
	for _, run := range longRandom.FindAllString(segment, -1) {
		if hasDigit(run) && hasLetter.MatchString(run) {
			return true
		}
	}
	return false
}

func hasDigit(text string) bool { return strings.ContainsAny(text, "0123456789") }
