package server

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/storetest"
)

// company is a bench with people of several apps, teams and organizations.
func company(t testing.TB) (b *bench, viewer string) {
	b = newBench(t, storetest.New(t))
	b.directory = "staff"
	shop, blog := b.key(t, "shop", "sessions"), b.key(t, "blog", "sessions")
	for _, login := range []struct{ key, user string }{
		{shop, `{"id":"ada","name":"Ada Lovelace","email":"ada@engines.example","role":"dev","team":"core","organization":"Engines"}`},
		{shop, `{"id":"bob","name":"Bob 100%","email":"bob@engines.example","role":"ops","team":"core","organization":"Engines"}`},
		{blog, `{"id":"cyd","name":"Çyd_Ünlü","email":"c\\d@blog.example","role":"dev","team":"web"}`},
		{blog, `{"id":"ada"}`},
		{shop, `{"id":"dan","name":"Dan Ada-Smith","organization":"Analytics"}`},
	} {
		b.clock.advance(time.Second)
		do(t, b, "POST", "/admin/sessions", `{"user":`+login.user+`}`, bearing(login.key)).wants(201)
	}
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"dan"},"session_token":"the-token-of-an-idle-browser"}`, bearing(shop)).wants(201)
	b.account(t, "watch", store.AccessViewer)
	return b, b.key(t, "ops", "read")
}

func TestWhoIsListed(t *testing.T) {
	b, viewer := company(t)
	b.key(t, "later", "sessions")
	for query, want := range map[string]string{
		"":                                 "ada bob cyd dan",
		"app=shop":                         "ada bob dan",
		"app=blog":                         "ada cyd",
		"app=later":                        "",
		"app=rollcall":                     "rollcall:watch",
		"organization=Engines":             "ada bob",
		"team=core":                        "ada bob",
		"role=dev":                         "ada cyd",
		"role=dev&team=core&app=blog":      "ada",
		"status=available":                 "ada bob cyd dan",
		"status=away":                      "",
		"status=busy":                      "",
		"q=ada":                            "ada dan",
		"q=ADA":                            "ada dan",
		"q=ada+l":                          "ada",
		"q=engines.example":                "ada bob",
		"q=100%25":                         "bob",
		"q=%25":                            "bob",
		"q=_":                              "cyd",
		"q=%5C":                            "cyd",
		"q=c%5Cd":                          "cyd",
		"q=%C3%9Cnl%C3%BC":                 "cyd",
		"q=%C3%87yd":                       "cyd",
		"q=%27%22%3B--":                    "",
		"q=x%27+OR+1%3D1":                  "",
		"q=":                               "ada bob cyd dan",
		"q=Analytics":                      "dan",
		"q=" + strings.Repeat("%25", 4000): "",
	} {
		body := do(t, b, "GET", "/admin/users/online?"+query, nil, bearing(viewer)).wants(200)
		got := []string{}
		for _, user := range body["users"].([]any) {
			got = append(got, user.(map[string]any)["id"].(string))
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%.60q: got %v, want %s", query, got, want)
		}
		if body["count"] != float64(len(got)) || body["next_cursor"] != "" {
			t.Errorf("%.60q: count %v of %d, next_cursor %q", query, body["count"], len(got), body["next_cursor"])
		}
	}
}

func TestAFilterThatMeansNothingIsRefused(t *testing.T) {
	b, viewer := company(t)
	next := do(t, b, "GET", "/admin/users/online?limit=1&sort=name", nil, bearing(viewer)).wants(200)["next_cursor"].(string)
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=1001", "limit=ten", "limit=1.5", "limit=99999999999999999999", "limit=%201",
		"sort=age", "sort=NAME", "status=offline", "status=Away", "token=x", "app=shop&app=blog", "q=a&q=b",
		"cursor=x", "cursor=%00", "cursor=e30", "cursor=bnVsbA", "cursor=" + next, "sort=duration&cursor=" + next, "sort=name&cursor=" + next[1:],
		"app=shop;team=core", "q=%zz", "%zz=1", "q=%00", "q=a%00b", "app=%00", "q=%FF", "team=a%C3",
	} {
		do(t, b, "GET", "/admin/users/online?"+query, nil, bearing(viewer)).refuses(400, "invalid_request")
	}
	do(t, b, "GET", "/admin/users/online?limit=1000&sort=name&cursor="+url.QueryEscape(next), nil, bearing(viewer)).wants(200)
}

func TestNamesOfOthersInTheAddressOfTheListArePassedOver(t *testing.T) {
	b, viewer := company(t)
	for _, query := range []string{"_=1764331200000", "t=1&t=2", "page=1&per_page=50", "utm_source=mail", "v", "cacheBust=0.123"} {
		if got := do(t, b, "GET", "/admin/users/online?app=blog&"+query, nil, bearing(viewer)).wants(200)["count"]; got != 2.0 {
			t.Errorf("with %s %v people are online in an app where 2 are", query, got)
		}
		if got := do(t, b, "GET", "/admin/gate?"+query, nil, bearing(viewer)).Code; got != 400 { // where a filter that is misspelt would say clear
			t.Errorf("the gate with %s: %d", query, got)
		}
	}
}

func TestAPersonIsShownOnceWithAllSessions(t *testing.T) {
	b, viewer := company(t)
	dan := b.people(t, viewer, "")["dan"]
	ada := b.people(t, viewer, "")["ada"]
	if got := fmt.Sprint(ada["apps"], len(ada["sessions"].([]any)), len(dan["sessions"].([]any))); got != "[blog shop] 2 2" {
		t.Errorf("got %s", got)
	}
	if started := ada["session_started_at"]; started != api.At(storetest.Start.Add(time.Second)).String() {
		t.Errorf("online since %v, want the first session's start", started)
	}
	if ada["organization_name"] != "Engines" || ada["organization_id"] == nil || b.people(t, viewer, "")["cyd"]["organization_id"] != nil {
		t.Errorf("organizations: %v", ada)
	}
	only := b.people(t, viewer, "?app=blog")["ada"]
	if got := fmt.Sprint(only["apps"], len(only["sessions"].([]any))); got != "[blog] 1" {
		t.Errorf("with app=blog: %s", got)
	}
}

func TestThePanelsOwnSessionsAreHidden(t *testing.T) {
	b, viewer := company(t)
	body := do(t, b, "GET", "/admin/users/online", nil, bearing(viewer))
	if strings.Contains(body.Body.String(), "rollcall:") {
		t.Errorf("the list has %s", body.Body)
	}
	stats := do(t, b, "GET", "/admin/stats", nil, bearing(viewer))
	if strings.Contains(stats.Body.String(), "rollcall") {
		t.Errorf("the figures have %s", stats.Body)
	}
}

func TestTheCountsAreOfAllWhoMatch(t *testing.T) {
	b, viewer := company(t)
	do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"the-token-of-an-idle-browser","idle_ms":600000}`).wants(200)
	for query, want := range map[string]string{
		"?limit=1":              "4 map[available:4 away:0 busy:0 still_there:0 unidentified:0]", // Dan is active elsewhere
		"?limit=1&team=core":    "2 map[available:2 away:0 busy:0 still_there:0 unidentified:0]",
		"?limit=1&status=away":  "0 map[available:0 away:0 busy:0 still_there:0 unidentified:0]",
		"?limit=1&app=rollcall": "1 map[available:1 away:0 busy:0 still_there:0 unidentified:0]",
	} {
		body := do(t, b, "GET", "/admin/users/online"+query, nil, bearing(viewer)).wants(200)
		if got := fmt.Sprint(body["count"], body["counts"]); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestPagesNeitherRepeatNorSkipWhoStaysPut(t *testing.T) {
	const people = 25
	for _, sort := range []string{"", "last_activity", "name", "duration"} {
		t.Run("sort="+sort, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			key, viewer := b.key(t, "shop", "sessions"), b.key(t, "ops", "read")
			tokens := map[string]string{}
			for i := range people {
				if i%3 > 0 { // some at the same instant
					b.clock.advance(time.Second)
				}
				id := fmt.Sprintf("user%02d", i*7%people)
				_, tokens[id] = b.person(t, key, id)
				do(t, b, "PUT", "/admin/users/"+id, map[string]any{"name": fmt.Sprint("Name", i%4)}, bearing(key)).wants(200)
			}
			seen, cursor, pages := map[string]int{}, "", 0
			for moved := 0; ; moved += 2 {
				body := do(t, b, "GET", "/admin/users/online?limit=10&sort="+sort+"&cursor="+cursor, nil, bearing(viewer)).wants(200)
				for _, user := range body["users"].([]any) {
					seen[user.(map[string]any)["id"].(string)]++
				}
				pages++
				if body["count"] != float64(people) {
					t.Errorf("page %d: count is %v", pages, body["count"])
				}
				if cursor = body["next_cursor"].(string); cursor == "" {
					break
				}
				for i := range 2 { // these move to the front of those by activity; by other orders they stay
					b.clock.advance(time.Second)
					b.beats(t, tokens[fmt.Sprintf("user%02d", moved+i)])
				}
			}
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			for i := range people {
				id := fmt.Sprintf("user%02d", i)
				mayMove := i < 4 && (sort == "" || sort == "last_activity")
				if seen[id] > 1 || seen[id] == 0 && !mayMove {
					t.Errorf("%s was listed %d times", id, seen[id])
				}
			}
		})
	}
}

func TestEachSortIsWhatItsNameSays(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key, viewer := b.key(t, "shop", "sessions"), b.key(t, "ops", "read")
	tokens := map[string]string{}
	for _, id := range []string{"Cyd", "ada", "bob"} {
		_, tokens[id] = b.person(t, key, id)
		b.beats(t, tokens[id])
		b.clock.advance(time.Minute)
	}
	b.beats(t, tokens["ada"])
	for sort, want := range map[string][]string{"": {"ada", "bob", "Cyd"}, "last_activity": {"ada", "bob", "Cyd"}, "name": {"ada", "bob", "Cyd"}, "duration": {"Cyd", "ada", "bob"}} {
		var got []string
		for _, user := range do(t, b, "GET", "/admin/users/online?sort="+sort, nil, bearing(viewer)).wants(200)["users"].([]any) {
			got = append(got, user.(map[string]any)["id"].(string))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sort=%s:\n%s", sort, diff)
		}
	}
}

func TestNobodyOnlineIsAnEmptyList(t *testing.T) {
	b := newBench(t, storetest.New(t))
	got := do(t, b, "GET", "/admin/users/online", nil, bearing(b.key(t, "ops", "read")))
	if !strings.Contains(got.Body.String(), `"users":[],"count":0`) {
		t.Errorf("got %s", got.Body)
	}
}
