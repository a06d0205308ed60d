package heartbeat

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestWhatOurScriptSendsIsPlain(t *testing.T) {
	for _, body := range []string{
		`{"idle_ms":1200,"visible":true,"page":"/orders/2041","seen":[]}`,
		`{"sessionToken":"abc.def-_","idle_ms":0,"visible":false,"page":"/%D0%B0","seen":["12","13"],"leaving":true,"client":"0123456789abcdef"}`,
	} {
		if _, plain := plainBeat([]byte(body)); !plain {
			t.Error("not plain:", body)
		}
	}
}

func TestWhatIsNotPlainIsLeftToTheWholeReader(t *testing.T) {
	for name, body := range map[string]string{
		"spaces":              `{"idle_ms": 5}`,
		"another case":        `{"IDLE_MS":5}`,
		"an escape":           `{"page":"/\u0061"}`,
		"a letter not ASCII":  `{"page":"/é"}`,
		"a number as text":    `{"idle_ms":"5"}`,
		"a fraction":          `{"idle_ms":5.5}`,
		"a year and a day":    `{"idle_ms":99999999999999999999}`,
		"a leading zero":      `{"idle_ms":05}`,
		"null":                `{"page":null}`,
		"a list within":       `{"seen":[["1"]]}`,
		"a field unknown":     `{"later":1}`,
		"a name too long":     `{"client":"` + strings.Repeat("x", maxName+1) + `"}`,
		"more behind":         `{"idle_ms":5}{}`,
		"a comma at the end":  `{"idle_ms":5,}`,
		"cut short":           `{"idle_ms":5`,
		"cut short in a text": `{"page":"/a`,
		"nothing in it":       `{}`,
	} {
		if beat, plain := plainBeat([]byte(body)); plain {
			t.Errorf("%s: %s is plain: %+v", name, body, beat)
		}
	}
}

// The patterns by which pathByPatterns does what pathOnly does.
var (
	schemeAndHost = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*`)
	hashRoute     = regexp.MustCompile(`^#!?/`)
	escaped       = regexp.MustCompile(`(?:%20|%[89A-Fa-f][0-9A-Fa-f])+`)
)

func pathByPatterns(page string) string {
	mark := strings.TrimSuffix(hashRoute.FindString(page), "/")
	path, _, _ := strings.Cut(page[len(mark):], "?")
	path, _, _ = strings.Cut(path, "#")
	return mark + escaped.ReplaceAllStringFunc(schemeAndHost.ReplaceAllString(path, ""), func(text string) (path string) {
		var coded []byte
		for i := 1; i < len(text); i += 3 {
			coded = append(coded, unhex(text[i])<<4|unhex(text[i+1]))
		}
		for at := 0; at < len(coded); {
			char, size := utf8.DecodeRune(coded[at:])
			if char == utf8.RuneError || !unicode.IsPrint(char) {
				path += text[3*at : 3*(at+size)]
			} else {
				path += string(char)
			}
			at += size
		}
		return path
	})
}

func unhex(digit byte) byte {
	return byte(strings.IndexByte("0123456789abcdef", strings.ToLower(string(digit))[0]))
}
