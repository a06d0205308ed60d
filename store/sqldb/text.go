package sqldb

import (
	"strings"
	"unicode/utf8"
)

// nul is the one character of a valid text that PostgreSQL does not store.
const nul, replacement = "\x00", "\uFFFD"

var errUnstorable = Invalid("text must be valid UTF-8 and must not have a NUL")

func storable(text string) bool { return !strings.Contains(text, nul) && utf8.ValidString(text) }

// StorableText is text with U+FFFD in place of what can not be stored.
func StorableText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, replacement), nul, replacement)
}
