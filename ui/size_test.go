package ui_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"testing"
)

// TestScriptsForHostPagesStaySmall measures what a browser is sent: the scripts, and those
// that they load when there is something to show.
func TestScriptsForHostPagesStaySmall(t *testing.T) {
	in := serve(t)
	for _, c := range []struct {
		script string
		limit  int
	}{
		{"heartbeat.js", 4 << 10},
		{part(t, in, "heartbeat.js", "heartbeat-notices.js"), 3 << 10},
		{part(t, in, "heartbeat.js", "heartbeat-live.js"), 1 << 10},
		{part(t, in, "heartbeat.js", "heartbeat-renew.js"), 2 << 10},
		{part(t, in, "heartbeat.js", "heartbeat-status.js"), 2 << 10},
		{part(t, in, "heartbeat.js", "heartbeat-explain.js"), 2 << 10},
		{part(t, in, "heartbeat.js", "heartbeat-source.js"), 1 << 10},
		{"online-users-panel.js", 12 << 10},
		{part(t, in, "online-users-panel.js", "online-users-panel-details.js"), 6 << 10},
		{"online-users-badge.js", 4 << 10},
	} {
		size := len(in.sent(t, c.script))
		t.Logf("%s: %d bytes of %d", c.script, size, c.limit)
		if size > c.limit {
			t.Errorf("%s has %d bytes, want at most %d", c.script, size, c.limit)
		}
	}
}

// part is the address by which a script loads another one.
func part(t *testing.T, in instance, script, name string) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(in.sent(t, script)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	folder := regexp.MustCompile(`static/\w+/built/`).Find(text)
	if err != nil || folder == nil || !bytes.Contains(text, []byte(name)) {
		t.Fatalf("%s does not load %s: %v", script, name, err)
	}
	return string(folder) + name
}

// sent is the body by which the server answers to a browser.
func (in instance) sent(t *testing.T, name string) []byte {
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
	return body
}
