package store

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// blank are letters, marks and symbols that are drawn as nothing, though Unicode does not say so of them: the pattern
// without dots of Braille, two spaces of hieroglyphs, a null notehead, and a filler of the Khitan script.
var blank = []rune{0x2800, 0x13441, 0x13442, 0x1d159, 0x16fe4}

// Invisible tells of a character that nobody sees between others: all that is not printed (the space of ASCII is), and
// what Unicode has a program draw as nothing (Default_Ignorable_Code_Point of DerivedCoreProperties.txt).
func Invisible(r rune) bool {
	return !unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || slices.Contains(blank, r)
}

// visible says of a name that nobody could see, in a list or a terminal, what it is made of. Any other stays as it is.
func visible(name *string) *string {
	if name == nil || *name == "" || strings.ContainsFunc(*name, isVisible) {
		return name
	}
	var codes []string
	for _, r := range *name {
		if codes = append(codes, fmt.Sprintf("U+%04X", r)); len(codes) == 3 {
			break
		}
	}
	return new("(invisible: " + strings.Join(codes, " ") + ")")
}

func isVisible(r rune) bool {
	return !Invisible(r) && r != ' ' && !unicode.In(r, unicode.Mn, unicode.Me)
}
