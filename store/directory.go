package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// A directory is whose people are the same by the same id: those of one app, or of several that were
// made with one in common. The key of a user is the directory, a slash and the id as the application
// gives it; all tables have users by it. An account's key is its id, "rollcall:NAME".

const (
	keySeparator = "/" // which is in no directory's name

	// unknownDirectory has who was there before there were directories, and by then was not known to any app.
	unknownDirectory = "?"
)

// UserKey returns the key of the user with this id in a directory.
func UserKey(directory, id string) string {
	if directory == "" || directory == presence.PanelApp {
		return id
	}
	return directory + keySeparator + id
}

// SplitUserKey returns the directory and the id that a key is of.
func SplitUserKey(key string) (directory, id string) {
	if directory, id, ok := strings.Cut(key, keySeparator); ok {
		return directory, id
	}
	if strings.HasPrefix(key, accountPrefix) {
		return presence.PanelApp, key
	}
	return "", key
}

// Key is by what tables have the user.
func (u User) Key() string { return UserKey(u.Directory, u.ID) }

// Key is the key of the user with this id in the directory of who writes.
func (by By) Key(id string) string { return UserKey(by.Directory, id) }

// userKey scans a key as the directory and the id of a user.
type userKey struct{ of *User }

func (k userKey) Scan(v any) error {
	key, ok := v.(string)
	if !ok {
		return fmt.Errorf("%w: the key of a user is %v", sqldb.ErrDamaged, v)
	}
	k.of.Directory, k.of.ID = SplitUserKey(key)
	return nil
}

// AmbiguousUserError is ErrAmbiguousUser with where there are such users.
type AmbiguousUserError struct {
	ID          string
	Directories []string // at least two, in order
}

func (e *AmbiguousUserError) Error() string {
	return fmt.Sprintf("the id %q is in several directories: %s", e.ID, strings.Join(e.Directories, ", "))
}

// Is makes an AmbiguousUserError an ErrAmbiguousUser.
func (e *AmbiguousUserError) Is(target error) bool { return target == ErrAmbiguousUser }

// FindUser returns the key of the user with this id, or key, in a directory; "" is any. An
// [AmbiguousUserError] where several have this id, sqldb.ErrNotFound where nobody does. Of a named
// directory the key is returned whether or not there is such a user.
func (s *Store) FindUser(ctx context.Context, id, directory string) (string, error) {
	if directory != "" {
		return UserKey(directory, id), nil
	}
	directories, err := s.directories(ctx)
	if err != nil {
		return "", sqldb.Wrap("listing the directories", err)
	}
	keys := []string{id}
	for _, directory := range append(directories, unknownDirectory) {
		keys = append(keys, UserKey(directory, id))
	}
	var found []string
	for some := range slices.Chunk(keys, peopleAtOnce) {
		q := sqldb.NewQuery(`SELECT id FROM users WHERE id IN `).List(some)
		known, err := s.db.Texts(ctx, q.String(), q.Args()...)
		if err != nil {
			return "", sqldb.Wrap("finding a user", err)
		}
		found = append(found, known...)
	}
	switch len(found) {
	case 0:
		return "", sqldb.ErrNotFound
	case 1:
		return found[0], nil
	}
	ambiguous := &AmbiguousUserError{ID: id}
	for _, key := range found {
		directory, _ := SplitUserKey(key)
		ambiguous.Directories = append(ambiguous.Directories, directory)
	}
	slices.Sort(ambiguous.Directories)
	return "", ambiguous
}

func (s *Store) directories(ctx context.Context) ([]string, error) {
	return s.db.Texts(ctx, `SELECT DISTINCT directory FROM apps`)
}

// AppDirectory returns the directory that an app's people are in; sqldb.ErrNotFound for an app that is not known.
func (s *Store) AppDirectory(ctx context.Context, app string) (directory string, err error) {
	err = s.db.Scan(ctx, []any{&directory}, `SELECT directory FROM apps WHERE name = $1`, app)
	return directory, sqldb.Wrap("finding an app", err)
}

// EnsureApp returns the directory of an app, which it makes known where it is not: for an app without
// a key. ErrInvalid for a name that may not be made known; see [Store.CreateKey].
func (s *Store) EnsureApp(ctx context.Context, app string) (directory string, err error) {
	directory, err = s.AppDirectory(ctx, app)
	if !errors.Is(err, sqldb.ErrNotFound) {
		return directory, err
	}
	err = s.write(ctx, func(t *tx) error {
		directory, err = t.ensureApp(app, "")
		return err
	})
	return directory, err
}

// DirectoryOf returns the directory of an app: of one that is not known, that in which it would be.
func (s *Store) DirectoryOf(ctx context.Context, app string) (string, error) {
	directory, err := s.AppDirectory(ctx, app)
	if errors.Is(err, sqldb.ErrNotFound) {
		return ownDirectory(app), nil
	}
	return directory, err
}

// ensureApp makes an app known in a directory; "" is that in which it is, or its own.
func (t *tx) ensureApp(app, directory string) (string, error) {
	if err := checkApp(app); err != nil {
		return "", err
	}
	var current string
	err := t.Scan([]any{&current}, `SELECT directory FROM apps WHERE name = $1`, app)
	switch {
	case err == nil && (directory == "" || directory == current):
		return current, nil
	case err == nil:
		return directory, t.moveApp(app, current, directory)
	case !errors.Is(err, sql.ErrNoRows):
		return "", sqldb.Wrap("finding an app", err)
	}
	if directory, err = t.freeDirectory(app, directory); err != nil {
		return "", err
	}
	err = t.Scan([]any{&directory}, `
		INSERT INTO apps (name, directory) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET directory = apps.directory RETURNING directory`, app, directory) // where another replica was quicker
	return directory, sqldb.Wrap("storing an app", err)
}

func checkApp(app string) error {
	if app == "" || utf8.RuneCountInString(app) > maxApp || strings.TrimSpace(app) != app {
		return sqldb.Invalid(fmt.Sprintf("app must have 1 to %d characters and no space around them", maxApp))
	}
	if app == presence.PanelApp {
		return sqldb.Invalid(fmt.Sprintf("app %q is the panel itself", presence.PanelApp))
	}
	return nil
}

// ownDirectory is the directory of an app that has none in common with others.
func ownDirectory(app string) string {
	return strings.NewReplacer("%", "%25", keySeparator, "%2F").Replace(app)
}

// freeDirectory returns the directory for a new app. Nobody is to share people with others by a slip: by a
// name that differs in case only, or by an app that is called like a directory that others have.
func (t *tx) freeDirectory(app, directory string) (string, error) {
	own := directory == ""
	if own {
		directory = ownDirectory(app)
	}
	if err := checkDirectory(directory); err != nil {
		return "", err
	}
	var taken error
	err := t.Each(func(rows *sql.Rows) error {
		var name, of string
		err := rows.Scan(&name, &of)
		switch {
		case fold.Text(name) == fold.Text(app):
			taken = sqldb.Invalid(fmt.Sprintf("there is an app %q already: write it so, in the same case", name))
		case own && of == directory && taken == nil:
			taken = sqldb.Invalid(fmt.Sprintf("the people of app %q are in a directory %q: name this directory where they are those of app %q too, or give the app another name", name, of, app))
		}
		return err
	}, `SELECT name, directory FROM apps ORDER BY name`)
	if err != nil {
		return "", sqldb.Wrap("listing the apps", err)
	}
	return directory, taken
}

func checkDirectory(directory string) error {
	switch {
	case directory == "" || utf8.RuneCountInString(directory) > 3*maxApp || strings.TrimSpace(directory) != directory || strings.Contains(directory, keySeparator):
		return sqldb.Invalid(fmt.Sprintf("directory must have 1 to %d characters, no slash and no space around them", 3*maxApp))
	case directory == unknownDirectory || directory == presence.PanelApp || strings.HasPrefix(directory, accountPrefix):
		return sqldb.Invalid(fmt.Sprintf("the directory %q is the panel's own", directory))
	}
	return nil
}

// moveApp puts an app, of which nobody is known yet, into another directory.
func (t *tx) moveApp(app, from, to string) error {
	if err := checkDirectory(to); err != nil {
		return err
	}
	var used bool
	err := t.Scan([]any{&used}, `
		SELECT EXISTS (SELECT 1 FROM api_keys WHERE app = $1) OR EXISTS (SELECT 1 FROM users WHERE id >= $2 AND id < $3)`,
		app, from+keySeparator, from+string(keySeparator[0]+1))
	if err == nil && used {
		return sqldb.Invalid(fmt.Sprintf("the people of app %q are in the directory %q: all keys of an app have the same", app, from))
	}
	if err == nil {
		_, err = t.Exec(`UPDATE apps SET directory = $2 WHERE name = $1`, app, to)
	}
	return sqldb.Wrap("moving an app", err)
}
