package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/backup"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// crowd is many people to whom things happen at random. Whatever is stored of one
// of them has a text in it by which it is recognised in a file.
type crowd struct {
	*testing.T
	*rand.Rand
	s        *store.Store
	db       *sql.DB
	folder   string
	now      time.Time
	sessions []crowdSession
	ids      map[int][]int64 // of all sessions that a person ever had
}

type crowdSession struct {
	person int
	store.LoginResult
}

const crowdSize = 60

func newCrowd(t *testing.T, seed uint64) *crowd {
	folder := t.TempDir()
	rules := presence.DefaultRules()
	rules.Retention = 2 * time.Hour
	c := &crowd{T: t, Rand: rand.New(rand.NewPCG(seed, 0)), s: OpenFile(t, folder, rules), db: ShellFile(t, folder, "&_pragma=foreign_keys(1)"), folder: folder,
		now: Start, ids: map[int][]int64{}}
	ExecSQL(t, c.db, `INSERT INTO notices (id, message, level, created_at, created_by) VALUES (1, 'Hello', 'info', 0, 'user:root')`)
	for person := range crowdSize {
		c.LogIn(person)
	}
	return c
}

func mark(person int) string { return fmt.Sprintf("canary-%02d-", person) }

func (c *crowd) text(person int, what string) string {
	return fmt.Sprint(mark(person), what, c.IntN(1000), strings.Repeat("x", c.IntN(60)))
}

func (c *crowd) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *crowd) LogIn(person int) {
	name, email := c.text(person, "name"), c.text(person, "mail")
	LogIn := store.Login{User: store.UserInput{ID: mark(person) + "id", Name: &name, Email: &email},
		Origin: store.Origin{IPAddress: c.text(person, "ip"), UserAgent: c.text(person, "agent") + strings.Repeat("y", c.IntN(300)), Location: c.text(person, "place")}}
	result, err := c.s.Login(c.Context(), c.now, Shop, LogIn)
	c.must(err)
	c.sessions = append(c.sessions, crowdSession{person, result})
	c.ids[person] = append(c.ids[person], result.ID)
}

// happen lets something happen to somebody.
func (c *crowd) happen() {
	c.now = c.now.Add(time.Duration(c.IntN(20)) * time.Second)
	person, at := c.IntN(crowdSize), c.IntN(len(c.sessions))
	user, session := mark(person)+"id", c.sessions[at]
	switch c.IntN(12) {
	case 0, 1, 2:
		c.LogIn(person)
	case 3, 4, 5:
		page := "/" + c.text(session.person, "page")
		beat := store.Beat{Page: &page}
		if c.IntN(2) == 0 { // which may wait in the log
			beat.Page = nil
		}
		if _, err := c.s.Touch(c.Context(), c.now, session.Token, beat); !errors.Is(err, store.ErrSessionEnded) {
			c.must(err)
		}
	case 6:
		name := c.text(person, "name")
		_, err := c.s.PutUser(c.Context(), c.now, Shop, store.UserInput{ID: user, Name: &name})
		c.must(err)
	case 7:
		_, err := c.s.Revoke(c.Context(), c.now, session.ID, store.Ending{Reason: presence.EndRevoked, By: store.UserActor(user), Note: "for " + mark(c.IntN(crowdSize)) + "ID, as agreed"})
		c.must(err)
	case 8:
		c.must(c.s.SetStatus(c.Context(), c.now, user, presence.Claim{Status: presence.StatusBusy, Text: mark(person) + "claim"}))
	case 9:
		c.must(c.s.RecordView(c.Context(), c.now, store.UserActor(mark(c.IntN(crowdSize))+"id"), user))
	case 10:
		ExecSQL(c, c.db, `INSERT INTO notice_receipts VALUES (1, $1, 0) ON CONFLICT DO NOTHING`, user)
		ExecSQL(c, c.db, `INSERT INTO daily_visitors VALUES (0, $1) ON CONFLICT DO NOTHING`, user)
	case 11:
		_, err := c.s.EndByID(c.Context(), c.now, "", session.ID, presence.EndLogout)
		c.must(err)
		if c.IntN(20) == 0 {
			_, err := c.s.Cleanup(c.Context(), c.now)
			c.must(err)
		}
	}
}

// traces returns where in the files and in a new backup something of a person is.
func (c *crowd) traces(person int) (found []string) {
	c.Helper()
	copied := filepath.Join(c.TempDir(), "backup.db")
	c.must(backup.Write(c.Context(), c.folder, copied))
	files, err := filepath.Glob(filepath.Join(c.folder, "*"))
	c.must(err)
	for _, file := range append(files, copied) {
		content, err := os.ReadFile(file)
		c.must(err)
		if at := bytes.Index(content, []byte(mark(person))); at >= 0 {
			found = append(found, fmt.Sprintf("%s at %d: %q", filepath.Base(file), at, content[max(at-20, 0):min(at+40, len(content))]))
		}
		for _, id := range c.ids[person] { // as indexes have it
			if bytes.Contains(content, binary.BigEndian.AppendUint64(nil, uint64(id))) {
				found = append(found, fmt.Sprintf("%s: session %d", filepath.Base(file), id))
			}
		}
	}
	return found
}

// others returns all rows in which nothing of a person stands.
func (c *crowd) others(person int) map[string][]string {
	tables := map[string][]string{}
	for _, table := range texts(c, c.db, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('settings', 'changes')`) {
		columns := texts(c, c.db, `SELECT 'quote(' || name || ')' FROM pragma_table_info('`+table+`')`)
		for _, row := range texts(c, c.db, `SELECT `+strings.Join(columns, ` || ' ' || `)+` FROM `+table+` ORDER BY 1`) {
			ofSession := func(id int64) bool { return strings.HasPrefix(row, fmt.Sprint(id, " ")) }
			if !strings.Contains(strings.ToLower(row), mark(person)) && !strings.Contains(row, "'erased'") && !slices.ContainsFunc(c.ids[person], ofSession) {
				tables[table] = append(tables[table], row)
			}
		}
	}
	return tables
}

func texts(t testing.TB, db *sql.DB, query string) (found []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		found = append(found, text)
	}
	return found
}

func TestErasingLeavesNoTrace(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("history ", seed), func(t *testing.T) {
			c := newCrowd(t, seed)
			for range 1200 {
				c.happen()
			}
			for _, person := range []int{c.IntN(crowdSize / 2), crowdSize - 1} {
				c.erase(person)
				for range 50 {
					c.happen() // who is erased and comes again is new
				}
			}
		})
	}
}

func (c *crowd) erase(person int) {
	c.Helper()
	if found := c.traces(person); len(found) < 3 { // database, log and backup
		c.Fatalf("person %d is not where this test looks: %v", person, found)
	}
	c.must(c.s.FoldAllHeartbeats(c.Context())) // erasing does, too
	before := c.others(person)
	gone, err := c.s.Erase(c.Context(), c.now, "user:root", mark(person)+"id")
	if err != nil || !gone.Complete || gone.Sessions == 0 || gone.Mentions == 0 {
		c.Fatalf("erasing %d: %+v, %v", person, gone, err)
	}
	if found := c.traces(person); found != nil {
		c.Errorf("after erasing %d:\n%s", person, strings.Join(found, "\n"))
	}
	after := c.others(person)
	for table, rows := range before {
		for _, row := range rows {
			if _, found := slices.BinarySearch(after[table], row); !found { // there are more now: without the note that named who is gone
				c.Errorf("erasing %d changed in %s: %s", person, table, row)
			}
		}
	}
	c.sessions = slices.DeleteFunc(c.sessions, func(s crowdSession) bool { return s.person == person })
	c.ids[person] = nil
	c.LogIn(person)
}

// TestDeletingLeavesTraces is the control of the one above.
func TestDeletingLeavesTraces(t *testing.T) {
	c := newCrowd(t, 1)
	for range 300 {
		c.happen()
	}
	if _, err := c.s.DeleteUser(t.Context(), c.now, store.By{Grant: store.AccessAdmin}, mark(7)+"id"); err != nil {
		t.Fatal(err)
	}
	if c.traces(7) == nil {
		t.Error("a deleted user left no trace, so the test of erasing shows nothing")
	}
}

func TestErasingTakesAPersonOutOfWhatIsAboutOthers(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	name, email := "Eve Ä.", "eve@shop.example"
	if _, err := s.PutUser(t.Context(), Start, Shop, store.UserInput{ID: "42", Name: &name, Email: &email}); err != nil {
		t.Fatal(err)
	}
	notes := map[string]string{ // and what is left of them
		"asked by EVE@shop.example.": "", "Eve Ä. said so": "", "42 of them": "42 of them", "Eve": "Eve", "eve@shop.example.org": "", "neve@shop.example": "neve@shop.example",
	}
	for note := range notes {
		session := LogIn(t, s, Start, "bob")
		if _, err := s.Revoke(t.Context(), Start, session.ID, store.Ending{Reason: presence.EndRevoked, By: "cli", Note: note}); err != nil {
			t.Fatal(err)
		}
	}
	session := LogIn(t, s, Start, "bob")
	if _, err := s.Revoke(t.Context(), Start, session.ID, store.Ending{Reason: presence.EndRevoked, By: "user:42", Note: "mine"}); err != nil {
		t.Fatal(err)
	}
	ExecSQL(t, db, `INSERT INTO notices (id, message, level, created_at, created_by) VALUES (1, 'Hello', 'info', 0, 'user:42'), (2, 'Hello', 'info', 0, 'user:421')`)
	ExecSQL(t, db, `INSERT INTO drain (id, message, started_at, started_by) VALUES (1, 'm', 0, 'user:42')`)
	for _, d := range []store.AuditEvent{
		{Actor: "user:42", Action: "user.view", Target: "user:bob"}, {Actor: "user:bob", Action: "user.view", Target: "user:42", Detail: "d"}, {Actor: "user:bob", Action: "user.view", Target: "user:421", Detail: "d"}} {
		if err := s.Record(t.Context(), Start, d); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Erase(t.Context(), Start, "user:42", "42"); err != nil {
		t.Fatal(err)
	}
	for note, left := range notes {
		if n := Number(t, db, `SELECT COUNT(*) FROM user_sessions WHERE end_note = $1`, note); (n == 1) != (left != "") {
			t.Errorf("the note %q is there %d times", note, n)
		}
	}
	got := withoutPseudonyms(deeds(t, s, store.AuditFilter{Action: "user"}))
	want := []string{"erased user.view user:bob", "user:bob user.view erased", "user:bob user.view user:421 d", "erased user.erase erased 0 sessions; 6 entries"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := texts(t, db, `SELECT created_by FROM notices UNION ALL SELECT started_by FROM drain UNION ALL SELECT ended_by FROM user_sessions WHERE ended_by <> 'cli' ORDER BY 1`); !slices.Equal(got, []string{"erased", "erased", "erased", "user:421"}) {
		t.Errorf("by whom: %v", got)
	}
}

func TestErasingIsRefused(t *testing.T) {
	s := New(t)
	if _, err := s.CreateFirstAccount(t.Context(), Start, "root", "a password that is long enough"); err != nil {
		t.Fatal(err)
	}
	before := deeds(t, s, store.AuditFilter{})
	_, err := s.Erase(t.Context(), Start, "cli", "rollcall:root")
	WantError(t, err, store.ErrLastAdmin)
	_, err = s.Erase(t.Context(), Start, "cli", "nobody")
	WantError(t, err, sqldb.ErrNotFound)
	if diff := cmp.Diff(before, deeds(t, s, store.AuditFilter{})); diff != "" {
		t.Error(diff)
	}
	if _, err := s.SignIn(t.Context(), Start, store.Credentials{Name: "root", Password: "a password that is long enough"}, store.Origin{}); err != nil {
		t.Error(err)
	}
}

func TestErasingAnAccountAndADeletedUser(t *testing.T) {
	s := New(t)
	for _, name := range []string{"root", "ann"} {
		if _, err := s.CreateAccount(t.Context(), Start, "cli", store.AccountInput{Name: name, Password: "a password that is long enough", Access: store.AccessAdmin}); err != nil {
			t.Fatal(err)
		}
	}
	gone, err := s.Erase(t.Context(), Start, "user:rollcall:root", "rollcall:ann")
	if err != nil || !gone.Account || gone.Mentions != 1 {
		t.Errorf("%+v, %v", gone, err)
	}
	LogIn(t, s, Start, "ada")
	if _, err := s.DeleteUser(t.Context(), Start, store.By{Grant: store.AccessAdmin}, "ada"); err != nil {
		t.Fatal(err)
	}
	gone, err = s.Erase(t.Context(), Start, "user:rollcall:root", "ada")
	if err != nil || gone.Mentions != 1 || gone.Sessions != 0 || !gone.Complete {
		t.Errorf("a deleted user: %+v, %v", gone, err)
	}
	_, err = s.Erase(t.Context(), Start, "user:rollcall:root", "ada")
	WantError(t, err, sqldb.ErrNotFound)
}

func TestErasingRacesWithThePersonAndOthers(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	bob := LogIn(t, s, Start, "bob")
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				ada, err := s.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: "ada"}})
				if err != nil {
					t.Error(err)
				}
				for _, token := range []string{ada.Token, bob.Token} {
					if _, err := s.Touch(t.Context(), Start, token, store.Beat{}); err != nil && (token == bob.Token || !errors.Is(err, store.ErrSessionEnded)) {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 20 {
		if gone, err := s.Erase(t.Context(), Start, "cli", "ada"); err != nil && !errors.Is(err, sqldb.ErrNotFound) || err == nil && !gone.Complete {
			t.Errorf("%+v, %v", gone, err)
		}
	}
	stop()
	wg.Wait()
	if _, err := s.Erase(t.Context(), Start, "cli", "ada"); err != nil {
		t.Error(err)
	}
	wantOnline(t, s, Start, "bob")
	if n := Number(t, OpenShell(t, folder, ""), `SELECT COUNT(*) FROM settings WHERE name = 'erasures'`); n != 0 {
		t.Error("it is not finished")
	}
}

func TestErasingIsFinishedOnceAReaderHasGone(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	LogIn(t, s, Start, "canary-ada")
	reading, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reading.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM users`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	gone, err := s.Erase(t.Context(), Start, "cli", "canary-ada")
	if err != nil || gone.Complete || gone.Sessions != 1 {
		t.Fatalf("while somebody reads an old state: %+v, %v", gone, err)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := Open(t, folder, presence.DefaultRules()) // as after a kill
	gone, err = again.Erase(t.Context(), Start, "cli", "canary-ada")
	if err != nil || !gone.Complete {
		t.Fatalf("another time: %+v, %v", gone, err)
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	for _, file := range files {
		if content, err := os.ReadFile(file); err != nil || bytes.Contains(content, []byte("canary-ada")) {
			t.Errorf("%s: %v, there is a trace", file, err)
		}
	}
}
