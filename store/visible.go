package store

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// blank are letters and symbols that are drawn as nothing.
var blank = []rune{0x115f, 0x1160, 0x2800, 0x3164, 0xffa0, 0x17b4, 0x17b5}

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
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me, unicode.Zs) && !slices.Contains(blank, r)
}
