package store

import "strings"

// searchText is a text that is looked for in many others. It is looked for by its rarest byte, which most of the others
// have seldom or not at all: by its first, which may be in all of them, as strings.Contains does, takes twice as long.
type searchText struct {
	text string
	at   int // of the rarest byte
}

// newSearchText chooses the byte by some of the texts; "" is in all.
func newSearchText(text string, some []string) searchText {
	var count [256]int
	for _, one := range some {
		for i := range len(one) {
			count[one[i]]++
		}
	}
	s := searchText{text: text}
	for i := range len(text) {
		if count[text[i]] < count[text[s.at]] {
			s.at = i
		}
	}
	return s
}

// in tells whether it is somewhere in another text.
func (s *searchText) in(text string) bool {
	if s.text == "" {
		return true
	}
	last := len(text) - len(s.text) // where it can begin
	for from := 0; from <= last; from++ {
		i := strings.IndexByte(text[from+s.at:last+s.at+1], s.text[s.at])
		if i < 0 {
			return false
		}
		if from += i; text[from:from+len(s.text)] == s.text {
			return true
		}
	}
	return false
}
