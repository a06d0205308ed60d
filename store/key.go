package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Key is the credential of an application's back end. Its secret is shown once
// and not stored.
type Key struct {
	ID        int64
	App       string
	Directory string // of the people of App
	Scopes    Scopes
	CreatedAt time.Time
}

const maxApp = 64 // characters of an app's name

// CreateKey makes a key for app, on behalf of actor, and returns it with its
// secret. The people of app are in a directory that other apps may have in common with it;
// "" is the one that it has, or its own. All keys of an app have the same. ErrInvalid for an app
// that differs from a known one in case only, or that is called like a directory which others have.
func (s *Store) CreateKey(ctx context.Context, now time.Time, actor, app, directory string, scopes Scopes) (Key, string, error) {
	if len(scopes) == 0 {
		return Key{}, "", sqldb.Invalid("a key needs at least one scope")
	}
	key := Key{ID: newID(), App: app, Scopes: scopes, CreatedAt: sqldb.Time(now.UnixMilli())}
	secret := newSecret(keyPrefix)
	err := s.write(ctx, func(t *tx) (err error) {
		if key.Directory, err = t.ensureApp(app, directory); err != nil {
			return err
		}
		_, err = t.Exec(`INSERT INTO api_keys (id, app, scopes, key_sha256, created_at) VALUES ($1, $2, $3, $4, $5)`,
			key.ID, key.App, key.Scopes.String(), digest(secret), now.UnixMilli())
		if err != nil {
			return sqldb.Wrap("storing a key", err)
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "key.create", Target: key.target(), Detail: key.words()})
	})
	if err != nil {
		return Key{}, "", err
	}
	return key, secret, nil
}

// target is the key as the target of an audit event.
func (k Key) target() string { return "key:" + strconv.FormatInt(k.ID, 10) }

// SharesDirectory tells whether the people of the app are in another directory than its own, which other apps may
// have in common with it.
func (k Key) SharesDirectory() bool { return k.Directory != ownDirectory(k.App) }

// words say what the key is for once it may be gone.
func (k Key) words() string {
	words := k.App + ": " + k.Scopes.String()
	if k.SharesDirectory() {
		words += "; directory " + k.Directory
	}
	return words
}

// Keys lists all keys, oldest first.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	rows, err := s.db.Rows(ctx, keyColumns+` ORDER BY k.created_at, k.id`)
	if err != nil {
		return nil, sqldb.Wrap("listing the keys", err)
	}
	keys, err := sqldb.Collect(rows, func(rows *sql.Rows) (Key, error) { return scanKey(rows.Scan) })
	return keys, sqldb.Wrap("listing the keys", err)
}

// KeyBySecret returns the key with this secret, or ErrNotFound.
func (s *Store) KeyBySecret(ctx context.Context, secret string) (Key, error) {
	key, err := scanKey(func(dest ...any) error {
		return s.db.Scan(ctx, dest, keyColumns+` WHERE k.key_sha256 = $1`, digest(secret))
	})
	return key, sqldb.Wrap("finding a key", err)
}

const keyColumns = `SELECT k.id, k.app, a.directory, k.scopes, k.created_at FROM api_keys k JOIN apps a ON a.name = k.app`

func scanKey(scan func(...any) error) (key Key, err error) {
	var scopes string
	var created int64
	if err = scan(&key.ID, &key.App, &key.Directory, &scopes, &created); err != nil {
		return Key{}, err
	}
	key.CreatedAt = sqldb.Time(created)
	if key.Scopes, err = ParseScopes(strings.Split(scopes, ",")); err != nil {
		return Key{}, fmt.Errorf("%w: the scopes of a key are %q", sqldb.ErrDamaged, scopes)
	}
	return key, nil
}

// KeySessions are how many active sessions a key has reported.
type KeySessions struct {
	All        int64
	WithAccess int64 // of people who may see who is online, or more
}

// KeySessions returns how many sessions a key has reported that are active at now. ErrNotFound for an unknown id.
func (s *Store) KeySessions(ctx context.Context, now time.Time, id int64) (n KeySessions, err error) {
	var known bool
	if err = s.db.Scan(ctx, []any{&known}, `SELECT EXISTS (SELECT 1 FROM api_keys WHERE id = $1)`, id); err == nil && !known {
		err = sqldb.ErrNotFound
	}
	if err != nil {
		return n, sqldb.Wrap("finding a key", err)
	}
	err = s.reportedBy(ctx, now, id, func(_ int64, access bool) {
		n.All++
		if access {
			n.WithAccess++
		}
	})
	return n, err
}

// reportedBy calls f with each active session that a key has reported, and whether it has access.
func (s *Store) reportedBy(ctx context.Context, now time.Time, key int64, f func(session int64, access bool)) error {
	m := s.at(now)
	err := s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var session int64
			var access bool
			err := rows.Scan(&session, &access)
			f(session, access)
			return err
		}, `
			SELECT s.id, s.max_access <> 'none' AND u.access <> 'none' FROM user_sessions s JOIN users u ON u.id = s.user_id
			WHERE s.is_active = true AND `+presence.InExpiryBlock(`s.expires_at`)+` >= $3 AND s.expires_at > $1 AND s.key_id = $2`,
			m.Expiry, key, presence.ExpiryBlock(m.Expiry))
	})
	return sqldb.Wrap("finding the sessions of a key", err)
}

// DeleteKey revokes a key from the next request on, and with it all access that it granted: sessions that it reported
// have none from then on. Those that had some end, and with endAll all of them; how many is returned. Others go on: their
// people did log in. Where that fails half-way, the key and the access are gone all the same.
func (s *Store) DeleteKey(ctx context.Context, now time.Time, actor string, id int64, endAll bool) (ended int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		var app, scopes string
		err := t.Scan([]any{&app, &scopes}, `DELETE FROM api_keys WHERE id = $1 RETURNING app, scopes`, id)
		if err != nil {
			return sqldb.Wrap("deleting a key", err)
		}
		if err := t.voidLinksByKey(id, app); err != nil {
			return err
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "key.delete", Target: Key{ID: id}.target(), Detail: app + ": " + scopes})
	})
	if err != nil {
		return 0, err
	}
	var sessions []int64
	err = s.reportedBy(ctx, now, id, func(session int64, access bool) {
		if access || endAll {
			sessions = append(sessions, session)
		}
	})
	if err != nil {
		return 0, err
	}
	return s.revokeEach(ctx, now, sessions, Ending{Reason: presence.EndRevoked, By: actor, Note: "its key was deleted"}, filterWords{})
}
