package cli

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/server/client"
)

func TestTheDoctorComparesClocks(t *testing.T) {
	for name, c := range map[string]struct {
		ahead, took time.Duration
		want        string
	}{
		"the same":                         {0, 0, "ok The server's agrees with this machine's"},
		"nearly the same":                  {-2 * time.Second, 0, "ok The server's agrees with this machine's"},
		"as far as a slow answer may tell": {4 * time.Second, 4 * time.Second, "ok The server's agrees with this machine's"},
		"further":                          {4001 * time.Millisecond, 4 * time.Second, "warning The server's is 4s ahead of this machine's"},
		"behind":                           {-30 * time.Second, time.Second, "warning The server's is 30s behind this machine's"},
		"far ahead":                        {time.Hour + 5*time.Second, 0, "problem The server's is 1h0m5s ahead of this machine's"},
		"far behind":                       {-61 * time.Second, 0, "problem The server's is 1m1s behind this machine's"},
	} {
		f := compareClocks(c.ahead, c.took)
		if got := string(f.State) + " " + f.Words; got != c.want || (f.Fix == "") != (f.State == "ok") {
			t.Errorf("%s: %s, want %s; the fix: %s", name, got, c.want, f.Fix)
		}
	}
}

// The time in an answer is of when it was written, half way through.
func TestTheDoctorReadsTheClockOfAServer(t *testing.T) {
	for ahead, want := range map[time.Duration]api.FindingState{0: "ok", -time.Hour: "problem", 10 * time.Second: "warning"} {
		away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"success":true,"timestamp":%q}`, time.Now().Add(ahead).UTC().Format(time.RFC3339Nano))
		}))
		asked := client.New(away.URL, "")
		if f := clockFinding(t.Context(), asked); f.State != want {
			t.Errorf("a clock %v ahead: %s %s", ahead, f.State, f.Words)
		}
		asked.Close()
		away.Close()
	}
}

func TestTheDoctorTellsApartWhatAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		body, want string
	}{
		"a server below a path":    {404, `{"success":false,"code":"not_found","error":"There is nothing here"}`, "Rollcall is there, but not below this path"},
		"one of another name":      {421, `{"success":false,"code":"unknown_host","error":"This server does not answer for that host name"}`, "Does not answer to the name 127.0.0.1"},
		"one that can not write":   {503, `{"success":false,"code":"unavailable","error":"The server can not store anything right now"}`, "Is up, but not ready: The server can not store anything right now"},
		"a proxy without Rollcall": {502, `<html>`, "Something else answers: 502 Bad Gateway"},
		"one that wants TLS":       {400, `Client sent an HTTP request to an HTTPS server.`, "Something answers 400 Bad Request"},
		"another program":          {200, `<html>`, "Does not answer at URL"},
		"another JSON":             {200, `{"status":"up"}`, "Does not answer at URL"},
	} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		}))
		d := doctorCommand{server: serverFlags{url: other.URL}, data: t.TempDir()}
		findings, err := d.examine(t.Context())
		other.Close()
		if err != nil || len(findings) != 1 || findings[0].State != "problem" || findings[0].Fix == "" ||
			strings.ReplaceAll(findings[0].Words, other.URL, "URL") != c.want {
			t.Errorf("%s: %+v %v", name, findings, err)
		}
	}
}

func TestTheDoctorKnowsAPublicAddress(t *testing.T) {
	for url, want := range map[string]api.FindingState{
		"http://127.0.0.1:8080": "ok", "http://localhost:8080": "ok", "http://10.1.2.3": "ok", "http://[fd00::1]:8080": "ok", "http://100.100.1.2": "ok",
		"https://8.8.8.8": "ok", "http://8.8.8.8:8080": "warning", "http://[2606:4700::1111]": "warning",
	} {
		d := doctorCommand{server: serverFlags{url: url}}
		if f := d.transport(t.Context()); f.State != want {
			t.Errorf("%s: %s %s", url, f.State, f.Words)
		}
	}
}

func TestFindingsFitTheTerminalAndDoNotCommandIt(t *testing.T) {
	var screen bytes.Buffer
	err := printFindings(&screen, []api.Finding{
		api.Fine("server", "Answers"),
		api.Problem("origins", strings.Repeat("long ", 20), "What to do about it, in a text that does not fit into one line of eighty columns.\x1b[2J",
			"--allow-origin https://"+strings.Repeat("a", 80)+".example", "evil\x1b]0;\nid"),
	})
	want := `ok       server      Answers
problem  origins     long long long long long long long long long long long lon…
         What to do about it, in a text that does not fit into one line of
         eighty columns.[2J
           --allow-origin https://` + strings.Repeat("a", 80) + `.example
           evil]0; id
`
	if diff := cmp.Diff(want, screen.String()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
