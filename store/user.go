package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// accountPrefix begins the user id of every account. No application may use it.
const accountPrefix = presence.PanelApp + ":"

// User is a person of an application.
type User struct {
	Directory    string // whose people they are of; see [UserKey]
	ID           string // as the application gives it
	Name         string
	Email        string
	Role         string
	Team         string
	Organization string
	Access       Access
}

// UserInput is what an application says of a user. What it leaves out (nil)
// stays as it is stored.
type UserInput struct {
	ID           string
	Name         *string
	Email        *string
	Role         *string
	Team         *string
	Organization *string // by name; "" for none
	Access       *Access
}

// By is who writes: the app of a key and the directory of its people, its id (0: it is no key), the most access
// that it may grant, and how the audit log names it.
type By struct {
	App       string
	Directory string
	KeyID     int64
	Grant     Access
	Actor     string
}

const maxText = 200 // characters of a name, e-mail address, role, team or organization

func (u UserInput) check() error {
	if u.ID == "" || utf8.RuneCountInString(u.ID) > maxText {
		return sqldb.Invalid(fmt.Sprintf("user id must have 1 to %d characters", maxText))
	}
	if strings.HasPrefix(u.ID, accountPrefix) {
		return sqldb.Invalid(fmt.Sprintf("user id must not begin with %q", accountPrefix))
	}
	for name, text := range map[string]*string{
		"name": u.Name, "email": u.Email, "role": u.Role, "team": u.Team, "organization": u.Organization,
	} {
		if text != nil && utf8.RuneCountInString(*text) > maxText {
			return sqldb.Invalid(fmt.Sprintf("user %s must have at most %d characters", name, maxText))
		}
	}
	return nil
}

// PutUser creates a user or changes the fields that in names. It returns
// ErrForbidden where by may not grant or change that access, and sqldb.ErrNotFound for an
// unknown user of another directory than that of by's app: only an app has people.
func (s *Store) PutUser(ctx context.Context, now time.Time, by By, in UserInput) (User, error) {
	if err := in.check(); err != nil {
		return User{}, err
	}
	var user User
	err := s.write(ctx, func(t *tx) (err error) {
		if err = t.mayPut(by, in.ID); err == nil {
			err = t.putUser(now, by, in)
		}
		if err == nil {
			user, err = t.user(by.Key(in.ID))
		}
		return err
	})
	return user, err
}

func (t *tx) putUser(now time.Time, by By, in UserInput) error {
	in.Name = visible(in.Name)
	key := by.Key(in.ID)
	was, err := t.user(key)
	known := err == nil
	if err != nil && !errors.Is(err, sqldb.ErrNotFound) {
		return err
	}
	if err := t.grant(now, by, key, was.Access, in.Access); err != nil {
		return err
	}
	organization, err := t.organization(now, in.Organization)
	if err != nil {
		return err
	}
	var name, email, role, team, folded string
	err = t.Scan([]any{&name, &email, &role, &team, &folded}, `
		INSERT INTO users (id, name, email, role, team_name, organization_id, access, created_at, updated_at)
		VALUES ($1, COALESCE($2, $10), COALESCE($3, ''), COALESCE($4, ''), COALESCE($5, ''), $6, COALESCE($7, 'none'), $8, $8)
		ON CONFLICT (id) DO UPDATE SET
			name = COALESCE($2, users.name), email = COALESCE($3, users.email), role = COALESCE($4, users.role),
			team_name = COALESCE($5, users.team_name), access = COALESCE($7, users.access),
			organization_id = CASE WHEN $9 THEN $6 ELSE users.organization_id END, updated_at = $8
		RETURNING name, email, role, team_name, folded`,
		key, in.Name, in.Email, in.Role, in.Team, organization, in.Access, now.UnixMilli(), in.Organization != nil, in.ID)
	if is := fold.User(name, email, in.ID, role, team); err == nil && is != folded {
		_, err = t.Exec(`UPDATE users SET folded = $2, role_folded = $3 WHERE id = $1`, key, is, fold.Text(role))
	}
	if err == nil && known {
		err = t.recordChange(now, by, key, was, in)
	}
	if err != nil || in.Organization == nil {
		return sqldb.Wrap("storing a user", err)
	}
	_, err = t.Exec(`
		UPDATE user_sessions SET organization_id = $2
		WHERE user_id = $1 AND is_active = true AND organization_id IS DISTINCT FROM $2`, key, organization)
	return sqldb.Wrap("moving a user's sessions", err)
}

// mayPut returns sqldb.ErrNotFound for an unknown user of another directory than that of by's app.
func (t *tx) mayPut(by By, id string) error {
	var foreign bool
	err := t.Scan([]any{&foreign}, `
		SELECT EXISTS (SELECT 1 FROM apps WHERE name = $1 AND directory <> $2) AND NOT EXISTS (SELECT 1 FROM users WHERE id = $3)`,
		by.App, by.Directory, by.Key(id))
	if err == nil && foreign {
		return sqldb.ErrNotFound
	}
	return sqldb.Wrap("finding a user", err)
}

// recordChange records what by says of a user that is not what was stored, and what that was: of the same parts of the
// same user once an hour, so that applications which say different things do not fill the log.
func (t *tx) recordChange(now time.Time, by By, user string, was User, in UserInput) error {
	var parts, words []string
	for _, part := range []struct {
		name, was string
		is        *string
	}{
		{"name", was.Name, in.Name}, {"email", was.Email, in.Email}, {"role", was.Role, in.Role}, {"team", was.Team, in.Team},
		{"organization", was.Organization, in.Organization},
	} {
		if part.is != nil && *part.is != part.was {
			parts, words = append(parts, part.name), append(words, fmt.Sprintf("%s was %q", part.name, part.was))
		}
	}
	if parts == nil {
		return nil
	}
	event := AuditEvent{Actor: cmp.Or(by.Actor, ActorSystem), Action: "user.change", Target: UserActor(user),
		Detail: strings.Join(parts, ", "), Words: strings.Join(words, ", ")}
	var recent bool
	err := t.Scan([]any{&recent}, `SELECT EXISTS (SELECT 1 FROM audit WHERE target = $1 AND actor = $2 AND action = $3 AND detail = $4 AND at > $5 AND at <= $6)`,
		event.Target, event.Actor, event.Action, event.Detail, now.Add(-viewEvery).UnixMilli(), now.UnixMilli())
	if err != nil || recent {
		return sqldb.Wrap("looking into the audit log", err)
	}
	return t.record(now, event)
}

// grant refuses to set access that by does not hold, and to lower the access of
// somebody who has more than by, and records what is granted. Who may not administer any longer has no links for others either.
func (t *tx) grant(now time.Time, by By, user string, current Access, access *Access) error {
	switch {
	case access == nil || *access == current:
		return nil
	case max(*access, current) > by.Grant:
		return ErrForbidden
	}
	if current == AccessAdmin {
		if err := t.voidLinksBy(UserActor(user)); err != nil {
			return err
		}
	}
	return t.record(now, AuditEvent{Actor: by.Actor, Action: "user.access", Target: UserActor(user), Detail: current.String() + " -> " + access.String()})
}

// organization returns the id of the organization of that name, creating it if
// need be, or nil for none.
func (t *tx) organization(now time.Time, name *string) (*int64, error) {
	if name == nil || *name == "" {
		return nil, nil
	}
	var id int64
	err := t.Scan([]any{&id}, `
		INSERT INTO organizations (name, created_at, folded) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`, *name, now.UnixMilli(), fold.Text(*name))
	return &id, sqldb.Wrap("storing an organization", err)
}

func (t *tx) user(key string) (u User, err error) {
	err = t.Scan([]any{userKey{&u}, &u.Name, &u.Email, &u.Role, &u.Team, &u.Organization, &u.Access}, `
		SELECT u.id, u.name, u.email, u.role, u.team_name, COALESCE(o.name, ''), u.access
		FROM users u LEFT JOIN organizations o ON o.id = u.organization_id WHERE u.id = $1`, key)
	return u, sqldb.Wrap("reading a user", err)
}

// DeleteUser deletes a user of by's directory with all sessions and returns how many of these
// were active. ErrNotFound for an unknown id; ErrForbidden for an account, for
// somebody with more access than by, and, unless by holds all access, for
// somebody who is known to another app too.
func (s *Store) DeleteUser(ctx context.Context, now time.Time, by By, id string) (ended int64, err error) {
	id = by.Key(id)
	if ended, err = deletable(s.reader(ctx), by, id); err != nil {
		return 0, err
	}
	s.settle(ctx, now)
	if err := s.removeMuchOf(ctx, now, id, "false"); err != nil {
		return 0, err
	}
	err = s.write(ctx, func(t *tx) error {
		left, err := deletable(t.Scan, by, id) // more where somebody has logged in meanwhile
		if err != nil {
			return err
		}
		ended = max(ended, left)
		if err := s.keepUnidentified(t, now, id); err != nil {
			return err
		}
		if _, err = t.Exec(`DELETE FROM users WHERE id = $1`, id); err != nil {
			return sqldb.Wrap("deleting a user", err)
		}
		if err := t.voidLinksBy(UserActor(id)); err != nil {
			return err
		}
		return t.record(now, AuditEvent{Actor: by.Actor, Action: "user.delete", Target: UserActor(id), Detail: sessionCount(ended)})
	})
	return ended, err
}

// deletable returns how many active sessions a user has whom by may delete, and else the error.
func deletable(read scan, by By, id string) (active int64, err error) {
	var access Access
	var elsewhere int64
	err = read([]any{&access, &active, &elsewhere}, `
		SELECT u.access, COALESCE(SUM(CASE WHEN s.is_active = true THEN 1 ELSE 0 END), 0),
		       COALESCE(SUM(CASE WHEN s.app <> $2 THEN 1 ELSE 0 END), 0)
		FROM users u LEFT JOIN user_sessions s ON s.user_id = u.id WHERE u.id = $1 GROUP BY u.id, u.access`, id, by.App)
	isAccount := strings.HasPrefix(id, accountPrefix)
	if err == nil && (isAccount || access > by.Grant || elsewhere > 0 && by.Grant < AccessAdmin) {
		err = ErrForbidden
	}
	return active, sqldb.Wrap("looking at a user", err)
}
