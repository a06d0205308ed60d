// Package fold is the one form in which what people typed is compared, searched and sorted. It knows
// letters and nothing else.
package fold

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Text is the form in which texts that people typed are compared, searched and sorted, in both
// databases alike: without the difference of case, of accents, and of ways to write the same character.
func Text(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if plain := strings.ToLower(text); isASCII(plain) {
		return plain
	}
	text = strings.ToLower(cases.Fold().String(norm.NFKD.String(text))) // the case of Cherokee is folded the other way round
	return norm.NFKC.String(undecomposed.Replace(strings.Map(withoutAccent, norm.NFKD.String(text))))
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0
}

// withoutAccent drops the accents of Latin, Greek and Cyrillic letters. The marks of other scripts make other words.
func withoutAccent(r rune) rune {
	if r >= 0x300 && r <= 0x36f {
		return -1
	}
	return r
}

// undecomposed has the Latin letters that Unicode does not take for others with an accent, as people do.
var undecomposed = strings.NewReplacer("ł", "l", "ø", "o", "đ", "d", "ħ", "h", "ı", "i", "æ", "ae", "œ", "oe")

// User is what of a user is searched and sorted by, the name first.
func User(name, email, id, role, team string) string {
	return Text(strings.Join([]string{name, email, id, role, team}, "\n")) // which sorts before what a name goes on with
}
