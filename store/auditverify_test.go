package store_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// withAuditLog returns a store with an audit log of about twenty entries, in a folder.
func withAuditLog(t *testing.T) (s *store.Store, folder string) {
	t.Helper()
	folder = t.TempDir()
	s = Open(t, folder, presence.DefaultRules())
	for i := range 20 {
		event := store.AuditEvent{Actor: "user:root", Action: "session.revoke", Target: fmt.Sprint("user:", i), Detail: "1 session", Words: "about eve\x00"}
		if err := s.Record(t.Context(), Start.Add(time.Duration(i)*time.Hour), event); err != nil {
			t.Fatal(err)
		}
	}
	return s, folder
}

// breaks are the words of what is wrong with the audit log.
func breaks(t *testing.T, s *store.Store, known ...store.AuditHead) string {
	t.Helper()
	v, err := s.VerifyAudit(t.Context(), known...)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{}
	for _, b := range v.Broken {
		words = append(words, fmt.Sprint(b.Entry, ": ", b.Words))
	}
	return strings.Join(words, "; ")
}

func TestWhoChangesTheAuditLogBehindTheProgramIsFound(t *testing.T) {
	for name, test := range map[string]struct{ sql, words string }{
		"her deeds become nobody's":           {`UPDATE audit SET actor = 'erased:0123456789ab', salt = NULL WHERE id = 7`, "7: something was taken out of it"},
		"her deeds become somebody's erased":  {`UPDATE audit SET actor = 'erased:0123456789ab', salt = NULL, erased = '0123456789ab,' WHERE id = 7`, "0: 1 entries say"},
		"her deeds become another's":          {`UPDATE audit SET actor = 'user:ann' WHERE id = 7`, "7: who, whom or what"},
		"what it says is gone":                {`UPDATE audit SET detail = '' WHERE id = 7`, "7: who, whom or what"},
		"another action":                      {`UPDATE audit SET action = 'user.view' WHERE id = 7`, "7: it, or one before it, was changed"},
		"another time":                        {`UPDATE audit SET at = at - 1 WHERE id = 7`, "7: it, or one before it, was changed"},
		"an entry less":                       {`DELETE FROM audit WHERE id = 7`, "8: the entries from 7 to 7 are missing"},
		"the oldest are gone":                 {`DELETE FROM audit WHERE id < 7`, "0: the entries before 7 are missing"},
		"the newest are gone":                 {`DELETE FROM audit WHERE id > 17`, "0: the entries from 18 to 20 are missing"},
		"all are gone":                        {`DELETE FROM audit`, "0: the entries from 1 to 20 are missing"},
		"an entry more":                       {`INSERT INTO audit (id, at, actor, action) VALUES (21, 1, 'cli', 'x')`, "21: it was not written by this program"},
		"an entry that the program is to add": {`DELETE FROM audit WHERE id = 20; UPDATE settings SET value = 19 WHERE name = 'audit_last'`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, folder := withAuditLog(t)
			v, err := s.VerifyAudit(t.Context())
			if err != nil || len(v.Broken) > 0 || v.Entries != 20 || v.Head.ID != 20 {
				t.Fatalf("before: %+v, %v", v, err)
			}
			db := Shell(t, folder)
			if Postgres {
				ExecSQL(t, db, `ALTER TABLE audit DISABLE TRIGGER USER`)
			} else {
				ExecSQL(t, db, `DROP TRIGGER audit_only_grows`)
				ExecSQL(t, db, `DROP TRIGGER audit_only_shrinks_by_age`)
			}
			for statement := range strings.SplitSeq(test.sql, ";") {
				ExecSQL(t, db, statement)
			}
			if got := breaks(t, s); !strings.HasPrefix(got, test.words) || (got == "") != (test.words == "") {
				t.Errorf("got %q, want %q", got, test.words)
			}
			if got := breaks(t, s, v.Head); got == "" {
				t.Error("with its head it is taken for the same")
			}
		})
	}
}

func TestThatPeopleAreErasedAndOldEntriesRemovedBreaksNothing(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		root := store.AuditEvent{Actor: "user:root", Action: "session.revoke", Target: "user:ada", Words: "bob was there"}
		LogIn(t, s, Start, "ada")
		LogIn(t, s, Start, "bob")
		for i := range 10 {
			if err := s.Record(t.Context(), Start.Add(time.Duration(i)*time.Hour), root); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := s.VerifyAudit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"ada", "bob"} {
			if _, err := s.Erase(t.Context(), Start.Add(11*time.Hour), "cli", id); err != nil {
				t.Fatal(err)
			}
		}
		if got := breaks(t, s, kept.Head); got != "" {
			t.Errorf("after two erasures: %s", got)
		}
		for range 2 {
			if _, err := s.Cleanup(t.Context(), Start.Add(s.Rules().AuditRetention+5*time.Hour+time.Minute)); err != nil {
				t.Fatal(err)
			}
			if got := breaks(t, s, kept.Head); got != "" {
				t.Errorf("after a cleanup: %s", got)
			}
		}
		if got := deeds(t, s, store.AuditFilter{Action: "audit"}); len(got) != 1 || got[0] != "system audit.purge  up to entry 6" {
			t.Errorf("the cleanups left %q", got)
		}
	})
}

func TestWhoWasErasedRemainsOneAndTheSameInTheAuditLog(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for _, id := range []string{"ada", "bob"} {
			LogIn(t, s, Start, id)
			for range 2 {
				if err := s.Record(t.Context(), Start, store.AuditEvent{Actor: "user:" + id, Action: "session.revoke", Target: "user:x"}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Erase(t.Context(), Start, "cli", id); err != nil {
				t.Fatal(err)
			}
		}
		got := []string{}
		for _, deed := range deeds(t, s, store.AuditFilter{}) {
			who, _, _ := strings.Cut(deed, " ")
			got = append(got, who)
		}
		if len(got) != 6 || got[0] != got[1] || got[3] != got[4] || got[0] == got[3] || !strings.HasPrefix(got[0], "erased:") {
			t.Errorf("the actors are %q", got)
		}
	})
}

func TestAnAdministratorIsErasedByAnother(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"root", "eve"} {
			in := store.AccountInput{Name: name, Password: Password, Access: store.AccessAdmin}
			if _, err := s.CreateAccount(t.Context(), Start, "cli", in); err != nil {
				t.Fatal(err)
			}
		}
		key, _, err := s.CreateKey(t.Context(), Start, "user:rollcall:eve", "shop", "", store.Scopes{store.ScopeAdmin})
		if err != nil {
			t.Fatal(err)
		}
		for _, actor := range []string{"user:rollcall:eve", fmt.Sprintf("key:%d:shop", key.ID)} {
			_, err := s.Erase(t.Context(), Start, actor, "rollcall:eve")
			WantError(t, err, store.ErrForbidden)
		}
		if _, err := s.Erase(t.Context(), Start, "user:rollcall:root", "rollcall:eve"); err != nil {
			t.Error(err)
		}
	})
}

func TestAHeadIsReadAsItIsWritten(t *testing.T) {
	head := store.AuditHead{ID: 12, Hash: strings.Repeat("0a", 32)}
	if got, err := store.ParseAuditHead(head.String()); err != nil || got != head {
		t.Errorf("got %v, %v", got, err)
	}
	for _, wrong := range []string{"", "12", "12:", "12:0a", "0:" + head.Hash, "x:" + head.Hash, "12:" + strings.Repeat("zz", 32)} {
		if _, err := store.ParseAuditHead(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
		_, err := store.ParseAuditHead(wrong)
		WantError(t, err, sqldb.ErrInvalid)
	}
}

// withoutPseudonyms are deeds in which all who were erased have the same name.
func withoutPseudonyms(deeds []string) []string {
	for i := range deeds {
		deeds[i] = regexp.MustCompile(`erased:[0-9a-f]{12}`).ReplaceAllString(deeds[i], "erased")
	}
	return deeds
}
