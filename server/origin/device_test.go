package origin

import (
	"strings"
	"testing"
	"unicode"

	"rollcall/store"
)

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

func TestDevices(t *testing.T) {
	const webkit = " AppleWebKit/537.36 (KHTML, like Gecko) "
	for userAgent, want := range map[string]store.Device{
		firefox: {Type: "desktop", OS: "Windows", Browser: "Firefox 140"},
		"Mozilla/5.0 (X11; Linux x86_64)" + webkit + "Chrome/140.0.0.0 Safari/537.36":                                                             {Type: "desktop", OS: "Linux", Browser: "Chrome 140"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64)" + webkit + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":                                     {Type: "desktop", OS: "Windows", Browser: "Edge 140"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15":                   {Type: "desktop", OS: "macOS", Browser: "Safari 18"},
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)" + webkit + "Chrome/140.0.0.0 Safari/537.36":                                                    {Type: "desktop", OS: "ChromeOS", Browser: "Chrome 140"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1": {Type: "mobile", OS: "iOS", Browser: "Safari 18"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1":  {Type: "mobile", OS: "iOS", Browser: "Chrome 140"},
		"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1":          {Type: "tablet", OS: "iOS", Browser: "Safari 18"},
		"Mozilla/5.0 (Linux; Android 10; K)" + webkit + "Chrome/140.0.0.0 Mobile Safari/537.36":                                                   {Type: "mobile", OS: "Android", Browser: "Chrome 140"},
		"Mozilla/5.0 (Linux; Android 10; K)" + webkit + "Chrome/140.0.0.0 Safari/537.36":                                                          {Type: "tablet", OS: "Android", Browser: "Chrome 140"},
		"Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0":                                                                    {Type: "mobile", OS: "Android", Browser: "Firefox 143"},
		"Mozilla/5.0 (Android 15; Tablet; rv:143.0) Gecko/143.0 Firefox/143.0":                                                                    {Type: "tablet", OS: "Android", Browser: "Firefox 143"},
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                                                {Type: "bot", Browser: "Googlebot 2"},
		"": {}, "curl/8.5.0": {}, "Go-http-client/2.0": {}, "python-requests/2.32": {}, "Mozilla/5.0": {}, "Firefox": {}, "UA": {}, "(((;;;": {}, "\x00\x1b[31m": {},
	} {
		if got := deviceOf(userAgent); got != want {
			t.Errorf("%q: %+v, want %+v", userAgent, got, want)
		}
	}
}

// nonsense are user agents that are none.
var nonsense = []string{
	"\x00(Windows NT \x1b[31m\u202e<script>/9999999999999999999", strings.Repeat("(Android;", 1<<20), strings.Repeat("a/1;", 1<<20), strings.Repeat("é", 1<<20),
	"Mozilla/5.0 (Linux; Android 10; K) =cmd|' /C calc'!A0/7 Mobile", "Mozilla/5.0 (Windows NT 10.0) <img src=x onerror=alert(1)>/1", "(Windows NT) \xff\xfe/1", "Android;",
	"Mozilla/5.0 (Windows NT 10.0) " + strings.Repeat("Long", 100) + "/1", "Mozilla/5.0 (Windows NT 10.0) Firefox/-140", "Mozilla/5.0 (Windows NT 10.0) Firefox/999999999999999999999999",
}

func TestAHostileUserAgentIsNoDevice(t *testing.T) {
	for _, userAgent := range nonsense {
		harmlessDevice(t, userAgent)
	}
}

func FuzzDevice(f *testing.F) {
	for _, userAgent := range nonsense[4:] {
		f.Add(userAgent)
	}
	f.Fuzz(harmlessDevice)
}

// harmlessDevice expects that whatever a user agent says, what is kept of it is
// short and plain.
func harmlessDevice(t *testing.T, userAgent string) {
	d := deviceOf(userAgent)
	for _, text := range []string{d.Type, d.OS, d.Browser} {
		if len(text) > 45 || strings.ContainsFunc(text, func(r rune) bool {
			return r > unicode.MaxASCII || unicode.IsControl(r) || strings.ContainsRune(`<>=|'"`, r)
		}) {
			t.Errorf("%.80q: %q", userAgent, text)
		}
	}
	if d.Type == "" && d != (store.Device{}) {
		t.Errorf("%.80q: %+v without a type", userAgent, d)
	}
}

func BenchmarkDevice(b *testing.B) {
	for b.Loop() {
		deviceOf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0")
	}
}
