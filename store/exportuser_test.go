package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// about are the columns that say something about a person, besides those of a
// table with a user_id, which go with the user. Whatever is new in the schema has
// to be put here, and into Erase and Held, or to be known as harmless.
var about = map[string]string{
	"user_sessions.ended_by": "taken out", "user_sessions.end_note": "taken out", "notices.created_by": "taken out", "drain.started_by": "taken out",
	"audit.actor": "taken out", "audit.target": "taken out", "audit.detail": "taken out", "audit.words": "taken out", "changes.user_id": "taken out",
	"user_agents.user_agent": "goes with its last session", "user_agents.device_type": "likewise", "user_agents.device_os": "likewise", "user_agents.device_browser": "likewise",
}

// parts are where the tables with a user_id are in the export.
var parts = map[string]store.Part{
	"accounts": "account", "totp": "totp", "recovery_codes": "recovery_codes", "user_sessions": "sessions", "status_claims": "claims", "notice_receipts": "notices_seen", "daily_visitors": "visits",
}

// harmless are texts that are not about a person.
var harmless = []string{
	"settings.name", "organizations.name", "organizations.folded", "api_keys.app", "api_keys.scopes", "activity_samples.app", "apps.name", "apps.directory", "notices.message", "notices.level", "notices.app",
	"drain.message", "audit.action", "audit.erased", "changes.app", "changes.reason", "changes.topic", "unidentified.doubt", "unidentified.app", "unidentified.detail",
	"session_clients.client", "unidentified.client", // random, and goes with its session, or after minutes
}

func TestWhateverIsHeldOnAPersonIsExportedAndErased(t *testing.T) {
	folder := t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	db := ShellFile(t, folder, "")
	for _, table := range texts(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table'`) {
		cascades := table == "users" || Number(t, db, `SELECT COUNT(*) FROM pragma_foreign_key_list('`+table+`') WHERE "table" = 'users' AND on_delete = 'CASCADE'`) > 0
		if cascades && table != "users" && !slices.Contains(store.ExportParts(), parts[table]) {
			t.Errorf("%s is not in the export", table)
		}
		for _, column := range texts(t, db, `SELECT name FROM pragma_table_info('`+table+`') WHERE type = 'TEXT'`) {
			name := table + "." + column
			if !cascades && about[name] == "" && !slices.Contains(harmless, name) {
				t.Errorf("nobody has said whether %s is about a person", name)
			}
		}
	}
	for _, statement := range []string{
		`INSERT INTO users (id, created_at, updated_at) VALUES ('ada', 0, 0), ('bob', 0, 0)`,
		`INSERT INTO accounts VALUES ('ada', 'ada', 'hash', 0, CAST('the sha256 of a link' || zeroblob(12) AS BLOB), 0, 'user:bob')`,
		`INSERT INTO totp (user_id, secret, created_at) VALUES ('ada', CAST('the hash of the app' AS BLOB), 0)`,
		`INSERT INTO recovery_codes VALUES ('ada', 1, CAST('the sha256 of a code' || zeroblob(12) AS BLOB))`,
		`INSERT INTO status_claims VALUES ('ada', '', 'busy', 't', NULL, 0), ('ada', 'shop', 'busy', 't', NULL, 0)`,
		`INSERT INTO notices (id, message, level, created_at, created_by) VALUES (0, 'm', 'info', 0, 'user:ada')`,
		`INSERT INTO notice_receipts VALUES (0, 'ada', 0)`,
		`INSERT INTO daily_visitors VALUES (0, 'ada')`,
		`INSERT INTO drain VALUES (1, 'm', 0, 'user:ada', NULL, NULL)`,
		`INSERT INTO user_sessions (id, user_id, app, token_sha256, last_activity_at, created_at, expires_at, is_active, ended_at, end_reason, ended_by)
			VALUES (1, 'bob', 'a', zeroblob(32), 0, 0, 0, 0, 0, 'revoked', 'user:ada')`,
		`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1201)
			INSERT INTO user_sessions (id, user_id, app, token_sha256, last_activity_at, created_at, expires_at) SELECT i, 'ada', 'a', zeroblob(32), 0, 0, 0 FROM n`,
		`INSERT INTO audit (at, actor, action) VALUES (0, 'user:ada', 'x')`,
	} {
		ExecSQL(t, db, statement)
	}
	want := map[store.Part]int{"account": 1, "totp": 1, "recovery_codes": 1, "sessions": 1200, "claims": 2, "notices_seen": 1, "visits": 1, "notices_made": 1, "drains": 1, "sessions_ended": 1, "audit": 1}
	if len(store.ExportParts()) != len(want) {
		t.Errorf("the export has %v", store.ExportParts())
	}
	for _, part := range store.ExportParts() {
		var all []store.Record
		if err := s.ExportPart(t.Context(), "ada", part, func(some []store.Record) error { all = append(all, some...); return nil }); err != nil {
			t.Fatal(part, err)
		}
		if len(all) != want[part] {
			t.Errorf("%s has %d rows, want %d", part, len(all), want[part])
		}
		if text := fmt.Sprint(all); strings.Contains(text, "hash") || strings.Contains(text, "sha256") {
			t.Errorf("%s has secrets: %.200s", part, text)
		}
	}
	if _, err := s.CreateAccount(t.Context(), Start, "cli", store.AccountInput{Name: "root", Password: "a password that is long enough", Access: store.AccessAdmin}); err != nil {
		t.Fatal(err)
	}
	if gone, err := s.Erase(t.Context(), Start, "cli", "ada"); err != nil || gone.Sessions != 1200 || gone.Claims != 2 || gone.Receipts != 1 || gone.Visits != 1 || !gone.Account || gone.Mentions != 4 {
		t.Errorf("erased %+v, %v", gone, err)
	}
	for _, part := range store.ExportParts() {
		if err := s.ExportPart(t.Context(), "ada", part, func(some []store.Record) error {
			if len(some) > 0 {
				t.Errorf("%s is left: %v", part, some)
			}
			return nil
		}); err != nil {
			t.Fatal(part, err)
		}
	}
}
