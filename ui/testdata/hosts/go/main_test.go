package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"
)

// TestTheApplication is of the application's own tests, in which Rollcall is off although it is configured.
func TestTheApplication(t *testing.T) {
	reset()
	server := httptest.NewServer(routes())
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	page, err := client.PostForm(server.URL+"/login", url.Values{"name": {"ada"}, "password": {"secret"}})
	if err != nil || page.StatusCode != http.StatusOK {
		t.Fatal(page, err)
	}
	req, _ := http.NewRequest("POST", server.URL+"/rollcall/token", nil)
	req.Header.Set("X-Rollcall", "renew")
	if token, err := client.Do(req); err != nil || token.StatusCode != http.StatusNoContent {
		t.Fatal(token, err)
	}
	if _, err := client.PostForm(server.URL+"/logout", nil); err != nil {
		t.Fatal(err)
	}
}
