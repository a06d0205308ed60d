package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/server/doctor"
	"rollcall/store"
	"rollcall/store/layout"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

const damagedPeople = 120

// fileOfPeople is a database of people who are online, which nobody has open, and a key to read it by.
func fileOfPeople(t *testing.T) (file []byte, key string) {
	t.Helper()
	folder := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: storetest.Schema(t), Rules: presence.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	for n := range damagedPeople {
		id := fmt.Sprint("person-", n)
		_, err := s.Login(t.Context(), storetest.Start, shopBackend, store.Login{User: store.UserInput{
			ID: id, Name: new(strings.Repeat("N", 80)), Organization: new(fmt.Sprint("organization-", n%40)), Team: new(strings.Repeat("T", 60))}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, key, err = s.CreateKey(t.Context(), storetest.Start, store.ActorSystem, "ops", "", store.Scopes{store.ScopeAdmin}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if file, err = os.ReadFile(filepath.Join(folder, sqldb.FileName)); err != nil {
		t.Fatal(err)
	}
	return file, key
}

// damage is what may become of a file's pages.
var damage = map[string]func(random *rand.Rand, file []byte){
	"a page is zero":      func(random *rand.Rand, file []byte) { clear(pageOf(random, file)) },
	"a page is another":   func(random *rand.Rand, file []byte) { copy(pageOf(random, file), pageOf(random, file)) },
	"a page is noise":     func(random *rand.Rand, file []byte) { noise(random, pageOf(random, file)) },
	"a sector is noise":   func(random *rand.Rand, file []byte) { noise(random, pageOf(random, file)[512:]) },
	"a header is noise":   func(random *rand.Rand, file []byte) { noise(random, pageOf(random, file)[:12]) },
	"ten pages are zero":  func(random *rand.Rand, file []byte) { many(random, file, func(page []byte) { clear(page) }) },
	"ten pages are noise": func(random *rand.Rand, file []byte) { many(random, file, func(page []byte) { noise(random, page) }) },
	"a bit has turned": func(random *rand.Rand, file []byte) {
		pageOf(random, file)[random.IntN(pageBytes)] ^= 1 << random.IntN(8)
	},
	"its end is cut off":   nil, // see damageFile
	"nothing has happened": func(*rand.Rand, []byte) {},
}

const pageBytes = 1024

func pageOf(random *rand.Rand, file []byte) []byte {
	page := 1 + random.IntN(len(file)/pageBytes-1) // not the first: without it there is no start
	return file[page*pageBytes : (page+1)*pageBytes]
}

func noise(random *rand.Rand, page []byte) {
	for i := range page {
		page[i] = byte(random.Uint32())
	}
}

func many(random *rand.Rand, file []byte, f func([]byte)) {
	for range 10 {
		f(pageOf(random, file))
	}
}

func damageFile(random *rand.Rand, kind string, file []byte) []byte {
	file = bytes.Clone(file)
	if do := damage[kind]; do != nil {
		do(random, file)
		return file
	}
	return file[:len(file)-pageBytes*(1+random.IntN(20))]
}

// TestDamageIsToldOrListsAreWhole damages a database: where it starts at all, lists answer fully, or
// the doctor names the damage and the server is not ready.
func TestDamageIsToldOrListsAreWhole(t *testing.T) {
	file, key := fileOfPeople(t)
	told, whole, refused := 0, 0, 0
	for kind := range damage {
		for seed := range uint64(10) {
			t.Run(fmt.Sprint(kind, " ", seed), func(t *testing.T) {
				folder := t.TempDir()
				random := rand.New(rand.NewPCG(seed, 0))
				if err := os.WriteFile(filepath.Join(folder, sqldb.FileName), damageFile(random, kind, file), 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: storetest.Schema(t), Rules: presence.DefaultRules()})
				if err != nil {
					refused++
					if !namesDamage(t, folder) && !errors.Is(err, layout.ErrForeign) { // which says what to do
						t.Errorf("it does not start, and nothing names the damage: %v", err)
					}
					return
				}
				defer s.Close()
				b := newBench(t, s)
				answered, listed := listsAll(t, b, key)
				ready := do(t, b, "GET", "/readyz", nil).Code
				named := namesDamage(t, folder)
				switch {
				case named:
					told++
					if code := b.readyOnceChecked(t); code == 200 && !answered {
						t.Error("the server is ready, and lists fail")
					}
				case !listed || ready != 200:
					t.Errorf("nothing is told: lists are whole %t, ready %d\n%s", listed, ready, b.logs)
				default:
					whole++
				}
				if kind == "nothing has happened" && (named || !listed || ready != 200) {
					t.Errorf("named %t, listed %t, ready %d", named, listed, ready)
				}
			})
		}
	}
	t.Logf("of the damaged files %d did not start, %d were told, %d answered fully", refused, told, whole)
	if told < 20 {
		t.Errorf("only %d of the damages were told", told)
	}
}

// listsAll reads the list page by page, and tells whether it is answered, and has everybody.
func listsAll(t *testing.T, b *bench, key string) (answered, whole bool) {
	t.Helper()
	seen, cursor := map[string]bool{}, ""
	for range 10 {
		answer := do(t, b, "GET", "/admin/users/online?limit=50"+cursor, nil, bearing(key))
		if answer.Code != 200 {
			return false, false
		}
		page := answer.wants(200)
		for _, user := range page["users"].([]any) {
			seen[user.(map[string]any)["id"].(string)] = true
		}
		next, _ := page["next_cursor"].(string)
		if next == "" {
			break
		}
		cursor = "&cursor=" + next
	}
	return true, len(seen) == damagedPeople
}

func namesDamage(t *testing.T, folder string) bool {
	t.Helper()
	for _, f := range doctor.FileChecks(t.Context(), folder) {
		if f.Check == "damage" {
			return f.State == "problem" && strings.Contains(strings.Join(f.Paste, " "), "rollcall restore")
		}
	}
	t.Fatal("the doctor says nothing of damage")
	return false
}

// readyOnceChecked asks for readiness after the daily check.
func (b *bench) readyOnceChecked(t *testing.T) int {
	t.Helper()
	if _, err := b.store.DB().Check(t.Context()); err != nil {
		t.Error(err)
	}
	return do(t, b, "GET", "/readyz", nil).Code
}

// zero overwrites the first page of a table or an index of a file, which nobody has open or only our server.
func zero(t *testing.T, folder, name string) {
	t.Helper()
	var page int64
	shell := storetest.ShellFile(t, folder, "")
	if err := shell.QueryRowContext(t.Context(), `SELECT rootpage FROM sqlite_schema WHERE name = $1`, name).Scan(&page); err != nil {
		t.Fatal(err)
	}
	if err := shell.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(filepath.Join(folder, sqldb.FileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(make([]byte, pageBytes), (page-1)*pageBytes)
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// folderOfPeople holds a file of people.
func folderOfPeople(t *testing.T) (folder, key string) {
	t.Helper()
	file, key := fileOfPeople(t)
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, sqldb.FileName), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder, key
}

// leaveLog puts a log beside a database, as one that was killed before it had got far.
func leaveLog(t *testing.T, folder string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, sqldb.FileName+"-wal"), make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAListThatMeetsDamageEndsReadiness(t *testing.T) {
	folder, key := folderOfPeople(t)
	zero(t, folder, "user_sessions_user")
	b := newBench(t, storetest.OpenFile(t, folder, presence.DefaultRules()), func(c *Config) { c.Data = folder })
	do(t, b, "GET", "/readyz", nil).wants(200)
	do(t, b, "GET", "/admin/users/online", nil, bearing(key)).refuses(503, "storage_damaged")
	do(t, b, "GET", "/admin/users/online", nil, bearing(key)).refuses(503, "storage_damaged")
	body := do(t, b, "GET", "/readyz", nil).refuses(503, "storage_damaged")
	if words := body["error"].(string); !strings.Contains(words, "rollcall doctor") || !strings.Contains(words, "rollcall restore") {
		t.Errorf("who asks is told %q", words)
	}
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing("of nobody")).refuses(404, "session_ended") // and goes on
	if lines := strings.Count(b.logs.String(), "the database is damaged;"); lines != 1 || strings.Contains(b.logs.String(), "request failed") {
		t.Errorf("the log has %d lines on it:\n%s", lines, b.logs)
	}
	b.finds(t, "damage", "problem: The database is damaged rollcall restore BACKUP --data "+folder)
	if now := b.measured(t); now.value(t, "rollcall_database_damaged") != 1 {
		t.Error("metrics do not tell")
	}
}

func TestReadinessReadsWhatListsRead(t *testing.T) {
	for _, name := range []string{"users", "user_sessions", "user_sessions_active", "organizations", "status_claims"} {
		t.Run(name, func(t *testing.T) {
			folder, _ := folderOfPeople(t)
			zero(t, folder, name)
			b := newBench(t, storetest.OpenFile(t, folder, presence.DefaultRules()))
			do(t, b, "GET", "/readyz", nil).refuses(503, "storage_damaged")
		})
	}
}

const unread = "sqlite_autoindex_accounts_2" // by whoever is served

// TestDamageIsFoundByItself damages what nobody reads or writes.
func TestDamageIsFoundByItself(t *testing.T) {
	for name, killed := range map[string]bool{"soon after an unclean stop": true, "an hour after a clean start": false} {
		t.Run(name, func(t *testing.T) {
			folder, _ := folderOfPeople(t)
			zero(t, folder, unread)
			if killed {
				leaveLog(t, folder)
			}
			bubble(t, func(t *testing.T) {
				s := servingOn(t, storetest.OpenFile(t, folder, presence.DefaultRules()))
				if !killed {
					time.Sleep(firstCheck - time.Minute)
					if code, body := s.get(t, "/readyz"); code != 200 {
						t.Errorf("before it is due: %d %s", code, body)
					}
					time.Sleep(2 * time.Minute)
				}
				synctest.Wait()
				if code, body := s.get(t, "/readyz"); code != 503 || !strings.Contains(body, "storage_damaged") {
					t.Errorf("%d %s", code, body)
				}
				if lines := strings.Count(s.logs.String(), "the database is damaged;"); lines != 1 || !strings.Contains(s.logs.String(), "accounts: ") {
					t.Errorf("the log has %d lines on it:\n%s", lines, s.logs)
				}
				s.stop()
				s.must(t, <-s.ended)
			})
		})
	}
}

func whole(t *testing.T, check func(context.Context) error) {
	t.Helper()
	if err := check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseIsCheckedEveryDay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		folder, _ := folderOfPeople(t)
		leaveLog(t, folder)
		b := newBench(t, storetest.OpenFile(t, folder, presence.DefaultRules()))
		check := b.checkDaily()
		whole(t, check)
		zero(t, folder, unread)
		time.Sleep(checkEvery - time.Minute)
		whole(t, check)
		time.Sleep(time.Minute)
		if err := check(t.Context()); !errors.Is(err, sqldb.ErrDamaged) {
			t.Errorf("a day later: %v", err)
		}
	})
}

func TestADatabaseThatIsWholeIsSaidToBe(t *testing.T) {
	b := newBench(t, storetest.OpenFile(t, t.TempDir(), presence.DefaultRules()))
	now := b.measured(t)
	if _, checked := now["rollcall_database_checked_timestamp_seconds"]; checked || now.value(t, "rollcall_database_damaged") != 0 {
		t.Errorf("before it is checked: %t, %g", checked, now["rollcall_database_damaged"])
	}
	if got := b.finding(t, "damage"); !strings.HasPrefix(got, "ok: The database was whole at ") {
		t.Error(got)
	}
	b.finds(t, "log", "ok: SQLite's log takes 0 MB")
	if now := b.measured(t); now.value(t, "rollcall_database_checked_timestamp_seconds") <= 0 || now.value(t, "rollcall_database_damaged") != 0 {
		t.Errorf("afterwards: %v", now)
	}
}
