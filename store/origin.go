package store

import (
	"unicode/utf8"

	"rollcall/store/fold"
	"rollcall/store/sqldb"
)

// Origin is where a session is used from, as it was told at the login. Whoever
// tells it decides how much of it is kept.
type Origin struct {
	IPAddress string
	UserAgent string
	Device    Device
	Location  string // "" where it is not known
}

// Device is what a user agent says of itself, "" for what it does not.
type Device struct {
	Type    string // desktop, mobile, tablet or bot
	OS      string
	Browser string // with its major version
}

const maxUserAgent = 500 // characters kept

// clipped cuts what only informs: a login must not fail over a long user agent.
func (o Origin) clipped() Origin {
	o.UserAgent = clip(o.UserAgent, maxUserAgent)
	for _, text := range []*string{&o.IPAddress, &o.Location, &o.Device.Type, &o.Device.OS, &o.Device.Browser} {
		*text = clip(*text, maxText)
	}
	return o
}

func clip(text string, limit int) string {
	text = sqldb.StorableText(text)
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit])
}

// whereDevice adds the condition that sessions s are used on a device: of a type,
// an operating system or a browser, of any version unless one is named.
func whereDevice(q *sqldb.Query, device string) {
	if device == "" {
		return
	}
	device = fold.Text(device) // the columns have the program's own words, which are ASCII
	q.And(`(lower(s.device_type) = ? OR lower(s.device_os) = ? OR lower(s.device_browser) = ? OR lower(s.device_browser) LIKE ? ESCAPE '\')`,
		device, device, device, sqldb.BeginsWith(device+" "))
}
