package origin

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/mileusna/useragent"

	"rollcall/store"
)

// maxRead is how much of a user agent is looked at; those of browsers are shorter.
const maxRead = 512

// plainName is what the name of a browser looks like. Where it is not known, a
// user agent is free to say anything.
var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 ._-]{0,39}$`)

// deviceOf reads a user agent. Nothing is known of what is neither a device nor
// says that it is a bot: curl, say, or nonsense.
func deviceOf(userAgent string) (d store.Device) {
	userAgent = userAgent[:min(len(userAgent), maxRead)]
	ua := useragent.Parse(userAgent)
	switch {
	case ua.Bot:
		d.Type = "bot"
	case ua.Tablet, ua.IsAndroid() && ua.Name == useragent.Chrome && !strings.Contains(userAgent, useragent.Mobile): // which is how Chrome says it
		d.Type = "tablet"
	case ua.Mobile:
		d.Type = "mobile"
	case ua.Desktop:
		d.Type = "desktop"
	default:
		return d
	}
	d.OS = ua.OS
	if plainName.MatchString(ua.Name) {
		d.Browser = ua.Name
		if major := ua.VersionNo.Major; major > 0 && major < 10000 {
			d.Browser += " " + strconv.Itoa(major)
		}
	}
	return d
}
