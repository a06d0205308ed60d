package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gorilla/mux"

	"rollcall/store"
)

// Bounds of a request's body, in bytes.
const (
	maxBody      = 64 << 10
	maxHeartbeat = 4 << 10
)

// decode reads the body as exactly one JSON value of dest's form.
func decode(r *http.Request, dest any) error {
	if kind := contentType(r); kind != "application/json" {
		return unsupported(kind)
	}
	body, err := readBody(r, maxBody)
	if err != nil {
		return err
	}
	return unmarshal(body, dest, true)
}

func unsupported(kind string) error {
	if kind == "" {
		kind = "none"
	}
	return problem{http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be application/json, not " + kind}
}

// contentType returns the media type without its parameters, "" for none or a
// malformed one.
func contentType(r *http.Request) string {
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

func readBody(r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, problem{http.StatusRequestEntityTooLarge, "body_too_large",
			"The body must have at most " + strconv.FormatInt(limit, 10) + " bytes"}
	case err != nil:
		return nil, invalid("The body broke off")
	}
	return body, nil
}

// unmarshal reads one JSON value. A strict caller has misspelled a field that
// it would otherwise believe to have set.
func unmarshal(body []byte, dest any, strict bool) error {
	if !strict {
		if json.Unmarshal(body, dest) != nil {
			return invalid("The body is not the JSON that is expected here")
		}
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(dest); err != nil {
		return invalid("The body is not the JSON that is expected here: " + describe(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("The body must be one JSON value")
	}
	return nil
}

// describe says what is wrong with a body in the words of its writer.
func describe(err error) string {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var value *store.InvalidError
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

// pathID reads the numeric {id} of the path; whatever is no number is no entry.
func pathID(r *http.Request) (int64, bool) { return parseID(mux.Vars(r)["id"]) }

func parseID(text string) (int64, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}

// pathText reads the {id} of the path as text.
func pathText(r *http.Request) (string, error) {
	text, err := url.PathUnescape(mux.Vars(r)["id"])
	if err != nil {
		return "", invalid("The id in the address is malformed")
	}
	return text, nil
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
