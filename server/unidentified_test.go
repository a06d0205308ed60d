package server

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/store/backup"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// doubts asks the gate, which must be at a level, and returns of whom it doubts: "doubt app detail" of each.
func (b *bench) doubts(t *testing.T, key, query, level string) (all []string) {
	t.Helper()
	status := map[string]int{"clear": 200, "caution": 409, "hold": 409}[level]
	got := do(t, b, "GET", "/admin/gate"+query, nil, bearing(key)).wants(status)
	if got["level"] != level {
		t.Errorf("the gate says %v, want %s", got, level)
	}
	for _, one := range got["unidentified"].([]any) {
		one := one.(map[string]any)
		all = append(all, fmt.Sprint(one["doubt"], " ", one["app"], " ", one["detail"]))
	}
	return all
}

const stranger = "a-token-that-nobody-has-reported"

func TestWhoeverMayBeAtWorkAndIsOnNoRecord(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(t *testing.T, b *bench, sessions string)
		want string // doubt
	}{
		{"a page in use has a token that nobody reported", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`"}`, header("Origin", "https://shop.example")).refuses(404, "session_ended")
		}, "unknown_token  https://shop.example"},
		{"a page that nobody uses", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`","idle_ms":600000}`).refuses(404, "session_ended")
		}, ""},
		{"a page that is closing", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`"}`).refuses(404, "session_ended")
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`","leaving":true}`).refuses(404, "session_ended")
			b.clock.advance(b.store.Rules().LeaveGrace)
		}, ""},
		{"a page whose token is reported later", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`"}`).refuses(404, "session_ended")
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"`+stranger+`"}`, bearing(sessions)).wants(201)
			do(t, b, "POST", "/admin/sessions/end", `{"session_token":"`+stranger+`"}`, bearing(sessions)).wants(200)
		}, ""},
		{"a page whose session was ended by its application", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"`+stranger+`"}`, bearing(sessions)).wants(201)
			do(t, b, "POST", "/admin/sessions/end", `{"session_token":"`+stranger+`"}`, bearing(sessions)).wants(200)
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`","idle_ms":600000}`).refuses(404, "session_ended")
		}, ""},
		{"a login that could not be read", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":7.5}}`, bearing(sessions)).refuses(400, "invalid_request")
		}, "refused_report shop invalid_request"},
		{"a login with a token that is too short", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"short"}`, bearing(sessions)).refuses(400, "invalid_request")
		}, "refused_report shop invalid_request"},
		{"a login that was refused and then taken", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"short"}`, bearing(sessions)).refuses(400, "invalid_request")
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"`+stranger+`"}`, bearing(sessions)).wants(201)
			do(t, b, "POST", "/admin/sessions/end", `{"session_token":"`+stranger+`"}`, bearing(sessions)).wants(200)
		}, ""},
		{"a login that was taken and then refused", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"short"}`, bearing(sessions)).refuses(400, "invalid_request")
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"`+stranger+`"}`, bearing(sessions)).wants(201)
			do(t, b, "POST", "/admin/sessions/end", `{"session_token":"`+stranger+`"}`, bearing(sessions)).wants(200)
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"short"}`, bearing(sessions)).refuses(400, "invalid_request")
		}, "refused_report shop invalid_request"},
		{"a login reported with a key that may not", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"}}`, bearing(b.key(t, "crm", "read"))).refuses(403, "forbidden")
		}, "refused_report crm forbidden"},
		{"a login reported with a key that was deleted", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"}}`, bearing("rck_"+strings.Repeat("x", 43))).refuses(401, "unauthenticated")
		}, "refused_report  unauthenticated"},
		{"a stranger who asks", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/sessions/may", `{"user":{"id":"ada"}}`).refuses(401, "unauthenticated")
			do(t, b, "GET", "/admin/sessions", nil, bearing("guess")).refuses(401, "unauthenticated")
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			read := b.key(t, "shop", "read")
			test.do(t, b, b.key(t, "shop", "sessions"))
			level, want := "clear", []string(nil)
			if test.want != "" {
				level, want = "caution", []string{test.want}
			}
			if got := b.doubts(t, read, "", level); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("it doubts %q, want %q", got, want)
			}
			b.doubts(t, read, "?unidentified=ignore", "clear")
			b.clock.advance(16 * time.Minute)
			b.doubts(t, read, "", "clear")
		})
	}
}

func TestTheGateIsNotClearBeforeWhoIsThereHadTheTimeToBeHeardOf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t) // on an empty database
		read := s.key(t, "ops", "read")
		// unheard checks that it is caution because of that, and nobody else, wherever that is told.
		unheard := func(s *served, cause string) {
			t.Helper()
			if got := s.doubts(t, read, "", "caution"); fmt.Sprint(got) != "[unheard  "+cause+"]" {
				t.Errorf("it doubts %q", got)
			}
			if got := do(t, s.bench, "GET", "/admin/drain", nil, bearing(read)).wants(200); got["unidentified"] != 1.0 {
				t.Errorf("a drain waits for %v", got["unidentified"])
			}
			if got := do(t, s.bench, "GET", "/admin/users/online", nil, bearing(read)).wants(200); got["level"] != "caution" {
				t.Errorf("the list says %v", got["level"])
			}
			s.doubts(t, read, "?unidentified=ignore", "clear")
		}
		synctest.Wait()
		unheard(s, "start")
		time.Sleep(2*time.Minute - time.Second)
		unheard(s, "start")
		time.Sleep(2 * time.Second)
		s.doubts(t, read, "", "clear")

		backedUp := filepath.Join(t.TempDir(), "backup.db")
		s.must(t, backup.Write(t.Context(), s.folder, backedUp))
		do(t, s.bench, "POST", "/admin/sessions", `{"user":{"id":"bob"},"session_token":"`+stranger+`"}`, bearing(s.key(t, "shop", "sessions"))).wants(201)
		time.Sleep(time.Minute)
		s.stop()
		s.must(t, <-s.ended)
		s.must(t, s.store.Close())
		_, err := backup.Restore(t.Context(), time.Now(), backup.Restoration{File: backedUp, Folder: s.folder, Schema: storetest.Schema(t)})
		s.must(t, err)
		again := servingOn(t, storetest.OpenFile(t, s.folder, presence.DefaultRules()))
		synctest.Wait()
		unheard(again, "start")
		time.Sleep(time.Minute)
		do(t, again.bench, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`"}`).refuses(404, "session_ended")
		time.Sleep(time.Minute + 2*time.Second)
		if got := again.doubts(t, read, "", "caution"); fmt.Sprint(got) != "[unknown_token  ]" {
			t.Errorf("when it was heard of it doubts %q", got)
		}
		again.stop()
		s.must(t, <-again.ended)
	})
}
