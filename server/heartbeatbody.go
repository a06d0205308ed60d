package server

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall/server/api"
	"rollcall/server/web"
)

// maxHeartbeat bounds the body of a heartbeat, in bytes.
const maxHeartbeat = 4 << 10

// maxIdle bounds what a browser may claim, far beyond every rule.
const maxIdle = 366 * 24 * time.Hour

// beatBody is a heartbeat as anybody's script may write it. A person who is there must not
// be taken for gone because a number came as text: what can be read is read, the rest is
// taken as not said. Only a token has to be one.
type beatBody struct {
	SessionToken string   `json:"sessionToken"`
	IdleMS       anything `json:"idle_ms"`
	Page         anything `json:"page"`
	Leaving      anything `json:"leaving"`
	Seen         anything `json:"seen"`
	Client       anything `json:"client"`
}

// heartbeatOf reads the body. A beacon of a closing page can send text/plain
// only, and then has to bring its token with it: a browser sends such a request
// from any page without asking.
func heartbeatOf(r *http.Request) (beat api.Heartbeat, err error) {
	text, err := web.ReadBody(r, maxHeartbeat)
	if err != nil || len(text) == 0 {
		return beat, err
	}
	kind := web.ContentType(r)
	if kind != "application/json" && kind != "text/plain" {
		return beat, web.Unsupported(kind)
	}
	var body beatBody
	if json.Unmarshal(text, &body) != nil { // fields of later versions are ignored
		return beat, web.Invalid("The body is not the JSON that is expected here")
	}
	if kind == "text/plain" && body.SessionToken == "" {
		return beat, web.Unsupported(kind)
	}
	return api.Heartbeat{SessionToken: body.SessionToken, IdleMS: body.IdleMS.milliseconds(), Page: pathOnly(body.Page.text()),
		Leaving: body.Leaving.isTrue(), Seen: body.Seen.texts(), Client: body.Client.name()}, nil
}

// anything is a JSON value of whatever type.
type anything struct{ json.RawMessage }

// text is a text, or a number as one; nil for all else.
func (a anything) text() *string {
	var value any
	d := json.NewDecoder(bytes.NewReader(a.RawMessage))
	d.UseNumber()
	_ = d.Decode(&value) // of a part of a value that was read: can only be nothing
	switch v := value.(type) {
	case string:
		return &v
	case json.Number:
		return new(v.String())
	}
	return nil
}

// maxName is how many bytes a name has that a browser gives itself.
const maxName = 64

// name is a short text; "" for all else.
func (a anything) name() string {
	if text := a.text(); text != nil && len(*text) <= maxName {
		return *text
	}
	return ""
}

// texts is a list of them, or a single one.
func (a anything) texts() (list []string) {
	var parts []anything
	if json.Unmarshal(a.RawMessage, &parts) != nil {
		parts = []anything{a}
	}
	for _, part := range parts {
		if text := part.text(); text != nil {
			list = append(list, *text)
		}
	}
	return list
}

// isTrue tells whether it says yes. What is unclear does not: who is taken for gone may be there.
func (a anything) isTrue() bool {
	if text := a.text(); text != nil {
		return *text == "1" || strings.EqualFold(*text, "true")
	}
	return string(a.RawMessage) == "true"
}

// milliseconds is an age. One that can not be is none: whoever may be there counts as there.
func (a anything) milliseconds() int64 {
	text := a.text()
	if text == nil {
		return 0
	}
	ms, err := strconv.ParseFloat(strings.TrimSpace(*text), 64)
	if err != nil || math.IsNaN(ms) || ms < 0 || ms > float64(maxIdle.Milliseconds()) {
		return 0
	}
	return int64(ms)
}

// schemeAndHost is what stands before the path where a page gives its whole address.
var schemeAndHost = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*`)

// hashRoute is the beginning of a page's name in applications that keep it in the fragment.
var hashRoute = regexp.MustCompile(`^#!?/`)

// pathOnly cuts off query, fragment (unless the page is one) and a password before the host, where
// secrets stand, whatever the browser sent.
func pathOnly(page *string) *string {
	if page == nil {
		return nil
	}
	mark := strings.TrimSuffix(hashRoute.FindString(*page), "/")
	path := (*page)[len(mark):]
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	path = mark + readable(schemeAndHost.ReplaceAllString(path, ""))
	return &path
}

// escapes are letters that are not ASCII, and spaces, as they stand in addresses.
var escapes = regexp.MustCompile(`(?:%20|%[89A-Fa-f][0-9A-Fa-f])+`)

// readable decodes a path as far as it stays the same path: a slash that is escaped is none.
func readable(path string) string {
	return escapes.ReplaceAllStringFunc(path, func(text string) string {
		var path strings.Builder
		coded := unescape(text)
		for at := 0; at < len(coded); {
			char, size := utf8.DecodeRune(coded[at:])
			if char == utf8.RuneError || !unicode.IsPrint(char) {
				path.WriteString(text[3*at : 3*(at+size)])
			} else {
				path.WriteRune(char)
			}
			at += size
		}
		return path.String()
	})
}

// unescape returns the bytes that a row of escapes stands for.
func unescape(text string) []byte {
	coded, _ := hex.DecodeString(strings.ReplaceAll(text, "%", "")) // of digits, as the pattern says
	return coded
}
