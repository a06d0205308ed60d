package sqldb

import (
	"context"
	"database/sql"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold is the form in which texts that people typed are compared, searched and sorted, in both
// databases alike: without the difference of case, of accents, and of ways to write the same character.
func Fold(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if plain := strings.ToLower(text); isASCII(plain) {
		return plain
	}
	text = strings.ToLower(cases.Fold().String(norm.NFKD.String(text))) // the case of Cherokee is folded the other way round
	return norm.NFKC.String(undecomposed.Replace(strings.Map(withoutAccent, norm.NFKD.String(text))))
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0
}

// withoutAccent drops the accents of Latin, Greek and Cyrillic letters. The marks of other scripts make other words.
func withoutAccent(r rune) rune {
	if r >= 0x300 && r <= 0x36f {
		return -1
	}
	return r
}

// undecomposed has the Latin letters that Unicode does not take for others with an accent, as people do.
var undecomposed = strings.NewReplacer("ł", "l", "ø", "o", "đ", "d", "ħ", "h", "ı", "i", "æ", "ae", "œ", "oe")

// FoldUser is what of a user is searched and sorted by, the name first.
func FoldUser(name, email, id, role, team string) string {
	return Fold(strings.Join([]string{name, email, id, role, team}, "\n")) // which sorts before what a name goes on with
}

// foldRows fills in the folded forms of a database from before these were kept.
func foldRows(ctx context.Context, conn *sql.Conn) error {
	users, err := textRows(ctx, conn, 5, `SELECT name, email, id, role, team_name FROM users`)
	if err != nil {
		return err
	}
	for _, u := range users {
		_, err := conn.ExecContext(ctx, `UPDATE users SET folded = $1, role_folded = $2 WHERE id = $3`, FoldUser(u[0], u[1], u[2], u[3], u[4]), Fold(u[3]), u[2])
		if err != nil {
			return err
		}
	}
	organizations, err := textRows(ctx, conn, 1, `SELECT name FROM organizations`)
	if err != nil {
		return err
	}
	for _, o := range organizations {
		if _, err := conn.ExecContext(ctx, `UPDATE organizations SET folded = $1 WHERE name = $2`, Fold(o[0]), o[0]); err != nil {
			return err
		}
	}
	return nil
}

// textRows reads rows of so many texts.
func textRows(ctx context.Context, conn *sql.Conn, columns int, query string) (all [][]string, err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return Collect(rows, func(rows *sql.Rows) ([]string, error) {
		row, dest := make([]string, columns), make([]any, columns)
		for i := range row {
			dest[i] = &row[i]
		}
		return row, rows.Scan(dest...)
	})
}
