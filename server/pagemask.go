package server

import (
	"regexp"
	"strings"
)

// A page may be the one of a link that was mailed, whose path is as good as a password: whoever sees the
// list would have it. Segments that look like such a secret are not kept.
var (
	secretNear = regexp.MustCompile(`(?i)reset|recover|verif|confirm|activat|invit|magic|token|unsubscri`)
	longRandom = regexp.MustCompile(`\w{20,}`)
	hasLetter  = regexp.MustCompile(`[A-Za-z]`)
)

// minSecret is how long a segment with a digit after one of these words is at least.
const minSecret = 8

// maskPage is a page with a star in place of what may be a secret.
func maskPage(page *string) *string {
	if page == nil {
		return nil
	}
	segments := strings.Split(*page, "/")
	near := false
	for i, segment := range segments {
		if isRandom(segment) || near && len(segment) >= minSecret && hasDigit(segment) {
			segments[i] = "*"
		}
		near = near || secretNear.MatchString(segment)
	}
	masked := strings.Join(segments, "/")
	return &masked
}

func isRandom(segment string) bool {
	for _, run := range longRandom.FindAllString(segment, -1) {
		if hasDigit(run) && hasLetter.MatchString(run) {
			return true
		}
	}
	return false
}

func hasDigit(text string) bool { return strings.ContainsAny(text, "0123456789") }
