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

// Characters kept. An index of PostgreSQL has room for all of them, however many bytes they take.
const (
	maxUserAgent = 500
	maxDevice    = 40
)

// clipped cuts what only informs: a login must not fail over a long user agent.
func (o Origin) clipped() Origin {
	o.UserAgent = clip(o.UserAgent, maxUserAgent)
	for _, text := range []*string{&o.IPAddress, &o.Location} {
		*text = clip(*text, maxText)
	}
	for _, text := range []*string{&o.Device.Type, &o.Device.OS, &o.Device.Browser} {
		*text = clip(*text, maxDevice)
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
// an operating system or a browser, of any version unless one is named. Its index is kept out of it: nothing tells SQLite how
// many sessions that are.
func whereDevice(q *sqldb.Query, device string) {
	if device == "" {
		return
	}
	device = fold.Text(device) // the columns have the program's own words, which are ASCII
	q.And(`s.user_agent_id + 0 IN (SELECT id FROM user_agents
		WHERE lower(device_type) = ? OR lower(device_os) = ? OR lower(device_browser) = ? OR lower(device_browser) LIKE ? ESCAPE '\')`,
		device, device, device, sqldb.BeginsWith(device+" "))
}
