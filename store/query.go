package store

import (
	"strconv"
	"strings"
)

// query is SQL under construction, with its parameters. Texts have ? where a
// parameter goes; the finished text has $1, $2, ...
type query struct {
	text strings.Builder
	args []any
}

// add appends text, whose ? stand for args.
func (q *query) add(text string, args ...any) *query {
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		q.args = append(q.args, arg)
		q.text.WriteString(before + "$" + strconv.Itoa(len(q.args)))
		text = after
	}
	q.text.WriteString(text)
	return q
}

// and appends a further condition.
func (q *query) and(term string, args ...any) *query { return q.add(" AND "+term, args...) }

// matches appends the condition that part is somewhere in text.
func (q *query) matches(text, part string) *query {
	// Twice: lower() of SQLite knows ASCII only, other scripts match as typed.
	return q.and(`(lower(`+text+`) LIKE ? ESCAPE '\' OR `+text+` LIKE ? ESCAPE '\')`, contains(strings.ToLower(part)), contains(part))
}

// list appends texts in brackets.
func (q *query) list(texts []string) *query { return listed(q, texts) }

// listed appends values, of which there must be one, in brackets.
func listed[V any](q *query, values []V) *query {
	for i, value := range values {
		q.add([]string{`(`, `, `}[min(i, 1)]+`?`, value)
	}
	return q.add(`)`)
}

func (q *query) String() string { return q.text.String() }

// contains is the pattern of LIKE ... ESCAPE '\' for a text with part in it.
func contains(part string) string { return "%" + begins(part) }

// begins is the pattern of LIKE ... ESCAPE '\' for a text that begins with part.
func begins(part string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}
