package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Names are what a question may be about. Empty ones are none.
type Names struct {
	App, Organization, Team string
	Roles                   []string
}

// maxNamed is how many names are told of where another is unknown.
const maxNamed = 20

// A kind of name is known by some rows. The list is of no more names than its parameter says.
type nameKind struct{ word, known, list string }

var (
	// An app is known by a key that may report logins, by sessions, and by what is kept of these.
	appNames = nameKind{"application", `
		SELECT EXISTS (SELECT 1 FROM api_keys WHERE app = $1 AND scopes <> 'read') OR EXISTS (SELECT 1 FROM user_sessions WHERE app = $1)
			OR EXISTS (SELECT 1 FROM activity_samples WHERE organization_id = 0 AND app = $1)`, `
		WITH RECURSIVE used(app) AS ( -- from name to name, by the index
			SELECT MIN(app) FROM user_sessions
			UNION ALL SELECT (SELECT MIN(s.app) FROM user_sessions s WHERE s.app > used.app) FROM used WHERE used.app IS NOT NULL)
		SELECT app FROM (SELECT app FROM used WHERE app <> '` + presence.PanelApp + `' UNION SELECT app FROM api_keys WHERE scopes <> 'read') apps
		ORDER BY app LIMIT $1`}

	organizationNames = nameKind{"organization", `SELECT EXISTS (SELECT 1 FROM organizations WHERE name = $1)`,
		`SELECT name FROM organizations ORDER BY name LIMIT $1`}
	teamNames = nameKind{"team", `SELECT EXISTS (SELECT 1 FROM users WHERE team_name = $1)`,
		`SELECT DISTINCT team_name FROM users WHERE team_name <> '' ORDER BY team_name LIMIT $1`}
	roleNames = nameKind{"role", `SELECT EXISTS (SELECT 1 FROM users WHERE role_folded = $1)`,
		`SELECT DISTINCT role FROM users WHERE role <> '' ORDER BY role LIMIT $1`}
)

// CheckNames returns ErrInvalid where a name is one that nobody knows, with those that there are: a
// question about a name that is misspelt must not be answered as if nobody were there.
func (s *Store) CheckNames(ctx context.Context, n Names) error {
	if n.App == presence.PanelApp {
		n.App = ""
	}
	var err error
	check := func(kind nameKind, name string) {
		if err == nil && name != "" {
			err = s.checkName(ctx, kind, name)
		}
	}
	check(appNames, n.App)
	check(organizationNames, n.Organization)
	check(teamNames, n.Team)
	for _, role := range n.Roles {
		check(roleNames, role)
	}
	return sqldb.Wrap("looking for a name", err)
}

func (s *Store) checkName(ctx context.Context, kind nameKind, name string) error {
	var known bool
	sought := name
	if kind == roleNames {
		sought = fold.Text(name)
	}
	if err := s.db.Scan(ctx, []any{&known}, kind.known, sought); err != nil || known {
		return err
	}
	var names []string
	err := s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var known string
			err := rows.Scan(&known)
			names = append(names, strconv.Quote(known))
			return err
		}, kind.list, maxNamed+1)
	})
	if err != nil {
		return err
	}
	there := "none is known yet"
	if len(names) > maxNamed {
		names[maxNamed] = "and more"
	}
	if len(names) > 0 {
		there = "known: " + strings.Join(names, ", ")
	}
	return sqldb.Invalid(fmt.Sprintf("there is no %s %q; %s", kind.word, name, there))
}
