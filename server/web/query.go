package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/server/api"
)

// Bounds of a page of a list.
const (
	defaultLimit = 200
	MaxLimit     = 1000
)

// Query reads the query of an address, which may have each of these names once.
func Query(query string, names ...string) (url.Values, error) {
	q, err := parsed(query)
	for name := range q {
		if !slices.Contains(names, name) {
			return nil, Invalid("There is no filter named " + strconv.Quote(name))
		}
	}
	if err == nil {
		err = once(q)
	}
	return q, err
}

// Flag reads a parameter that is true or false; one that is left out is false.
func Flag(q url.Values, name string) (bool, error) {
	switch q.Get(name) {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	}
	return false, Invalid(name + " must be true or false")
}

// Among is Query for an address to which callers add names of their own, such as `_` against
// caches: those are passed over, except a token, which must never stand there.
func Among(query string, names ...string) (url.Values, error) {
	q, err := parsed(query)
	for name := range q {
		if name == "token" {
			return nil, Invalid("A token never stands in the address")
		}
		if !slices.Contains(names, name) {
			q.Del(name)
		}
	}
	if err == nil {
		err = once(q)
	}
	return q, err
}

func parsed(query string) (url.Values, error) {
	// What can not be read must not widen the list; SQL's LIKE ends at a NUL, and PostgreSQL takes only UTF-8.
	q, err := url.ParseQuery(query)
	if whole, _ := url.QueryUnescape(query); err != nil || strings.Contains(whole, "\x00") || !utf8.ValidString(whole) {
		return nil, Invalid("The filters in the address are malformed")
	}
	return q, nil
}

func once(q url.Values) error {
	for name, values := range q {
		if len(values) > 1 {
			return Invalid("The filter " + name + " may be given once")
		}
	}
	return nil
}

// Limit reads how many entries a page of a list may have.
func Limit(q url.Values) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > MaxLimit {
		return 0, Invalid("limit must be between 1 and " + strconv.Itoa(MaxLimit))
	}
	return limit, nil
}

// ParseTime reads an instant, nil for none.
func ParseTime(name, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, Invalid(name + " must be a time such as 2026-03-02T14:32:00Z")
	}
	return &t, nil
}

// maxAhead is how far in the future a time may be that is given in milliseconds from now.
const maxAhead = 366 * 24 * time.Hour

// Ahead reads a time that is given either as such or as milliseconds from now, nil for none.
func Ahead(now time.Time, name string, at *api.Time, forName string, ms *int64) (*time.Time, error) {
	switch {
	case at != nil && ms != nil:
		return nil, Invalid("Either " + name + " or " + forName + " may be given")
	case at != nil:
		return &at.Time, nil
	case ms != nil:
		if *ms < 1 || *ms > maxAhead.Milliseconds() {
			return nil, Invalid(forName + " must be between 1 and the milliseconds of 366 days")
		}
		t := now.Add(time.Duration(*ms) * time.Millisecond)
		return &t, nil
	}
	return nil, nil
}
