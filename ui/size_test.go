package ui_test

import (
	"io"
	"net/http"
	"testing"
)

// TestScriptsForHostPagesStaySmall measures what a browser is sent, by element:
// its script and what that loads before anybody asks for more.
func TestScriptsForHostPagesStaySmall(t *testing.T) {
	in := serve(t)
	for _, c := range []struct {
		scripts []string
		limit   int
	}{
		{[]string{"heartbeat.js"}, 4 << 10},
		{[]string{"heartbeat-notices.js"}, 3 << 10},
		{[]string{"heartbeat-live.js"}, 1 << 10},
		{[]string{"online-users-panel.js", "online-users-feed.js"}, 12 << 10},
		{[]string{"online-users-panel-details.js", "device.js"}, 6 << 10},
		{[]string{"online-users-badge.js", "online-users-feed.js"}, 4 << 10},
	} {
		total := 0
		for _, name := range c.scripts {
			total += in.sent(t, name)
		}
		t.Logf("%v: %d bytes of %d", c.scripts, total, c.limit)
		if total > c.limit {
			t.Errorf("%v have %d bytes, want at most %d", c.scripts, total, c.limit)
		}
	}
}

// sent is how long the body is by which the server answers to a browser.
func (in instance) sent(t *testing.T, name string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", in.url+"/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || answer.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s: %s, %v", name, answer.Status, err)
	}
	return len(body)
}
