package server

import (
	"fmt"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/storetest"
)

// recordedActions are the newest entries of the audit log that have an action, in words.
func (b *bench) recordedActions(t *testing.T, action string) (all []string) {
	t.Helper()
	b.auditWrites.Wait()
	page, err := b.store.Audit(t.Context(), store.AuditFilter{Action: action, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range page.Entries {
		all = append(all, entry.Actor+" "+entry.Action+" "+entry.Text())
	}
	return all
}

func TestWhoAsksForWhatTheyMayNotIsRecordedOnceAnHour(t *testing.T) {
	b := newBench(t, storetest.New(t))
	watch := cookied(b, b.account(t, "watch", store.AccessViewer))
	for range 3 {
		for _, path := range []string{"/admin/keys", "/admin/audit"} {
			do(t, b, "GET", path, nil, watch).refuses(403, "forbidden")
			b.auditWrites.Wait()
		}
	}
	if got := b.recordedActions(t, "access"); len(got) != 1 || got[0] != "user:rollcall:watch access.refused GET /admin/keys" {
		t.Errorf("recorded is %q", got)
	}
	b.clock.advance(time.Hour + time.Second)
	do(t, b, "DELETE", "/admin/keys/1", nil, watch).refuses(403, "forbidden")
	if got := b.recordedActions(t, "access"); len(got) != 2 {
		t.Errorf("an hour later it is %q", got)
	}
}

func TestManyWhoAreRefusedDoNotFillTheAuditLog(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "sessions")
	for i := range 130 {
		_, token := b.person(t, key, fmt.Sprint("user", i))
		do(t, b, "GET", "/admin/keys", nil, bearing(token)).refuses(403, "forbidden")
	}
	if got := b.recordedActions(t, "access"); len(got) > 100 || len(got) < 90 {
		t.Errorf("%d entries", len(got))
	}
}

func TestWhoTakesAListAsAFileIsRecorded(t *testing.T) {
	b := newBench(t, storetest.New(t))
	root := cookied(b, b.admin(t))
	for path, action := range map[string]string{"/admin/sessions": "session.export", "/admin/audit": "audit.export"} {
		do(t, b, "GET", path, nil, root).wants(200)
		do(t, b, "GET", path+"?format=csv", nil, root).wants(200)
		if got := b.recordedActions(t, action); len(got) != 1 || got[0] != "user:rollcall:root "+action+" " {
			t.Errorf("%s: recorded is %q", path, got)
		}
	}
}

func TestTheDoctorKnowsOfAnAuditLogThatWasChanged(t *testing.T) {
	folder := t.TempDir()
	b := newBench(t, storetest.OpenConfig(t, storetest.Config(t, folder)))
	root := cookied(b, b.admin(t))
	finding := func() map[string]any {
		t.Helper()
		for _, f := range do(t, b, "GET", "/admin/doctor", nil, root).wants(200)["findings"].([]any) {
			if f := f.(map[string]any); f["check"] == "audit" {
				return f
			}
		}
		t.Fatal("there is no such check")
		return nil
	}
	if f := finding(); f["state"] != "ok" {
		t.Errorf("got %v", f)
	}
	storetest.ExecSQL(t, storetest.Shell(t, folder), `INSERT INTO audit (id, at, actor, action) VALUES (4711, 1, 'user:rollcall:ann', 'key.create')`)
	if f := finding(); f["state"] != "problem" || f["paste"].([]any)[0] != "rollcall audit verify" {
		t.Errorf("got %v", f)
	}
}
