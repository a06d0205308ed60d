package web

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func FuzzStrictBody(f *testing.F) {
	for _, body := range []string{"", "{}", "null", "[]", `"x"`, `{"user":{"id":"a"}}`, `{"user":{"id":"a","access":"x"}}`, `{"user":5}`, `{"usr":1}`, `{}{}`, `{} `, `{"user":{"name":null}}`, "{\"a\":\"\xff\"}", `{"USER":{}}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in struct {
			User struct {
				ID     string  `json:"id"`
				Name   *string `json:"name"`
				Access *string `json:"access"`
			} `json:"user"`
			Token string `json:"session_token"`
		}
		r := &http.Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body))}
		if err := Decode(r, &in); err != nil {
			theirs(t, err)
			return
		}
		if !json.Valid(body) {
			t.Errorf("%q was taken and is no JSON", body)
		}
		var fields map[string]any
		if err := json.Unmarshal(body, &fields); err != nil {
			t.Errorf("%q was taken and is no object: %v", body, err)
		}
		for name := range fields {
			if !strings.EqualFold(name, "user") && !strings.EqualFold(name, "session_token") {
				t.Errorf("%q was taken with the field %q", body, name)
			}
		}
	})
}

// theirs checks that an error is the caller's own and does not speak of the program.
func theirs(t *testing.T, err error) {
	t.Helper()
	p := Explain(err)
	if p.Status < 400 || p.Status > 499 || strings.Contains(p.Words, "json:") || strings.Contains(p.Words, "Go ") {
		t.Errorf("got %d %q", p.Status, p.Words)
	}
}
