package server

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/client"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/storetest"
)

// listed returns the users of the sessions in an answer.
func listed(answer map[string]any) (users []string) {
	for _, session := range answer["sessions"].([]any) {
		users = append(users, session.(map[string]any)["user"].(map[string]any)["id"].(string))
	}
	return users
}

func TestTheListOfSessions(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key, viewer := b.key(t, "shop", "sessions"), b.key(t, "watch", "read")
	login := map[string]any{"user": map[string]any{"id": "ada", "name": "Ada", "email": "a@b.example", "role": "R", "team": "T", "organization": "O"},
		"ip_address": "192.0.2.1", "user_agent": firefox}
	made := do(t, b, "POST", "/admin/sessions", login, bearing(key)).wants(201)["session"].(map[string]any)
	b.beats(t, made["token"].(string))
	b.clock.advance(time.Minute)
	_, bob := b.person(t, key, "bob")
	b.clock.advance(90 * time.Second)
	do(t, b, "POST", "/admin/sessions/end", map[string]any{"session_token": bob}, bearing(key)).wants(200)

	got := do(t, b, "GET", "/admin/sessions", nil, bearing(viewer)).wants(200)
	want := []any{map[string]any{"id": made["id"], "app": "shop", "state": "online", "page": "", "duration_minutes": 2.0,
		"user":               map[string]any{"id": "ada", "name": "Ada", "email": "a@b.example", "organization_name": "O", "team_name": "T", "role": "R", "directory": "shop"},
		"session_started_at": "2026-03-02T09:30:00.000Z", "last_activity_at": "2026-03-02T09:30:00.000Z", "expires_at": "2026-03-03T09:30:00.000Z",
		"ended_at": nil, "end_reason": nil, "ended_by": "", "end_note": "", "ip_address": "192.0.2.1", "user_agent": firefox,
		"device": map[string]any{"type": "desktop", "os": "Windows", "browser": "Firefox 140"}, "location": ""}}
	if diff := cmp.Diff(want, got["sessions"]); diff != "" {
		t.Error(diff)
	}
	b.key(t, "blog", "sessions")
	for query, want := range map[string]string{
		"?state=ended": "bob", "?reason=logout": "bob", "?state=all": "bob ada", "?user=ada": "ada", "?app=blog": "", "?organization=O": "ada",
		"?ip=192.0.2.1": "ada", "?ip=%3A%3Affff:192.0.2.1": "ada", "?device=firefox": "ada", "?device=Windows": "ada", "?device=mobile": "", "?q=A%40B": "ada", "?from=2026-03-02T10:31:00%2B01:00&to=2026-03-02T10:31:00%2B01:00": "bob ada",
		"?to=2026-03-02T09:30:59Z": "ada", "?state=&user=&reason=": "ada", "?format=json": "ada", "?sort=ended": "bob",
	} {
		if got := strings.Join(listed(do(t, b, "GET", "/admin/sessions"+query, nil, bearing(viewer)).wants(200)), " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	b.clock.advance(time.Hour)
	ended := do(t, b, "GET", "/admin/sessions?user=bob&state=ended", nil, bearing(viewer)).wants(200)["sessions"].([]any)[0].(map[string]any)
	if ended["duration_minutes"] != 1.0 || ended["ended_at"] != "2026-03-02T09:32:30.000Z" || ended["end_reason"] != "logout" {
		t.Errorf("an hour after its end: %v", ended)
	}
	first := do(t, b, "GET", "/admin/sessions?state=all&limit=1", nil, bearing(viewer)).wants(200)
	second := do(t, b, "GET", "/admin/sessions?state=all&limit=1&cursor="+first["next_cursor"].(string), nil, bearing(viewer)).wants(200)
	if got := append(listed(first), listed(second)...); !slices.Equal(got, []string{"bob", "ada"}) || second["next_cursor"] != "" {
		t.Errorf("page by page: %v, then %q", got, second["next_cursor"])
	}
}

func TestTheClientReadsTheListOfSessions(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	ada, _ := b.person(t, key, "ada")
	b.person(t, key, "bob")
	web := httptest.NewServer(b.Handler())
	defer web.Close()
	asks := client.New(web.URL, key)
	defer asks.Close()
	instant := storetest.Start
	page, err := asks.Sessions(t.Context(), client.SessionFilter{State: "active", User: "ada", App: "shop", From: &instant, To: &instant, Sort: "created", Limit: 1})
	if err != nil || len(page.Sessions) != 1 || page.NextCursor != "" {
		t.Fatal(page, err)
	}
	report(t, b, key, "cleo", "192.0.2.1", firefox)
	desks, err := asks.Sessions(t.Context(), client.SessionFilter{Device: "windows"})
	if err != nil || len(desks.Sessions) != 1 || desks.Sessions[0].Device.String() != "Firefox 140 on Windows" {
		t.Errorf("by device: %+v, %v", desks, err)
	}
	if got := page.Sessions[0]; got.ID != ada || got.User.ID != "ada" || got.State != "online" || !got.SessionStartedAt.Equal(instant) || got.EndedAt != nil {
		t.Errorf("%+v", got)
	}
}

func TestFiltersOfSessionsThatAreRefused(t *testing.T) {
	b := newBench(t, storetest.New(t))
	viewer := b.key(t, "watch", "read")
	for _, query := range []string{
		"?state=open", "?sort=name", "?reason=bored", "?from=yesterday", "?to=1772443800", "?from=2026-03-02T10:31:00+01:00", "?limit=0", "?limit=1001",
		"?cursor=x", "?color=red", "?device=%00", "?user=a&user=b", "?q=%00", "?sort=ended&state=all", "?format=xml", "?format=csv&limit=5", "?format=csv&cursor=x",
		"?format=csv&state=open", "?from=2026-03-02T10:31:00Z&to=2026-03-02T10:30:00Z",
	} {
		do(t, b, "GET", "/admin/sessions"+query, nil, bearing(viewer)).refuses(400, "invalid_request")
	}
}

// formulas are texts that a spreadsheet would run, and what it gets instead.
var formulas = map[string]string{
	`=1+1`:                        `'=1+1`,
	`=HYPERLINK("http://x","y")`:  `'=HYPERLINK("http://x","y")`,
	`+1`:                          `'+1`,
	`-1`:                          `'-1`,
	`@SUM(A1)`:                    `'@SUM(A1)`,
	"\t=1":                        "'\t'=1",
	"\r=1":                        "''=1", // a lone CR does not survive the file
	"\n=1":                        "'\r\n'=1",
	`＝1`:                          `'＝1`,
	`a;=1+1`:                      `a;'=1+1`,
	`=cmd|' /C calc'!A0`:          `'=cmd|' /C calc'!A0`,
	`a","=1`:                      `a","=1`, // the quotes are doubled
	`1=1`:                         `1=1`,
	`Ada "the first", O'Neill; x`: `Ada "the first", O'Neill; x`,
	``:                            ``,
}

func TestNoCellOfTheFileIsAFormula(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.key(t, "shop", "sessions")
	viewer := b.key(t, "watch", "read")
	for evil, want := range formulas {
		id := fmt.Sprintf("%x", "id "+evil)
		user := store.UserInput{ID: id, Name: &evil, Email: &evil, Role: &evil, Team: &evil, Organization: &evil}
		origin := store.Origin{IPAddress: evil, UserAgent: evil, Device: store.Device{Type: evil, OS: evil, Browser: evil}, Location: evil}
		result, err := b.store.Login(t.Context(), b.now(), store.By{App: "shop", Directory: "shop"}, store.Login{User: user, Origin: origin})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.store.Touch(t.Context(), b.now(), result.Token, store.Beat{Page: &evil}); err != nil {
			t.Fatal(err)
		}
		text := do(t, b, "GET", "/admin/sessions?format=csv&user="+url.QueryEscape(id), nil, bearing(viewer)).Body.String()
		if strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasSuffix(text, "\r\n") {
			t.Errorf("lines end in other than CR LF: %q", text)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatalf("%q: %v", text, err)
		}
		want = strings.ReplaceAll(want, "\r\n", "\n") // as the reader has it
		if diff := cmp.Diff([]string{"shop", id, want, want, want, want, want, "online"}, rows[1][1:9]); diff != "" {
			t.Errorf("%q:\n%s", evil, diff)
		}
		if diff := cmp.Diff([]string{want, want, want, "0", want, want, want, want, "shop"}, rows[1][16:]); diff != "" {
			t.Errorf("%q:\n%s", evil, diff)
		}
	}
}

func TestTheFileHasAllPages(t *testing.T) {
	b := newBench(t, storetest.New(t))
	viewer := b.key(t, "watch", "read")
	const people = 2*web.MaxLimit + 1
	var logins sync.WaitGroup
	for worker := range 50 {
		logins.Go(func() {
			for i := worker; i < people; i += 50 {
				in := store.Login{User: store.UserInput{ID: fmt.Sprint("u", i)}}
				if _, err := b.store.Login(t.Context(), b.now(), store.By{App: "shop", Directory: "shop"}, in); err != nil {
					t.Error(err)
				}
			}
		})
	}
	logins.Wait()
	for name, got := range map[string]result{
		"by format":       do(t, b, "GET", "/admin/sessions?format=csv", nil, bearing(viewer)),
		"by the header":   do(t, b, "GET", "/admin/sessions", nil, bearing(viewer), header("Accept", "text/html;q=0.5, text/csv")),
		"in another sort": do(t, b, "GET", "/admin/sessions?format=csv&sort=last_activity", nil, bearing(viewer)),
	} {
		rows, err := csv.NewReader(got.Body).ReadAll()
		seen := map[string]bool{}
		for _, row := range rows {
			seen[row[2]] = true
		}
		if err != nil || len(rows) != people+1 || len(seen) != people+1 || !slices.Equal(rows[0], sessionColumns) {
			t.Errorf("%s: %d rows, %d users, %v", name, len(rows), len(seen), err)
		}
		if kind := got.Header().Get("Content-Type"); kind != "text/csv; charset=utf-8; header=present" {
			t.Errorf("%s: %s", name, kind)
		}
		if got := got.Header().Get("Content-Disposition"); got != `attachment; filename="sessions-20260302-093000.csv"` {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, opt := range map[string]func(*http.Request){
		"no header": func(*http.Request) {}, "a weight of 0": header("Accept", "text/csv;q=0.0, */*"), "anything": header("Accept", "*/*"),
	} {
		if got := do(t, b, "GET", "/admin/sessions?limit=1", nil, bearing(viewer), opt).wants(200); got["success"] != true {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := do(t, b, "HEAD", "/admin/sessions?format=csv", nil, bearing(viewer)); got.Code != 200 || got.Body.Len() > 0 {
		t.Errorf("HEAD answers %d with %d bytes", got.Code, got.Body.Len())
	}
}

func TestAFileThatBreaksOffEndsTheConnection(t *testing.T) {
	b := newBench(t, storetest.New(t))
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("the handler ended with %v", cause)
		}
	}()
	b.respond.Succeed(httptest.NewRecorder(), httptest.NewRequest("GET", "/admin/sessions", nil), web.Download{Write: func(http.ResponseWriter) error { return errors.New("the disk failed") }})
}
