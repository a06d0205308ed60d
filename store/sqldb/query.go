package sqldb

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall/store/fold"
)

// Query is SQL under construction, with its parameters. Texts have ? where a
// parameter goes; the finished text has $1, $2, ...
type Query struct {
	text strings.Builder
	args []any
}

// NewQuery begins a query with text, whose ? stand for args.
func NewQuery(text string, args ...any) *Query { return new(Query).Add(text, args...) }

// Add appends text, whose ? stand for args.
func (q *Query) Add(text string, args ...any) *Query {
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		q.args = append(q.args, arg)
		q.text.WriteString(before + "$" + strconv.Itoa(len(q.args)))
		text = after
	}
	q.text.WriteString(text)
	return q
}

// And appends a further condition.
func (q *Query) And(term string, args ...any) *Query { return q.Add(" AND "+term, args...) }

// MatchesFolded appends the condition that part, folded, is somewhere in text, which is.
func (q *Query) MatchesFolded(text, part string) *Query {
	return q.And(text+` LIKE ? ESCAPE '\'`, contains(fold.Text(part)))
}

// MatchesEither appends the condition that part is somewhere in text, of which there is no folded form, or in
// what is folded.
func (q *Query) MatchesEither(text, folded, part string) *Query {
	// Twice: lower() of SQLite knows ASCII only, other scripts match as typed.
	return q.And(`(lower(`+text+`) LIKE ? ESCAPE '\' OR `+text+` LIKE ? ESCAPE '\' OR `+folded+` LIKE ? ESCAPE '\')`,
		contains(strings.ToLower(part)), contains(part), contains(fold.Text(part)))
}

// List appends texts, of which there must be one, in brackets.
func (q *Query) List(texts []string) *Query { return AddList(q, texts) }

// AddList appends values, of which there must be one, in brackets.
func AddList[V any](q *Query, values []V) *Query {
	for i, value := range values {
		q.Add([]string{`(`, `, `}[min(i, 1)]+`?`, value)
	}
	return q.Add(`)`)
}

// String is the text of the query.
func (q *Query) String() string { return q.text.String() }

// Args are its parameters.
func (q *Query) Args() []any { return q.args }

// Each calls f for every row that the query returns.
func (q *Query) Each(ctx context.Context, look *sql.Tx, f func(*sql.Rows) error) error {
	return Each(ctx, look, f, q.String(), q.args...)
}

// Scan reads the one row that the query returns; sql.ErrNoRows without.
func (q *Query) Scan(ctx context.Context, look *sql.Tx, dest ...any) error {
	return look.QueryRowContext(ctx, q.String(), q.args...).Scan(dest...)
}

// contains is the pattern of LIKE ... ESCAPE '\' for a text with part in it.
func contains(part string) string { return "%" + BeginsWith(part) }

// BeginsWith is the pattern of LIKE ... ESCAPE '\' for a text that begins with part.
func BeginsWith(part string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}

// nul is the one character of a valid text that PostgreSQL does not store.
const nul, replacement = "\x00", "\uFFFD"

var errUnstorable = Invalid("text must be valid UTF-8 and must not have a NUL")

func storable(text string) bool { return !strings.Contains(text, nul) && utf8.ValidString(text) }

// StorableText is text with U+FFFD in place of what can not be stored.
func StorableText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, replacement), nul, replacement)
}
