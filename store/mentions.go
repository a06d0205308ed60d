package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/store/fold"
	"rollcall/store/sqldb"
)

// What others did to somebody, or said of them, is not theirs, and stays when they are erased: without them.

// How an entry of the audit log forgets somebody; $2 is their pseudonym, which it has once.
const (
	noWords  = `words = '', salt = NULL, erased = CASE WHEN erased LIKE '%' || $2 || ',%' THEN erased ELSE erased || $2 || ',' END`
	noTarget = `target = 'erased:' || $2, detail = '', ` + noWords
	noActor  = `actor = 'erased:' || $2, detail = '', ` + noWords
)

// mentions are what names a user by a word, as a reader has found it.
type mentions struct {
	entries []int64 // of the audit log
	texts   []mention
}

// mention is a text that people see, and what it is without the user.
type mention struct {
	in        typedText
	was, left string
}

// typedText is where people typed a text that others see, which does not go: find has those that are not of the user $1.
type typedText struct{ find, replace string }

var typedTexts = []typedText{
	{`SELECT DISTINCT message FROM notices WHERE $1 <> ''`, `UPDATE notices SET message = $2 WHERE message = $1`},
	{`SELECT DISTINCT message FROM drain WHERE $1 <> ''`, `UPDATE drain SET message = $2 WHERE message = $1`},
	{`SELECT DISTINCT text FROM status_claims WHERE text <> '' AND user_id <> $1`, `UPDATE status_claims SET text = $2 WHERE text = $1`},
}

// findMentions looks for what names the user with this key by one of words.
func (s *Store) findMentions(ctx context.Context, id string, words []string) (found mentions, err error) {
	found.entries, err = s.findRows(ctx, namedBy(words), `SELECT id, words FROM audit WHERE words <> ''`)
	for _, in := range typedTexts {
		if err != nil {
			break
		}
		var typed []string
		typed, err = s.db.Texts(ctx, in.find, id)
		for _, text := range typed {
			left := text
			for _, word := range identifying(words) {
				left = maskWord(left, word)
			}
			if left != text {
				found.texts = append(found.texts, mention{in: in, was: text, left: left})
			}
		}
	}
	return found, sqldb.Wrap("looking for a user", err)
}

// findRows returns the ids that a query reads, with texts, of those whose text matches.
func (s *Store) findRows(ctx context.Context, matches func(text string) bool, query string, args ...any) (found []int64, err error) {
	err = s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var row int64
			var text string
			err := rows.Scan(&row, &text)
			if matches(text) {
				found = append(found, row)
			}
			return err
		}, query, args...)
	})
	return found, sqldb.Wrap("looking for a user", err)
}

// anonymizeSessions takes a user out of the sessions of others, found by a reader and written in batches, and returns how
// many these were.
func (s *Store) anonymizeSessions(ctx context.Context, id string, words []string) (total int64, err error) {
	ended, err := s.findRows(ctx, func(string) bool { return true },
		`SELECT id, ended_by FROM user_sessions WHERE is_active = false AND ended_by = $1 AND user_id <> $2`, UserActor(id), id)
	if err != nil {
		return 0, err
	}
	noted, err := s.findRows(ctx, namedBy(words), `SELECT id, end_note FROM user_sessions WHERE is_active = false AND end_note <> ''`)
	if err != nil {
		return 0, err
	}
	for _, part := range []struct {
		found  []int64
		forget string
	}{
		{ended, `UPDATE user_sessions SET ended_by = 'erased', end_note = '' WHERE id = $1`},
		{noted, `UPDATE user_sessions SET end_note = '' WHERE id = $1`},
	} {
		for some := range slices.Chunk(part.found, revokeBatch) {
			err := s.write(ctx, func(t *tx) error {
				for _, session := range some {
					if _, err := t.Exec(part.forget, session); err != nil {
						return sqldb.Wrap("taking a user out", err)
					}
				}
				return nil
			})
			if err != nil {
				return total, err
			}
			total += int64(len(some))
		}
	}
	return total, nil
}

// anonymize takes a user out of the audit log and of what others see, and returns how many rows these were.
func (t *tx) anonymize(who erasure, named mentions) (total int64, err error) {
	user := UserActor(who.id)
	do := func(statement string, args ...any) {
		if err == nil {
			var n int64
			n, err = t.Exec(statement, args...)
			total += n
		}
	}
	do(`UPDATE notices SET created_by = 'erased' WHERE created_by = $1`, user)
	do(`UPDATE drain SET started_by = 'erased' WHERE started_by = $1`, user)
	for _, text := range named.texts {
		do(text.in.replace, text.was, text.left)
	}
	do(`UPDATE audit SET `+noTarget+` WHERE target = $1`, user, who.pseudonym)
	do(`UPDATE audit SET `+noTarget+` WHERE target IN (SELECT 'session:' || CAST(id AS TEXT) FROM user_sessions WHERE user_id = $1)`, who.id, who.pseudonym)
	do(`UPDATE audit SET `+noActor+` WHERE actor = $1`, user, who.pseudonym)
	for _, entry := range named.entries {
		do(`UPDATE audit SET `+noWords+` WHERE id = $1 AND words <> ''`, entry, who.pseudonym)
	}
	return total, sqldb.Wrap("taking a user out", err)
}

// identifying are those of words that would mean the person where they stand in a note.
func identifying(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return !isIdentifying(word) })
}

// namedBy tells of a text whether one of words names somebody in it.
func namedBy(words []string) func(text string) bool {
	words = identifying(words)
	return func(text string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return containsWord(text, word) })
	}
}

// isIdentifying tells whether a word in a note would mean the person: a letter does
// not, nor does a small number, which counts something.
func isIdentifying(word string) bool {
	n := utf8.RuneCountInString(word)
	digits := strings.Trim(word, "0123456789") == ""
	return n >= 2 && (n >= 5 || !digits)
}

// containsWord tells whether word stands in text as a whole, in whatever case.
func containsWord(text, word string) bool {
	text, word = fold.Text(text), fold.Text(word)
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(text[:from+i])
		after, size := utf8.DecodeRuneInString(text[from+i+len(word):])
		if !partOfWord(before) && !partOfWord(after) {
			return true
		}
		from += i + max(size, 1)
	}
}

func partOfWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// maskWord puts a star in the place of a word, in whatever case, where it stands as a whole.
func maskWord(text, word string) string {
	if !containsWord(text, word) {
		return text
	}
	var masked strings.Builder
	folded, from := fold.Text(word), 0
	for i := range text {
		if before, _ := utf8.DecodeLastRuneInString(text[:i]); i < from || partOfWord(before) {
			continue
		}
		if end := wordEnd(text, i, folded); end > i {
			masked.WriteString(text[from:i] + "*")
			from = end
		}
	}
	if left := masked.String() + text[from:]; !containsWord(left, word) {
		return left
	}
	return "*" // where the letters are not one after the other as they are compared
}

// wordEnd is where the word that begins at a place of a text ends, if it is the one that is folded; 0: it is not.
func wordEnd(text string, from int, folded string) int {
	end := 0
	for i := from; i <= len(text); {
		next, size := utf8.DecodeRuneInString(text[i:])
		if i > from && !partOfWord(next) && fold.Text(text[from:i]) == folded {
			end = i // with the accents that follow a letter
		} else if end > 0 {
			break
		}
		i += max(size, 1)
	}
	return end
}
