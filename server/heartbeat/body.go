// Package heartbeat reads what a heartbeat says: our own script's fast, anybody's as well as it can be
// read, without what may be secret in the address of a page. It knows no session.
package heartbeat

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/server/web"
)

// MaxBody bounds the body, in bytes.
const MaxBody = 4 << 10

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

// ErrBare is a body as text that brings no token.
var ErrBare = web.Unsupported("text/plain")

// Read returns what the body of a request says, at most MaxBody of it. A beacon of a closing page can send text/plain
// only, and then has to bring its token with it: a browser sends such a request
// from any page without asking.
func Read(r *http.Request) (beat api.Heartbeat, err error) {
	text, err := web.ReadBody(r, MaxBody)
	if err != nil || len(text) == 0 {
		return beat, err
	}
	kind := web.ContentType(r)
	if kind != "application/json" && kind != "text/plain" {
		return beat, web.Unsupported(kind)
	}
	beat, plain := plainBeat(text)
	if !plain {
		beat, err = anyBeat(text)
	}
	beat.Page = masked(beat.Page)
	if err == nil && kind == "text/plain" && beat.SessionToken == "" {
		return beat, ErrBare
	}
	return beat, err
}

// anyBeat reads a heartbeat as anybody's script may write it.
func anyBeat(text []byte) (api.Heartbeat, error) {
	var body beatBody
	if json.Unmarshal(text, &body) != nil { // fields of later versions are ignored
		return api.Heartbeat{}, web.Invalid("The body is not the JSON that is expected here")
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
