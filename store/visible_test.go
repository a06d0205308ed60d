package store

import "testing"

func TestANameThatNobodySeesIsShownAsWhatItIs(t *testing.T) {
	for name, want := range map[string]string{
		"\u200b\u200b":             "(invisible: U+200B U+200B)",
		"   ":                      "(invisible: U+0020 U+0020 U+0020)",
		"\u3164":                   "(invisible: U+3164)",
		"\u2800\u2800\u2800\u2800": "(invisible: U+2800 U+2800 U+2800)",
		"\u202e\u2066":             "(invisible: U+202E U+2066)",
		"\u0301":                   "(invisible: U+0301)",
		"\ufe0f\U000e0100":         "(invisible: U+FE0F U+E0100)",
		"\u034f\u17b4\uffa0":       "(invisible: U+034F U+17B4 U+FFA0)",
		"Ada":                      "Ada",
		"\u200bAda":                "\u200bAda",
		"李":                        "李",
		"👩\u200d🚀":                 "👩\u200d🚀",
		"":                         "",
	} {
		if got := *visible(&name); got != want {
			t.Errorf("%+q is shown as %+q, want %+q", name, got, want)
		}
	}
	if visible(nil) != nil {
		t.Error("no name is shown as one")
	}
}
