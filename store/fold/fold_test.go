package fold

import "testing"

func TestFold(t *testing.T) {
	for _, alike := range [][]string{
		{"ada", "Ada", "ADA"},
		{"arzte", "Ärzte", "ärzte", "ÄRZTE", "A\u0308rzte"},
		{"ozgur", "Özgür", "özgür", "ÖZGÜR"},
		{"ipek", "İpek", "ipek", "IPEK", "İPEK"},
		{"isik", "Işık", "ışık", "IŞIK"},
		{"strasse", "Straße", "STRASSE", "STRAẞE"},
		{"lukasz", "Łukasz", "ŁUKASZ"},
		{"soren", "Søren", "SØREN"},
		{"dorde", "Đorđe"},
		{"eclair", "Éclair", "E\u0301clair"},
		{"nguyen thi mai", "Nguyễn Thị Mai"},
		{"σισυφοσ", "Σίσυφος", "ΣΊΣΥΦΟΣ"},
		{"елкин", "Ёлкин", "ЁЛКИН", "Елкин"},
		{"abc 12", "ＡＢＣ　１２"},
		{"file", "ﬁle"},
		{"が", "か\u3099", "が"},
		{"가", "가"},
		{"कि", "कि"},
		{"ꮹ", "Ꮹ", "ꮹ"},
		{"\ufffda", "\xf5Ä", "\xf5a"},
		{"山田花子", "山田花子"},
		{"🙂", "🙂"},
		{"", ""},
	} {
		for _, text := range alike {
			if got := Text(text); got != alike[0] {
				t.Errorf("%q is folded to %q, want %q", text, got, alike[0])
			}
		}
		if again := Text(alike[0]); again != alike[0] {
			t.Errorf("%q is folded again to %q", alike[0], again)
		}
	}
	for _, other := range [][2]string{{"か", "が"}, {"कि", "की"}, {"а", "a"}, {"i", "l"}} {
		if Text(other[0]) == Text(other[1]) {
			t.Errorf("%q and %q are the same", other[0], other[1])
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Ärzte\xff\u0345")
	f.Fuzz(func(t *testing.T, text string) {
		if once := Text(text); Text(once) != once {
			t.Errorf("%q is folded to %q, and that to %q", text, once, Text(once))
		}
	})
}
