package server

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// strip returns a script or style sheet as it is sent: comments that have their
// lines to themselves and indentation are left out, every other byte and every
// line's number stay. Lines of a template literal are not touched, because an
// application sees them. What the scanner does not understand is sent as it is.
func strip(name string, source []byte) []byte {
	s := &scanner{source: source, script: path.Ext(name) == ".js"}
	if kind := path.Ext(name); kind != ".js" && kind != ".css" || !s.scan() {
		return source
	}
	var sent bytes.Buffer
	for start := 0; start < len(source); {
		end := start + len(s.line(start))
		switch {
		case s.inside(s.literals, start):
			sent.Write(source[start:end])
		case !s.inside(s.comments, start):
			sent.Write(bytes.TrimLeft(source[start:end], " \t"))
		}
		if end < len(source) {
			sent.WriteByte('\n')
		}
		start = end + 1
	}
	return sent.Bytes()
}

// A scanner finds the comments and literals of a script or style sheet. It knows
// no grammar, only what can hide the beginning of a comment.
type scanner struct {
	source   []byte
	script   bool // or a style sheet
	at       int
	comments []span // whole lines
	literals []span // strings and templates
	braces   []int  // open ones, in each template around
	value    bool   // the last token ends a value, so that a slash divides
}

type span struct{ from, to int }

// scan reads the source and reports whether it made sense to the end.
func (s *scanner) scan() bool {
	s.braces = []int{0}
	for s.at < len(s.source) {
		from, known := s.at, true
		switch c := s.source[s.at]; {
		case s.sees("/*") || s.script && s.sees("//"):
			known = s.comment()
		case c == '"' || c == '\'':
			known = s.quoted(c)
		case s.script && (c == '`' || c == '}' && len(s.braces) > 1 && s.braces[len(s.braces)-1] == 0):
			known = s.template(c)
		case s.script && c == '/' && !s.value:
			s.expression()
		default:
			s.other(c)
		}
		if !known || s.at == from {
			return false
		}
	}
	return len(s.braces) == 1
}

func (s *scanner) sees(text string) bool { return bytes.HasPrefix(s.source[s.at:], []byte(text)) }

// line is the rest of the line that i is in.
func (s *scanner) line(i int) []byte {
	rest, _, _ := bytes.Cut(s.source[i:], []byte("\n"))
	return rest
}

// inside reports whether i lies in one of the spans, but not at its beginning:
// a line that begins with a literal may lose its indentation.
func (s *scanner) inside(spans []span, i int) bool {
	at, _ := slices.BinarySearchFunc(spans, i, func(s span, i int) int { return s.to - i })
	return at < len(spans) && spans[at].from < i
}

// comment skips a comment, and keeps it in mind if its lines hold nothing else.
func (s *scanner) comment() bool {
	from, to := s.at, s.at+len(s.line(s.at))
	if s.sees("/*") {
		length := bytes.Index(s.source[from+2:], []byte("*/"))
		if length < 0 {
			return false
		}
		to = from + 2 + length + 2
	}
	s.at = to
	first := bytes.LastIndexByte(s.source[:from], '\n') + 1
	rest := s.line(to)
	if len(bytes.TrimSpace(s.source[first:from])) == 0 && len(bytes.TrimSpace(rest)) == 0 {
		s.comments = append(s.comments, span{first - 1, to + len(rest)})
	}
	return true
}

// quoted skips a string, which ends with its line unless that is escaped.
func (s *scanner) quoted(quote byte) bool {
	from := s.at
	for s.at++; s.at < len(s.source); s.at++ {
		switch s.source[s.at] {
		case '\\':
			s.at++
		case '\n':
			return false
		case quote:
			s.at++
			s.value = true
			s.literals = append(s.literals, span{from, s.at})
			return true
		}
	}
	return false
}

// template skips from a backtick, or from the brace that ends an expression in a
// template, to the next expression or the template's end.
func (s *scanner) template(opening byte) bool {
	from := s.at
	if opening == '}' {
		s.braces = s.braces[:len(s.braces)-1]
	}
	for s.at++; s.at < len(s.source); s.at++ {
		switch {
		case s.source[s.at] == '\\':
			s.at++
			continue
		case s.source[s.at] == '`':
			s.at++
			s.value = true
		case s.sees("${"):
			s.at += len("${")
			s.value = false
			s.braces = append(s.braces, 0)
		default:
			continue
		}
		s.literals = append(s.literals, span{from, s.at})
		return true
	}
	return false
}

// expression skips a regular expression, or a slash that divides after all.
func (s *scanner) expression() {
	line, class := s.line(s.at), false
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				s.at += i + 1
				s.value = true
				return
			}
		}
	}
	s.at++
}

// other skips a word, a run of white space or one more byte.
func (s *scanner) other(c byte) {
	from := s.at
	for s.at < len(s.source) && wordByte(s.source[s.at]) {
		s.at++
	}
	if s.at > from {
		s.value = !slices.Contains(beforeValue, string(s.source[from:s.at]))
		return
	}
	s.at++
	switch {
	case c == '{':
		s.braces[len(s.braces)-1]++
	case c == '}':
		s.braces[len(s.braces)-1]--
	}
	if !strings.ContainsRune(" \t\r\n", rune(c)) {
		s.value = strings.ContainsRune(")]}", rune(c))
	}
}

// beforeValue are the words after which a slash begins a regular expression.
var beforeValue = []string{"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "instanceof", "yield", "await"}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
