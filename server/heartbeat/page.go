package heartbeat

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pathOnly cuts off query, fragment (unless the page is one) and a password before the host, where
// secrets stand, whatever the browser sent.
func pathOnly(page *string) *string {
	if page == nil {
		return nil
	}
	mark := hashMark(*page)
	path := (*page)[len(mark):]
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	path = mark + readable(withoutHost(path))
	return &path
}

// hashMark is what stands before the path in applications that keep it in the fragment.
func hashMark(page string) string {
	for _, mark := range []string{"#", "#!"} {
		if strings.HasPrefix(page, mark) && strings.HasPrefix(page[len(mark):], "/") {
			return mark
		}
	}
	return ""
}

// withoutHost cuts off scheme and host, where a page gives its whole address.
func withoutHost(path string) string {
	rest, ok := strings.CutPrefix(path[schemeEnd(path):], "//")
	if !ok {
		return path
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return ""
}

// schemeEnd is where the scheme of an address has ended, 0 where it has none.
func schemeEnd(path string) int {
	for i, c := range []byte(path) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		switch {
		case letter, i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '.' || c == '-'):
		case c == ':' && i > 0:
			return i + 1
		default:
			return 0
		}
	}
	return 0
}

// readable decodes a path as far as it stays the same path: a slash that is escaped is none.
func readable(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	var text strings.Builder
	for at := 0; at < len(path); {
		if n := escapes(path[at:]); n > 0 {
			decode(&text, path[at:at+n])
			at += n
			continue
		}
		text.WriteByte(path[at])
		at++
	}
	return text.String()
}

// escapes is how many bytes at the head of a path are escapes, one after the other, of letters that are not
// ASCII, and of spaces.
func escapes(path string) (n int) {
	for len(path) >= n+3 && path[n] == '%' && (path[n+1:n+3] == "20" || isHex(path[n+1]) && path[n+1] >= '8' && isHex(path[n+2])) {
		n += 3
	}
	return n
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// decode writes what a row of escapes stands for, but for what can not be read.
func decode(path *strings.Builder, text string) {
	coded, _ := hex.DecodeString(strings.ReplaceAll(text, "%", "")) // of digits
	for at := 0; at < len(coded); {
		char, size := utf8.DecodeRune(coded[at:])
		if char == utf8.RuneError || !unicode.IsPrint(char) {
			path.WriteString(text[3*at : 3*(at+size)])
		} else {
			path.WriteRune(char)
		}
		at += size
	}
}
