package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"strconv"
	"testing"

	"rollcall/store/storetest"
)

func TestWhoIsSentGzip(t *testing.T) {
	b := newBench(t, storetest.New(t))
	plain := do(t, b, "GET", "/heartbeat.js", nil)
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
		got := do(t, b, "GET", "/heartbeat.js", nil, header("Accept-Encoding", accept))
		h := got.Header()
		if h.Get("Content-Encoding") != want || h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Length") != strconv.Itoa(got.Body.Len()) {
			t.Errorf("%q: %v", accept, h)
		}
		if body := unpacked(t, got); !bytes.Equal(body, plain.Body.Bytes()) {
			t.Errorf("%q: another script of %d bytes", accept, len(body))
		}
	}
}

func unpacked(t *testing.T, got result) []byte {
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
	b := newBench(t, storetest.New(t))
	packs := header("Accept-Encoding", "gzip")
	plain := do(t, b, "GET", "/static/base.css", nil).Header().Get("ETag")
	packed := do(t, b, "GET", "/static/base.css", nil, packs).Header().Get("ETag")
	if plain == packed {
		t.Fatalf("both have %s", plain)
	}
	again := do(t, b, "GET", "/static/base.css", nil, packs, header("If-None-Match", packed))
	if h := again.Header(); again.Code != 304 || again.Body.Len() > 0 || h.Get("Vary") == "" || h.Get("Content-Encoding") != "" {
		t.Errorf("again: %d %v", again.Code, h)
	}
	do(t, b, "GET", "/static/base.css", nil, packs, header("If-None-Match", plain)).wants(200)
	head := do(t, b, "HEAD", "/static/base.css", nil, packs).Header()
	if head.Get("ETag") != packed || head.Get("Content-Encoding") != "gzip" || head.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %v", head)
	}
}
