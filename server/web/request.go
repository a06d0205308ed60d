package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"rollcall/store/sqldb"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 64 << 10

// Decode reads the body as exactly one JSON value of dest's form.
func Decode(r *http.Request, dest any) error {
	if kind := ContentType(r); kind != "application/json" {
		return Unsupported(kind)
	}
	body, err := ReadBody(r, maxBody)
	if err != nil {
		return err
	}
	return unmarshal(body, dest)
}

// Unsupported is the answer to a body of another media type than JSON.
func Unsupported(kind string) error {
	if kind == "" {
		kind = "none"
	}
	return &Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Words: "The body must be application/json, not " + kind}
}

// ContentType returns the media type without its parameters, "" for none or a
// malformed one.
func ContentType(r *http.Request) string {
	header := r.Header.Get("Content-Type")
	if header == "application/json" { // the usual case, without parsing
		return header
	}
	kind, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return kind
}

// ReadBody reads a body of at most limit bytes.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if n := r.ContentLength; n > 0 && n <= limit { // as nearly always: there is no more than that
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, Invalid("The body broke off")
		}
		return body, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
			Words: "The body must have at most " + strconv.FormatInt(limit, 10) + " bytes"}
	case err != nil:
		return nil, Invalid("The body broke off")
	}
	return body, nil
}

// unmarshal reads one JSON value. An unknown field is refused: whoever misspells one would
// believe that it is set.
func unmarshal(body []byte, dest any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(dest); err != nil {
		return Invalid("The body is not the JSON that is expected here: " + describe(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Invalid("The body must be one JSON value")
	}
	return nil
}

// describe says what is wrong with a body in the words of its writer.
func describe(err error) string {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var value *sqldb.InvalidError
	switch {
	case errors.As(err, &value):
		return value.Problem
	case errors.As(err, &wrong) && wrong.Field != "":
		return "wrong type for " + wrong.Field
	case errors.As(err, &wrong):
		return "an object is needed"
	case errors.As(err, &syntax):
		return "malformed at byte " + strconv.FormatInt(syntax.Offset, 10)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it is cut short"
	}
	const prefix = "json: " // an unknown field, which the error names
	if text := err.Error(); len(text) > len(prefix) && text[:len(prefix)] == prefix {
		return text[len(prefix):]
	}
	return "malformed"
}

// PathID reads the numeric {id} of the path; whatever is no number is no entry.
func PathID(r *http.Request) (int64, bool) { return ParseID(mux.Vars(r)["id"]) }

// ParseID reads an id as the API writes it.
func ParseID(text string) (int64, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}

// elsewhere stands in the path for an id that is in the query: some proxies refuse a path with
// %2F, or read it as a slash.
const elsewhere = "-"

// PathText reads the {id} of the path as text, or that of the query where the path says so.
func PathText(r *http.Request) (string, error) {
	if mux.Vars(r)["id"] == elsewhere && strings.Contains(r.URL.RawQuery, "id=") {
		q, err := parsed(r.URL.RawQuery)
		if err == nil && q.Has("id") {
			return q.Get("id"), once(q)
		}
		if err != nil {
			return "", err
		}
	}
	text, err := url.PathUnescape(mux.Vars(r)["id"])
	if err != nil || strings.Contains(text, "\x00") || !utf8.ValidString(text) { // which is never stored
		return "", Invalid("The id in the address is malformed")
	}
	return text, nil
}

// HostName returns the name or address in a Host header, in lower case.
func HostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
