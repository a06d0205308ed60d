package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
)

func TestPrintable(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"names of the world stay", "Nguyễn Thị Mai 山田花子 Zoë", "Nguyễn Thị Mai 山田花子 Zoë"},
		{"an escape sequence loses its power", "Bob\x1b[2J\x1b]0;title\a", "Bob[2J]0;title"},
		{"so does one of a single 8-bit character", "Bob\u009b2J", "Bob2J"},
		{"nothing starts a new line", "a\nb\r\nc\td\u2028e\u0085f", "a b  c d e f"},
		{"nothing turns the direction", "a\u202ebc\u2066d", "abcd"},
		{"nothing is invisible", "a\u200bb\ufeffc\x00d\x7f", "abcd"},
		{"broken UTF-8 becomes visible", "a\xffb", "a\ufffdb"},
	}
	for _, test := range tests {
		if got := printable(test.text); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestTruncateCountsColumns(t *testing.T) {
	tests := []struct {
		text    string
		columns int
		want    string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"山田花子", 8, "山田花子"},
		{"山田花子", 7, "山田花…"},
		{"山田花子", 6, "山田…"},
		{"ab cd", 4, "ab…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"🙂🙂", 3, "🙂…"},
	}
	for _, test := range tests {
		got := truncate(test.text, test.columns)
		if got != test.want || width(got) > test.columns {
			t.Errorf("%q in %d: %q of %d columns, want %q", test.text, test.columns, got, width(got), test.want)
		}
	}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.Local)

func people() api.Online {
	return api.Online{Timestamp: api.At(noon), Users: []api.Person{
		{ID: "1", Name: "Ada Lovelace", ShownStatus: api.ShownStatus{Status: "available"}, Apps: []string{"wiki"}, OrganizationName: "Analytical",
			SessionStartedAt: api.At(noon.Add(-time.Hour)), LastActivityAt: api.At(noon.Add(-500 * time.Millisecond)), Page: "/notes"},
		{ID: "2", Name: "山田花子", ShownStatus: api.ShownStatus{Status: "away"}, Apps: []string{"shop", "wiki"},
			SessionStartedAt: api.At(noon.AddDate(0, 0, -20)), LastActivityAt: api.At(noon.Add(-61 * time.Second)), Page: "/"},
		{ID: "id-3", ShownStatus: api.ShownStatus{Status: "busy", StatusText: "On a call"}, Apps: []string{"wiki"}, OrganizationName: "Eve\x1b[31m\nInc",
			SessionStartedAt: api.At(noon.Add(-time.Minute)), LastActivityAt: api.At(noon.Add(-59 * time.Second))},
	}}
}

func TestWhoIsAligned(t *testing.T) {
	var got bytes.Buffer
	if err := printWho(&got, people()); err != nil {
		t.Fatal(err)
	}
	want := `
NAME          STATUS           APP        ORGANIZATION  SINCE   LAST  PAGE
Ada Lovelace  available        wiki       Analytical    11:00   now   /notes
山田花子      away             shop,wiki                Feb 12  1m    /
id-3          busy: On a call  wiki       Eve[31m Inc   11:59   59s
`
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAWideTerminalShowsPlacesAndDevices(t *testing.T) {
	page := people()
	for fit, want := range map[int]string{
		80: "NAME STATUS APP ORGANIZATION SINCE LAST PAGE", 200: "NAME STATUS APP ORGANIZATION SINCE LAST PAGE",
	} {
		if rows := whoTable(page, fit); strings.Join(rows.header, " ") != want {
			t.Errorf("where nothing is known, in %d columns: %v", fit, rows.header)
		}
	}
	page.Users[0].Location, page.Users[1].Device = "Berlin, Germany", api.Device{Type: "mobile", OS: "Android", Browser: "Firefox 143"}
	for fit, want := range map[int]string{
		99:  "NAME STATUS APP ORGANIZATION SINCE LAST PAGE",
		100: "NAME STATUS APP ORGANIZATION SINCE LAST PAGE PLACE",
		120: "NAME STATUS APP ORGANIZATION SINCE LAST PAGE PLACE DEVICE",
	} {
		rows := whoTable(page, fit)
		var got bytes.Buffer
		if err := rows.print(&got, nil); err != nil || strings.Join(strings.Fields(strings.SplitN(got.String(), "\n", 2)[0]), " ") != want {
			t.Errorf("%d columns, %v:\n%s", fit, err, &got)
		}
		if fit == 120 && !(strings.Contains(got.String(), "Berlin, Germany") && strings.Contains(got.String(), "Firefox 143 on Android")) {
			t.Errorf("cut off:\n%s", &got)
		}
	}
}

func TestWhoFitsEightyColumns(t *testing.T) {
	page := people()
	page.Users[0].Name = strings.Repeat("Very Long Name ", 10)
	page.Users[1].Page = "/" + strings.Repeat("山", 100)
	page.Users[1].Apps = []string{strings.Repeat("app", 40)}
	page.Users[2].OrganizationName = strings.Repeat("x", 200)
	var got bytes.Buffer
	if err := printWho(&got, page); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		if width(line) > 80 {
			t.Errorf("%d columns: %s", width(line), line)
		}
	}
	if !strings.Contains(got.String(), "available") || !strings.Contains(got.String(), "Feb 12") {
		t.Errorf("short columns were cut:\n%s", &got)
	}
}

func TestNobody(t *testing.T) {
	var got bytes.Buffer
	if err := printWho(&got, api.Online{}); err != nil || got.String() != "Nobody is online.\n" {
		t.Errorf("%q, %v", &got, err)
	}
	got.Reset()
	if err := printJSON(&got, nil); err != nil || got.String() != "[]\n" {
		t.Errorf("%q, %v", &got, err)
	}
}

func TestJSONCannotCommandATerminal(t *testing.T) {
	name := "a\x1b\u009b\u202e\U000e0041\x7f<b>"
	var got bytes.Buffer
	if err := printJSON(&got, []api.Person{{Name: name}}); err != nil {
		t.Fatal(err)
	}
	for _, r := range got.String() {
		if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) {
			t.Errorf("%U is written as it is", r)
		}
	}
	var back []api.Person
	if err := json.Unmarshal(got.Bytes(), &back); err != nil || back[0].Name != name {
		t.Errorf("it reads back as %+v, %v", back, err)
	}
}

func TestColour(t *testing.T) {
	rows := table{header: []string{"NAME", "STATUS"}}
	rows.add("Ada", "away\x1b[2J")
	rows.add("Bob", "away: at lunch")
	var got bytes.Buffer
	err := rows.print(&got, func(column int, cell string) string {
		if column == 1 {
			return colour(cell)
		}
		return cell
	})
	want := "NAME  STATUS\nAda   away[2J\nBob   \x1b[33maway: at lunch\x1b[0m\n"
	if err != nil || got.String() != want {
		t.Errorf("%q, %v", &got, err)
	}
}
