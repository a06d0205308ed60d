package store

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestATextIsFoundAsByTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringOf(rapid.SampledFrom([]rune("abcé "))), 1, 20).Draw(rt, "texts")
		part := rapid.StringOfN(rapid.SampledFrom([]rune("abcé ")), 0, 4, -1).Draw(rt, "part")
		search := newSearchText(part, texts[:rapid.IntRange(0, len(texts)).Draw(rt, "known")])
		for _, text := range texts {
			if got, want := search.in(text), strings.Contains(text, part); got != want {
				rt.Errorf("%q in %q: %t, want %t", part, text, got, want)
			}
		}
	})
}
