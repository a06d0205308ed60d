package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

func TestWhoIsSentGzip(t *testing.T) {
	script := ours(t).Script("built/heartbeat.js")
	plain := get(script, "/heartbeat.js")
	for accept, want := range map[string]string{
		"":                            "",
		"gzip":                        "gzip",
		"GZIP":                        "gzip",
		"gzip, deflate, br, zstd":     "gzip",
		"br;q=1.0, gzip;q=0.8, *;q=0": "gzip",
		"*":                           "gzip",
		"*;q=0.1":                     "gzip",
		"gzip;q=0":                    "",
		"gzip; q=0.0":                 "",
		"gzip;q=0, *":                 "",
		"*;q=0":                       "",
		"identity, gzip;q=0.5":        "",
		"identity;q=0.5, gzip":        "gzip",
		"gzip;q=many":                 "",
		"gzip;level=9":                "",
		"br":                          "",
		"xgzip":                       "",
	} {
		got := get(script, "/heartbeat.js", "Accept-Encoding", accept)
		h := got.Header()
		if h.Get("Content-Encoding") != want || h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Length") != strconv.Itoa(got.Body.Len()) {
			t.Errorf("%q: %v", accept, h)
		}
		if body := unpacked(t, got); !bytes.Equal(body, plain.Body.Bytes()) {
			t.Errorf("%q: another script of %d bytes", accept, len(body))
		}
	}
}

func unpacked(t *testing.T, got *httptest.ResponseRecorder) []byte {
	t.Helper()
	body := got.Body.Bytes()
	if got.Header().Get("Content-Encoding") == "gzip" {
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body, err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return body
}

func TestBothFormsOfAFileHaveATagOfTheirOwn(t *testing.T) {
	files := ours(t)
	sheet, address := files.Static(http.NotFoundHandler()), "/"+files.Address("base/base.css")
	plain := get(sheet, address).Header().Get("ETag")
	packed := get(sheet, address, "Accept-Encoding", "gzip").Header().Get("ETag")
	if plain == packed {
		t.Fatalf("both have %s", plain)
	}
	again := get(sheet, address, "Accept-Encoding", "gzip", "If-None-Match", packed)
	if h := again.Header(); again.Code != 304 || again.Body.Len() > 0 || h.Get("Vary") == "" || h.Get("Content-Encoding") != "" {
		t.Errorf("again: %d %v", again.Code, h)
	}
	if other := get(sheet, address, "Accept-Encoding", "gzip", "If-None-Match", plain); other.Code != 200 {
		t.Errorf("with the tag of the other form: %d", other.Code)
	}
	r := httptest.NewRequest("HEAD", address, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	head := httptest.NewRecorder()
	sheet.ServeHTTP(head, r)
	if h := head.Header(); h.Get("ETag") != packed || h.Get("Content-Encoding") != "gzip" || h.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %v", h)
	}
}
