package server

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// recorded returns the audit log from an answer, oldest first, without ids and times.
func (b *bench) recorded(t testing.TB, admin, query string) (all []string) {
	t.Helper()
	b.auditWrites.Wait()
	for _, e := range do(t, b, "GET", "/admin/audit"+query, nil, cookied(b, admin)).wants(200)["entries"].([]any) {
		entry := e.(map[string]any)
		all = append([]string{strings.TrimSpace(fmt.Sprintf("%v %v %v %v", entry["actor"], entry["action"], entry["target"], entry["detail"]))}, all...)
	}
	return all
}

func TestTheAuditLogSaysWhoDidWhat(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := b.admin(t)
	made := do(t, b, "POST", "/admin/keys", `{"app":"shop","scopes":["admin"]}`, cookied(b, admin)).wants(201)["key"].(map[string]any)
	key := bearing(made["secret"].(string))
	session, _ := b.person(t, made["secret"].(string), "ada")
	b.person(t, made["secret"].(string), "bob")
	do(t, b, "GET", "/admin/users/ada/explain", nil, key).wants(200)
	for range 3 {
		do(t, b, "GET", "/admin/users/ada/explain", nil, cookied(b, admin)).wants(200)
		do(t, b, "GET", "/admin/sessions?user=ada", nil, cookied(b, admin)).wants(200)
	}
	do(t, b, "GET", "/admin/sessions?user=nobody", nil, cookied(b, admin)).wants(200)
	do(t, b, "GET", "/admin/users/nobody/explain", nil, cookied(b, admin)).wants(404)
	do(t, b, "DELETE", "/admin/sessions/"+session+"?note=why", nil, cookied(b, admin)).wants(200)
	do(t, b, "POST", "/admin/sessions/revoke", `{"user":"bob"}`, key).wants(200)
	do(t, b, "POST", "/admin/accounts", map[string]any{"name": "ann", "password": password, "access": "viewer"}, cookied(b, admin)).wants(201)
	do(t, b, "DELETE", "/admin/accounts/rollcall:ann", nil, cookied(b, admin)).wants(200)
	do(t, b, "POST", "/admin/users/cleanup-sessions", nil, cookied(b, admin)).wants(200)
	do(t, b, "DELETE", "/admin/users/bob", nil, key).wants(200)
	do(t, b, "DELETE", "/admin/keys/"+made["id"].(string), nil, cookied(b, admin)).wants(200)
	do(t, b, "POST", "/auth/login", map[string]any{"name": "root", "password": "wrong"}).wants(401)

	me, app := "user:rollcall:root", "key:"+made["id"].(string)+":shop"
	got := b.recorded(t, admin, "")
	want := []string{
		"user:root account.create user:rollcall:root admin", // by the test
		me + " panel.sign_in",
		me + " key.create key:" + made["id"].(string) + " shop: admin",
		app + " user.view user:shop/ada",
		me + " user.view user:shop/ada",
		me + " session.revoke user:shop/ada session " + session + "; why",
		app + " session.revoke user:shop/bob session 0",
		me + " account.create user:rollcall:ann viewer",
		me + " account.delete user:rollcall:ann viewer",
		me + " session.cleanup  0 ended, 0 purged",
		app + " user.delete user:shop/bob 0 sessions",
		me + " key.delete key:" + made["id"].(string) + " shop: admin",
		"unknown panel.sign_in_failed user:rollcall:root",
	}
	if !strings.HasPrefix(got[6], app+" session.revoke user:shop/bob session ") || !strings.HasSuffix(got[6], `; all of active, user "shop/bob"`) {
		t.Error(got[6])
	}
	want[6] = got[6]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := b.recorded(t, admin, "?action=user&actor="+me+"&target=user:shop/ada&q=ada&from=2026-03-02T09:30:00Z&to=2026-03-02T09:30:00Z"); len(got) != 1 {
		t.Errorf("filtered: %v", got)
	}
	first := do(t, b, "GET", "/admin/audit?limit=3", nil, cookied(b, admin)).wants(200)
	rest := do(t, b, "GET", "/admin/audit?limit=100&cursor="+first["next_cursor"].(string), nil, cookied(b, admin)).wants(200)
	if n := len(rest["entries"].([]any)); n != len(want)-3 || rest["next_cursor"] != "" {
		t.Errorf("the second page has %d of %d", n, len(want))
	}
	entry := first["entries"].([]any)[1].(map[string]any)
	if entry["actor_name"] != "root" || entry["at"] != "2026-03-02T09:30:00.000Z" {
		t.Errorf("an entry: %v", entry)
	}
}

func TestTheAuditLogAsAFile(t *testing.T) {
	s := storetest.New(t)
	b := newBench(t, s)
	admin := b.admin(t)
	const many = web.MaxLimit + 5
	for i := range many {
		if err := s.Record(t.Context(), b.now(), store.AuditEvent{Actor: "cli", Action: "test", Detail: fmt.Sprint("=HYPERLINK", i)}); err != nil {
			t.Fatal(err)
		}
	}
	got := do(t, b, "GET", "/admin/audit?action=test", nil, cookied(b, admin), header("Accept", "text/csv"))
	got.wants(200)
	rows, err := csv.NewReader(got.Body).ReadAll()
	if err != nil || len(rows) != many+1 || strings.Join(rows[0], " ") != strings.Join(auditColumns, " ") {
		t.Fatal(len(rows), err)
	}
	if last := rows[many]; last[2] != "cli" || last[7] != "'=HYPERLINK0" {
		t.Errorf("the last row is %v", last)
	}
	if name := got.Header().Get("Content-Disposition"); name != `attachment; filename="audit-20260302-093000.csv"` {
		t.Error(name)
	}
	for _, query := range []string{"?format=csv&limit=1", "?format=csv&cursor=x", "?format=xml", "?limit=0", "?cursor=x", "?from=yesterday", "?to=x", "?actor=a&actor=b", "?who=me"} {
		do(t, b, "GET", "/admin/audit"+query, nil, cookied(b, admin)).refuses(400, "invalid_request")
	}
}

func TestWhoLooksIsAnsweredWhateverBecomesOfTheAuditLog(t *testing.T) {
	folder := t.TempDir()
	b := newBench(t, storetest.OpenFile(t, folder, presence.DefaultRules()))
	admin := b.admin(t)
	key := b.key(t, "shop", "sessions")
	b.person(t, key, "ada")
	// Any write into the log fails, as it does on a full disk.
	shell := storetest.ShellFile(t, folder, "")
	if _, err := shell.ExecContext(t.Context(), `CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no space'); END`); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/admin/users/ada/explain", "/admin/sessions?user=ada", "/admin/sessions?user=ada&format=csv"} {
		do(t, b, "GET", path, nil, cookied(b, admin)).wants(200)
	}
	if !strings.Contains(b.logs.String(), "writing the audit log") {
		t.Error("nothing failed, which this test needs")
	}
}

func TestWhoLooksDoesNotWaitLongForTheAuditLog(t *testing.T) {
	folder := t.TempDir()
	b := newBench(t, storetest.OpenFile(t, folder, presence.DefaultRules()))
	admin := b.admin(t)
	b.person(t, b.key(t, "shop", "sessions"), "ada")
	shell := storetest.ShellFile(t, folder, "")
	hold, err := shell.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hold.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil { // nobody else can write
		t.Fatal(err)
	}
	begun := time.Now()
	do(t, b, "GET", "/admin/users/ada/explain", nil, cookied(b, admin)).wants(200)
	if took := time.Since(begun); took > 3*auditPatience {
		t.Errorf("it took %v", took)
	}
	if _, err := hold.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if got := b.recorded(t, admin, "?action=user.view"); len(got) != 1 {
		t.Errorf("recorded late: %v", got)
	}
}
