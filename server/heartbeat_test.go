package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/server/heartbeat"
	"rollcall/store"
	"rollcall/store/storetest"
)

func TestWhatAHeartbeatMayLookLike(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "sessions")
	_, token := b.person(t, key, "ada")
	cookie := b.account(t, "watch", store.AccessViewer)
	text := header("Content-Type", "text/plain;charset=UTF-8")
	in := func(format string) string { return fmt.Sprintf(format, token) }
	for name, test := range map[string]struct {
		body   any
		opts   []func(*http.Request)
		status int
		code   string
	}{
		"bearer alone":                       {nil, []func(*http.Request){bearing(token)}, 200, ""},
		"bearer in another case":             {nil, []func(*http.Request){header("Authorization", "bearer  "+token+" ")}, 200, ""},
		"cookie alone":                       {nil, []func(*http.Request){cookied(b, cookie)}, 200, ""},
		"token in the body":                  {in(`{"sessionToken":%q}`), nil, 200, ""},
		"the original's own call":            {in(`{"sessionToken":%q}`), []func(*http.Request){bearing(token), header("Content-Type", "application/json")}, 200, ""},
		"the body's token wins":              {in(`{"sessionToken":%q}`), []func(*http.Request){bearing("unknown")}, 200, ""},
		"an unknown token in the body":       {`{"sessionToken":"unknown"}`, []func(*http.Request){bearing(token)}, 404, "session_ended"},
		"the bearer wins over the cookie":    {nil, []func(*http.Request){bearing("unknown"), cookied(b, cookie)}, 404, "session_ended"},
		"an empty object with bearer":        {`{}`, []func(*http.Request){bearing(token)}, 200, ""},
		"null with bearer":                   {`null`, []func(*http.Request){bearing(token)}, 200, ""},
		"an empty body of any type":          {"", []func(*http.Request){bearing(token), text}, 200, ""},
		"every field":                        {`{"idle_ms":12,"visible":true,"page":"/x","leaving":false}`, []func(*http.Request){bearing(token)}, 200, ""},
		"fields of a later version":          {`{"mood":"fine","nested":{"a":[1]}}`, []func(*http.Request){bearing(token)}, 200, ""},
		"a beacon with its token":            {in(`{"sessionToken":%q,"leaving":true}`), []func(*http.Request){text}, 200, ""},
		"a beacon from another site":         {in(`{"sessionToken":%q}`), []func(*http.Request){text, header("Origin", "https://shop.example"), header("Sec-Fetch-Site", "cross-site")}, 200, ""},
		"a beacon without its token":         {`{"leaving":true}`, []func(*http.Request){text}, 415, "unsupported_media_type"},
		"a beacon with bearer only":          {`{"leaving":true}`, []func(*http.Request){text, bearing(token)}, 415, "unsupported_media_type"},
		"a beacon with cookie only":          {`{"leaving":true}`, []func(*http.Request){text, cookied(b, cookie)}, 415, "unsupported_media_type"},
		"the cookie from another site":       {`{}`, []func(*http.Request){cookied(b, cookie), header("Sec-Fetch-Site", "cross-site")}, 403, "cross_origin"},
		"no token":                           {`{}`, nil, 400, "session_token_required"},
		"no token and no body":               {nil, nil, 400, "session_token_required"},
		"an empty token":                     {`{"sessionToken":""}`, nil, 400, "session_token_required"},
		"an empty bearer":                    {nil, []func(*http.Request){header("Authorization", "Bearer ")}, 400, "session_token_required"},
		"a bearer of the word null":          {nil, []func(*http.Request){bearing("null")}, 404, "session_ended"},
		"a key":                              {nil, []func(*http.Request){bearing(key)}, 404, "session_ended"},
		"malformed":                          {`{"sessionToken":`, nil, 400, "invalid_request"},
		"a list":                             {`[]`, []func(*http.Request){bearing(token)}, 400, "invalid_request"},
		"a token of another type":            {`{"sessionToken":5}`, []func(*http.Request){bearing(token)}, 400, "invalid_request"},
		"a form":                             {`sessionToken=x`, []func(*http.Request){header("Content-Type", "application/x-www-form-urlencoded")}, 415, "unsupported_media_type"},
		"4 KiB":                              {pad(in(`{"sessionToken":%q}`), heartbeat.MaxBody), nil, 200, ""},
		"more than 4 KiB":                    {pad(in(`{"sessionToken":%q}`), heartbeat.MaxBody+1), nil, 413, "body_too_large"},
		"a text that is no UTF-8":            {"{\"sessionToken\":\"\xff\xfe\"}", nil, 404, "session_ended"},
		"a page of every kind of characters": {`{"page":"/ü/\u0000/👩‍💻/%zz"}`, []func(*http.Request){bearing(token)}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := do(t, b, "POST", "/admin/users/heartbeat", test.body, test.opts...)
			if test.status != 200 {
				body := got.refuses(test.status, test.code)
				if next, told := body["next_heartbeat_ms"]; told != (test.code == "session_ended") || told && next != 60000.0 {
					t.Errorf("the next heartbeat is wanted in %v ms", next)
				}
				return
			}
			body := got.wants(200)
			if body["next_heartbeat_ms"] != 60000.0 || len(body["notices"].([]any)) != 0 {
				t.Errorf("got %v", body)
			}
		})
	}
}

func pad(text string, size int) string { return text + strings.Repeat(" ", size-len(text)) }

func TestAHeartbeatSaysUntilWhenTheSessionLives(t *testing.T) {
	b := newBench(t, storetest.New(t))
	id, token := b.person(t, b.key(t, "shop", "sessions"), "ada")
	b.clock.advance(time.Hour)
	beat := func(body string) any {
		session := do(t, b, "POST", "/admin/users/heartbeat", body, bearing(token)).wants(200)["session"].(map[string]any)
		if session["id"] != id {
			t.Errorf("the session is %v, want %s", session["id"], id)
		}
		return session["expires_at"]
	}
	soon := api.At(b.now().Add(24 * time.Hour)).String()
	if got := beat(`{}`); got != soon {
		t.Errorf("got %v, want %v", got, soon)
	}
	b.clock.advance(time.Hour)
	if got := beat(`{"idle_ms":300000}`); got != soon {
		t.Errorf("an idle heartbeat moved the end to %v", got)
	}
	if got, want := beat(`{"idle_ms":299999}`), api.At(b.now().Add(24*time.Hour)).String(); got != want {
		t.Errorf("input moved the end to %v, want %v", got, want)
	}
}

func TestAPersonIsOnlineWhileHeartbeatsCome(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	_, token := b.person(t, key, "ada")
	online := func() bool { return len(b.people(t, key, "")) == 1 }
	b.beats(t, token)
	b.clock.advance(5*time.Minute - time.Millisecond)
	if !online() {
		t.Error("offline before five minutes without a heartbeat")
	}
	b.clock.advance(time.Millisecond)
	if online() {
		t.Error("online after five minutes without a heartbeat")
	}
	if b.beats(t, token); !online() {
		t.Error("a heartbeat does not bring her back")
	}
}

func TestWhoLeavesIsOfflineUnlessATabComesBack(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	_, token := b.person(t, key, "ada")
	leave := func() {
		do(t, b, "POST", "/admin/users/heartbeat", map[string]any{"sessionToken": token, "leaving": true}, header("Content-Type", "text/plain")).wants(200)
	}
	online := func() bool { return len(b.people(t, key, "")) == 1 }
	leave()
	b.clock.advance(15*time.Second - time.Millisecond)
	if !online() {
		t.Error("gone before the grace was over")
	}
	if b.beats(t, token); !online() {
		t.Error("a tab that came back does not count")
	}
	b.clock.advance(time.Minute)
	if !online() {
		t.Error("the goodbye of before still counts")
	}
	leave()
	b.clock.advance(15 * time.Second)
	if online() {
		t.Error("still online after the grace")
	}
	do(t, b, "GET", "/auth/me", nil, bearing(token)).wants(200) // logged in all the same
}

func TestWhoTouchesNothingIsAway(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	_, token := b.person(t, key, "ada")
	for _, test := range []struct {
		idle   int
		status string
	}{{0, "available"}, {299_999, "available"}, {300_000, "away"}, {86_400_000, "away"}, {1000, "available"}} {
		answer := do(t, b, "POST", "/admin/users/heartbeat", map[string]any{"idle_ms": test.idle}, bearing(token)).wants(200)
		if answer["idle"] != (test.status == "away") {
			t.Errorf("idle for %d ms is answered with %v", test.idle, answer["idle"])
		}
		if ada := b.people(t, key, "")["ada"]; ada["status"] != test.status || ada["idle"] != (test.status == "away") {
			t.Errorf("idle for %d ms: %v, idle %v", test.idle, ada["status"], ada["idle"])
		}
	}
	_, phone := b.person(t, key, "ada")
	do(t, b, "POST", "/admin/users/heartbeat", map[string]any{"idle_ms": 600_000, "page": "/desk"}, bearing(token)).wants(200)
	do(t, b, "POST", "/admin/users/heartbeat", map[string]any{"page": "/phone"}, bearing(phone)).wants(200)
	if ada := b.people(t, key, "")["ada"]; ada["status"] != "available" || ada["page"] != "/phone" {
		t.Errorf("idle at the desk, active on the phone: %v on %v", ada["status"], ada["page"])
	}
}

func TestAPageIsShownWithoutWhatMayBeSecret(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	_, token := b.person(t, key, "ada")
	for _, test := range []struct{ body, want string }{
		{`{"page":"/orders/7"}`, "/orders/7"},
		{`{}`, "/orders/7"},
		{`{"page":null}`, "/orders/7"},
		{`{"page":"/a?token=s3cret"}`, "/a"},
		{`{"page":"/a#access_token=s3cret"}`, "/a"},
		{`{"page":"https://ada:s3cret@shop.example/b?c#d"}`, "/b"},
		{`{"page":"//ada:s3cret@shop.example/b"}`, "/b"},
		{`{"page":"https://ada:s3 cret@shop.example/b"}`, "/b"},
		{`{"page":"?s3cret"}`, ""},
		{`{"page":""}`, ""},
		{`{"page":"` + strings.Repeat("ä", 1000) + `"}`, strings.Repeat("ä", 200)},
		{`{"page":"/%D0%BF%D1%80%D0%BE%D0%B5%D0%BA%D1%82%D1%8B/%D0%BE%D1%82%D1%87%D1%91%D1%82"}`, "/проекты/отчёт"},
		{`{"page":"/проекты/отчёт"}`, "/проекты/отчёт"},
		{`{"page":"/%e6%97%a5%e6%9c%ac/%F0%9F%91%A9"}`, "/日本/👩"},
		{`{"page":"/a%20b/c+d"}`, "/a b/c+d"},
		{`{"page":"/a%2Fb%3Fc%23d%25D0%2590"}`, "/a%2Fb%3Fc%23d%25D0%2590"},
		{`{"page":"/caf%E9/%D0%90%D0"}`, "/caf%E9/А%D0"},
		{`{"page":"/%zz/%D/%"}`, "/%zz/%D/%"},
		{`{"page":"/%E2%80%AE/%C2%85/%EF%BF%BD"}`, "/%E2%80%AE/%C2%85/%EF%BF%BD"},
		{`{"page":"/` + strings.Repeat("%D0%B0", 300) + `"}`, "/" + strings.Repeat("а", 199)},
		{`{"page":"#/orders/7"}`, "#/orders/7"},
		{`{"page":"#/orders/7?token=s3cret#s3cret"}`, "#/orders/7"},
		{`{"page":"#!/orders"}`, "#!/orders"},
		{`{"page":"#//ada:s3cret@shop.example/b"}`, "#/b"},
		{`{"page":"#access_token=s3cret"}`, ""},
		{`{"page":"/app#/s3cret"}`, "/app"},
		{`{"page":"https://shop.example/#/s3cret"}`, "/"},
	} {
		do(t, b, "POST", "/admin/users/heartbeat", test.body, bearing(token)).wants(200)
		if got := b.people(t, key, "")["ada"]["page"]; got != test.want {
			t.Errorf("%s: got %q, want %q", test.body, got, test.want)
		}
	}
}

// TestAHeartbeatIsReadAsFarAsItCanBe has bodies as scripts of others send them.
func TestAHeartbeatIsReadAsFarAsItCanBe(t *testing.T) {
	type want struct {
		idle   bool
		page   string
		leaves bool
	}
	here, idle := want{page: "/"}, want{idle: true, page: "/"}
	on := func(page string) want { return want{page: page} }
	for body, want := range map[string]want{
		`{"idle_ms":299999.9}`:                  here,
		`{"idle_ms":300000.5}`:                  idle,
		`{"idle_ms":3e5}`:                       idle,
		`{"idle_ms":"300000"}`:                  idle,
		`{"idle_ms":" 300000.5 "}`:              idle,
		`{"idle_ms":"1234"}`:                    here,
		`{"idle_ms":0.30000000000000004}`:       here,
		`{"idle_ms":-3}`:                        here, // a clock that was set back
		`{"idle_ms":1764331200000}`:             here, // the time instead of an age
		`{"idle_ms":9000000000000000000000}`:    here,
		`{"idle_ms":1e300}`:                     here,
		`{"idle_ms":""}`:                        here,
		`{"idle_ms":"NaN"}`:                     here,
		`{"idle_ms":"Infinity"}`:                here,
		`{"idle_ms":"5 min"}`:                   here,
		`{"idle_ms":null}`:                      here,
		`{"idle_ms":true}`:                      here,
		`{"idle_ms":[300000]}`:                  here,
		`{"visible":"hidden","page":"/a"}`:      on("/a"),
		`{"visible":0,"page":"/a"}`:             on("/a"),
		`{"visible":{"state":"v"},"page":"/a"}`: on("/a"),
		`{"page":7}`:                            on("7"),
		`{"page":12345678901234567890}`:         on("12345678901234567890"),
		`{"page":{"path":"/a"}}`:                here,
		`{"page":["/a"]}`:                       here,
		`{"page":false}`:                        here,
		`{"leaving":"true"}`:                    {page: "/", leaves: true},
		`{"leaving":1}`:                         {page: "/", leaves: true},
		`{"leaving":"1"}`:                       {page: "/", leaves: true},
		`{"leaving":0}`:                         here,
		`{"leaving":"false"}`:                   here,
		`{"leaving":"no"}`:                      here,
		`{"leaving":{}}`:                        here,
		`{"seen":"12"}`:                         here,
		`{"seen":12}`:                           here,
		`{"seen":[12,null,"x",{}]}`:             here,
		`{"seen":{}}`:                           here,
		`{"IDLE_MS":300000,"Page":"/a"}`:        {idle: true, page: "/a"},
		`{"page":"/a","page":"/b"}`:             on("/b"),
		`{"page":"/\ud83d"}`:                    on("/\ufffd"),
	} {
		t.Run(body, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			key := b.key(t, "shop", "admin")
			_, token := b.person(t, key, "ada")
			beat := func(body string) map[string]any {
				return do(t, b, "POST", "/admin/users/heartbeat", body, bearing(token)).wants(200)
			}
			beat(`{"page":"/"}`)
			answer := beat(body)
			ada := b.people(t, key, "")["ada"]
			if answer["idle"] != want.idle || ada["page"] != want.page {
				t.Errorf("idle %v on %v, want %+v", answer["idle"], ada["page"], want)
			}
			b.clock.advance(time.Minute) // beyond the grace
			if _, online := b.people(t, key, "")["ada"]; online == want.leaves {
				t.Errorf("is online: %v", online)
			}
		})
	}
}

func TestANoticeCountsAsSeenHoweverItsIDIsWritten(t *testing.T) {
	for _, form := range []string{`["%s"]`, `[%s]`, `"%s"`, `%s`, `[null,"%s",{}]`} {
		b := newBench(t, storetest.New(t))
		key := b.key(t, "shop", "admin")
		_, token := b.person(t, key, "ada")
		id := do(t, b, "POST", "/admin/notices", map[string]any{"message": "Restart"}, bearing(key)).wants(201)["notice"].(map[string]any)["id"]
		do(t, b, "POST", "/admin/users/heartbeat", `{"seen":`+fmt.Sprintf(form, id)+`}`, bearing(token)).wants(200)
		notices := do(t, b, "GET", "/admin/notices", nil, bearing(key)).wants(200)["notices"].([]any)
		if seen := notices[0].(map[string]any)["seen"]; seen != 1.0 {
			t.Errorf("%s: seen by %v", form, seen)
		}
	}
}
