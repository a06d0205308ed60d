package cli

import (
	"strings"
	"testing"

	"rollcall/server/api"
)

func TestKickSaysWhatEndedThoughTheSampleIsOfJustBefore(t *testing.T) {
	ada := api.ListedSession{User: api.SessionUser{ID: "7", Name: "Ada"}, App: "wiki"}
	for _, c := range []struct {
		name     string
		done     api.Revoked
		want     string
		mentions string // in the lines after the first
	}{
		{"a login came in between", api.Revoked{Count: 1}, "Ended 1 session of 7.", ""},
		{"one more came in between", api.Revoked{Count: 2, Sample: []api.ListedSession{ada}}, "Ended 2 sessions of Ada.", "and 1 more"},
		{"a logout came in between", api.Revoked{Count: 1, Sample: []api.ListedSession{ada, ada}}, "Ended 1 session of Ada.", "wiki"},
	} {
		var out strings.Builder
		if err := printKick(&out, "7", c.done); err != nil {
			t.Fatal(err)
		}
		first, rest, _ := strings.Cut(out.String(), "\n")
		if first != c.want || !strings.Contains(rest, c.mentions) || strings.Contains(rest, "-1") || c.mentions == "" && rest != "" {
			t.Errorf("%s: %q", c.name, out.String())
		}
	}
}
