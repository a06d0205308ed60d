package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/storetest"
)

// whoMay is every route by every kind of caller:
//
//	nobody     sends no credential
//	garbage    a bearer token that nobody has
//	expired    the token of a session that is past its time
//	user       the token of a session whose user has access none; viewer and admin likewise
//	cookie:v   the panel's cookie of a viewer account; cookie:a of an admin
//	key:s      a key with scope sessions; key:r with read; key:a with admin
//	key:other  a key with scope sessions of another app, to which a person of this one is unknown
//	key:gone   a key that has been deleted
//
// The gate answers whoever may ask that somebody is in the way (409), and there is no authenticator app that
// an account could confirm or remove (409).
//
// The live feed, and the live connection of end users, ask for a WebSocket (426)
// whoever may watch, and whoever can say so in the first message only: nobody.
//
//	lowered    the token of an admin's session, whose access has been lowered to none
//	deleted    the token of a session whose user has been deleted
//	proxy:n    the header of the authenticating proxy, with somebody who is not named; proxy:v with a viewer, proxy:a with an admin
//	forged     the same header with the admin, sent by somebody else
const whoMay = `
                                     nobody garbage expired user viewer admin cookie:v cookie:a key:s key:r key:a key:other key:gone lowered deleted proxy:n proxy:v proxy:a forged
GET /healthz                         200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /readyz                          200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /openapi.yaml                    200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /docs                            200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /heartbeat.js                    200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /heartbeat-notices.js            200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /heartbeat-live.js               200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /heartbeat-renew.js              200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /heartbeat-status.js             200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /heartbeat-source.js             200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /rollcall.mjs                    200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /rollcall.d.mts                  200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /heartbeat-explain.js            200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /online-users-panel.js           200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /online-users-badge.js           200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /static/{version}/{file}         200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /clients/{framework}/{file}      200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /login                           200    200     200     200  303    303   303      303      200   303   303   200       200      200     200     200     200     200     200
GET /password                        200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
GET /setup                           303    303     303     303  303    303   303      303      303   303   303   303       303      303     303     303     303     303     303
POST /setup                          409    409     409     409  409    409   409      409      409   409   409   409       409      409     409     409     409     409     409
POST /auth/login                     200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
POST /auth/link                      200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
POST /auth/link/password             200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
POST /auth/logout                    200    200     200     200  200    200   200      200      200   200   200   200       200      200     200     200     200     200     200
POST /admin/users/heartbeat          400    404     404     200  200    200   200      200      404   404   404   404       404      200     404     200     200     200     400
GET /auth/me                         401    401     401     200  200    200   200      200      403   403   403   403       401      200     401     200     200     200     401
GET /auth/account                    401    401     401     403  403    403   200      200      403   403   403   403       401      403     401     403     403     403     401
POST /auth/password                  401    401     401     403  403    403   200      200      403   403   403   403       401      403     401     403     403     403     401
POST /auth/totp/confirm              401    401     401     403  403    403   409      409      403   403   403   403       401      403     401     403     403     403     401
POST /auth/totp/remove               401    401     401     403  403    403   409      409      403   403   403   403       401      403     401     403     403     403     401
POST /auth/totp                      401    401     401     403  403    403   200      200      403   403   403   403       401      403     401     403     403     403     401
GET /live                            426    401     401     426  426    426   426      426      403   403   403   403       401      426     401     426     426     426     426
PUT /admin/users/{id}/status         401    401     401     200  200    200   200      200      200   403   200   404       401      200     401     200     200     200     401
DELETE /admin/users/{id}/status      401    401     401     200  200    200   200      200      200   403   200   404       401      200     401     200     200     200     401
GET /                                303    303     303     303  200    200   200      200      303   200   200   303       303      303     303     303     200     200     303
GET /integrate                       303    303     303     303  200    200   200      200      303   200   200   303       303      303     303     303     200     200     303
GET /sessions                        303    303     303     303  200    200   200      200      303   200   200   303       303      303     303     303     200     200     303
GET /deploy                          303    303     303     303  200    200   200      200      303   200   200   303       303      303     303     303     200     200     303
GET /history                         303    303     303     303  200    200   200      200      303   200   200   303       303      303     303     303     200     200     303
GET /settings                        303    303     303     303  200    200   200      200      303   200   200   303       303      303     303     303     200     200     303
GET /account                         303    303     303     303  200    200   200      200      303   200   200   303       303      303     303     303     200     200     303
GET /admin/users/online              401    401     401     403  200    200   200      200      403   200   200   403       401      403     401     401     200     200     401
GET /admin/users/online/live         426    401     401     403  426    426   426      426      403   426   426   403       401      403     401     426     426     426     426
GET /admin/users/{id}/explain        401    401     401     403  200    200   200      200      403   200   200   403       401      403     401     401     200     200     401
GET /admin/sessions                  401    401     401     403  200    200   200      200      403   200   200   403       401      403     401     401     200     200     401
GET /admin/stats                     401    401     401     403  200    200   200      200      403   200   200   403       401      403     401     401     200     200     401
GET /admin/gate                      401    401     401     403  409    409   409      409      403   409   409   403       401      403     401     401     409     409     401
GET /admin/notices                   401    401     401     403  200    200   200      200      403   200   200   403       401      403     401     401     200     200     401
GET /admin/drain                     401    401     401     403  200    200   200      200      200   200   200   200       401      403     401     401     200     200     401
GET /admin/stats/activity            401    401     401     403  200    200   200      200      403   200   200   403       401      403     401     401     200     200     401
GET /admin/stats/heatmap             401    401     401     403  200    200   200      200      403   200   200   403       401      403     401     401     200     200     401
POST /admin/users/cleanup-sessions   401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
POST /admin/sessions/revoke          401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
DELETE /admin/sessions/{id}          401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
POST /admin/notices                  401    401     401     403  403    201   403      201      403   403   201   403       401      403     401     401     403     201     401
DELETE /admin/notices/{id}           401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
PUT /admin/drain                     401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
DELETE /admin/drain                  401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
GET /admin/settings                  401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
GET /admin/doctor                    401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
GET /admin/users/{id}/export         401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
POST /admin/users/{id}/erase         401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
GET /admin/audit                     401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
GET /admin/keys                      401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
POST /admin/keys                     401    401     401     403  403    201   403      201      403   403   201   403       401      403     401     401     403     201     401
DELETE /admin/keys/{id}              401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
GET /admin/accounts                  401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
POST /admin/accounts                 401    401     401     403  403    201   403      201      403   403   201   403       401      403     401     401     403     201     401
DELETE /admin/accounts/{id}          401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
POST /admin/accounts/{id}/link       401    401     401     403  403    201   403      201      403   403   201   403       401      403     401     401     403     201     401
DELETE /admin/accounts/{id}/link     401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
DELETE /admin/accounts/{id}/totp     401    401     401     403  403    200   403      200      403   403   200   403       401      403     401     401     403     200     401
POST /admin/sessions                 401    401     401     403  403    403   403      403      201   403   201   201       401      403     401     401     403     403     401
POST /admin/sessions/may             401    401     401     403  403    403   403      403      200   403   200   200       401      403     401     401     403     403     401
POST /admin/sessions/check           401    401     401     403  403    403   403      403      200   403   200   200       401      403     401     401     403     403     401
POST /admin/sessions/end             401    401     401     403  403    403   403      403      200   403   200   200       401      403     401     401     403     403     401
PUT /admin/users/{id}                401    401     401     403  403    403   403      403      200   403   200   200       401      403     401     401     403     403     401
DELETE /admin/users/{id}             401    401     401     403  403    403   403      403      200   403   200   404       401      403     401     401     403     403     401
`

// gate is a bench with what the table needs: two accounts and the keys.
type gate struct {
	*bench
	keys  map[string]string // by scope; "other" of another app
	tries int
}

func newGate(t *testing.T) *gate {
	g := &gate{bench: newBench(t, storetest.New(t), behindProxy("2001:db8::/32")), keys: map[string]string{}}
	g.account(t, "root", store.AccessAdmin)
	g.account(t, "watch", store.AccessViewer)
	for _, scope := range []string{"sessions", "read", "admin"} {
		g.keys[scope] = g.key(t, "shop", scope)
	}
	g.keys["other"] = g.key(t, "blog", "sessions")
	if _, err := g.store.PutUser(t.Context(), g.now(), store.By{App: "shop", Directory: "shop"}, store.UserInput{ID: "me"}); err != nil {
		t.Fatal(err)
	}
	return g
}

// login begins a session of app shop at the given time, for a new user.
func (g *gate) login(t testing.TB, at time.Time, access store.Access) (user, token string, id int64) {
	t.Helper()
	g.tries++
	user = fmt.Sprint("user", g.tries)
	if err := g.store.EndDrain(t.Context(), at, "user:root"); err != nil { // that an earlier cell has begun
		t.Fatal(err)
	}
	result, err := g.store.Login(t.Context(), at, store.By{App: "shop", Directory: "shop", Grant: store.AccessAdmin},
		store.Login{User: store.UserInput{ID: user, Access: &access}})
	if err != nil {
		t.Fatal(err)
	}
	return user, result.Token, result.ID
}

// caller returns how a request is sent by one of the callers of the table.
func (g *gate) caller(t testing.TB, name string) func(*http.Request) {
	t.Helper()
	token := func(at time.Time, access store.Access) string {
		_, token, _ := g.login(t, at, access)
		return token
	}
	switch name {
	case "nobody":
		return func(*http.Request) {}
	case "garbage":
		return bearing("rcs_nobody-has-this")
	case "expired":
		return bearing(token(g.now().Add(-25*time.Hour), store.AccessAdmin))
	case "user":
		return bearing(token(g.now(), store.AccessNone))
	case "viewer":
		return bearing(token(g.now(), store.AccessViewer))
	case "admin":
		return bearing(token(g.now(), store.AccessAdmin))
	case "cookie:v":
		return cookied(g.bench, g.panelToken(t, "watch"))
	case "cookie:a":
		return cookied(g.bench, g.panelToken(t, "root"))
	case "key:s":
		return bearing(g.keys["sessions"])
	case "key:r":
		return bearing(g.keys["read"])
	case "key:a":
		return bearing(g.keys["admin"])
	case "key:other":
		return bearing(g.keys["other"])
	case "key:gone":
		return bearing(g.deletedKey(t))
	case "lowered":
		return bearing(g.lowered(t))
	case "deleted":
		return bearing(g.deletedUser(t))
	case "proxy:n":
		return g.proxied(t, "eve")
	case "proxy:v":
		return g.proxied(t, "vera")
	case "proxy:a":
		return g.proxied(t, "ada")
	case "forged":
		return func(r *http.Request) { r.Header.Set("Remote-User", "ada"); r.RemoteAddr = "203.0.113.7:4711" }
	}
	t.Fatalf("there is no caller %q", name)
	return nil
}

// proxied is how a request comes by the proxy for somebody, who has been there before.
func (g *gate) proxied(t testing.TB, user string) func(*http.Request) {
	if _, err := g.store.PutUser(t.Context(), g.now(), store.By{App: "localhost", Directory: "localhost"}, store.UserInput{ID: user}); err != nil {
		t.Fatal(err)
	}
	return header("Remote-User", user)
}

func (g *gate) deletedKey(t testing.TB) string {
	key, secret, err := g.store.CreateKey(t.Context(), g.now(), "user:root", "shop", "", store.Scopes{store.ScopeAdmin})
	if err == nil {
		_, err = g.store.DeleteKey(t.Context(), g.now(), "user:root", key.ID, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func (g *gate) lowered(t testing.TB) string {
	user, token, _ := g.login(t, g.now(), store.AccessAdmin)
	none := store.AccessNone
	by := store.By{App: "shop", Directory: "shop", Grant: store.AccessAdmin}
	if _, err := g.store.PutUser(t.Context(), g.now(), by, store.UserInput{ID: user, Access: &none}); err != nil {
		t.Fatal(err)
	}
	return token
}

func (g *gate) deletedUser(t testing.TB) string {
	user, token, _ := g.login(t, g.now(), store.AccessAdmin)
	if _, err := g.store.DeleteUser(t.Context(), g.now(), store.By{App: "shop", Directory: "shop", Grant: store.AccessAdmin}, user); err != nil {
		t.Fatal(err)
	}
	return token
}

// request returns a path and a body with which a route succeeds for whoever may.
func (g *gate) request(t testing.TB, route string) (path string, body any) {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	g.tries++
	unique := fmt.Sprint("new", g.tries)
	switch route {
	case "GET /static/{version}/{file}":
		return g.static("base/base.css"), nil
	case "GET /clients/{framework}/{file}":
		return "/clients/express/rollcall.cjs", nil
	case "POST /setup":
		return path, map[string]any{"code": g.codes.Setup, "name": "late", "password": password}
	case "POST /auth/login":
		return path, map[string]any{"name": "watch", "password": password}
	case "DELETE /admin/sessions/{id}":
		_, _, id := g.login(t, g.now(), store.AccessNone)
		return "/admin/sessions/" + strconv.FormatInt(id, 10), nil
	case "POST /admin/sessions/revoke":
		return path, map[string]any{"all": true, "dry_run": true}
	case "POST /admin/notices":
		return path, map[string]any{"message": unique}
	case "DELETE /admin/notices/{id}":
		n, err := g.store.PostNotice(t.Context(), g.now(), "user:root", store.NoticeInput{Message: unique, Level: store.LevelInfo})
		if err == nil {
			err = g.store.WithdrawNotice(t.Context(), g.now(), "user:root", n.ID) // else there would be too many
		}
		if err != nil {
			t.Fatal(err)
		}
		return "/admin/notices/" + api.ID(n.ID), nil
	case "PUT /admin/drain":
		return path, map[string]any{"message": unique}
	case "POST /admin/keys":
		return path, map[string]any{"app": unique, "scopes": []string{"read"}}
	case "DELETE /admin/keys/{id}":
		key, _, err := g.store.CreateKey(t.Context(), g.now(), "user:root", "old", "", store.Scopes{store.ScopeRead})
		if err != nil {
			t.Fatal(err)
		}
		return "/admin/keys/" + api.ID(key.ID), nil
	case "POST /admin/accounts":
		return path, map[string]any{"name": unique, "password": password, "access": "viewer"}
	case "DELETE /admin/accounts/{id}":
		g.account(t, unique, store.AccessViewer)
		return "/admin/accounts/" + store.AccountID(unique), nil
	case "POST /admin/accounts/{id}/link":
		g.account(t, unique, store.AccessViewer)
		return "/admin/accounts/" + store.AccountID(unique) + "/link", nil
	case "DELETE /admin/accounts/{id}/link":
		g.invite(t, unique)
		return "/admin/accounts/" + store.AccountID(unique) + "/link", nil
	case "DELETE /admin/accounts/{id}/totp":
		g.account(t, unique, store.AccessViewer)
		g.addTOTP(t, unique)
		return "/admin/accounts/" + store.AccountID(unique) + "/totp", nil
	case "POST /auth/link":
		return path, map[string]any{"secret": g.invite(t, unique)}
	case "POST /auth/link/password":
		return path, map[string]any{"secret": g.invite(t, unique), "password": password}
	case "POST /auth/password":
		return path, map[string]any{"current_password": password, "password": password}
	case "POST /auth/totp":
		return path, map[string]any{"password": password}
	case "POST /auth/totp/confirm":
		return path, map[string]any{"totp": "123456"}
	case "POST /auth/totp/remove":
		return path, map[string]any{"password": password, "totp": "123456"}
	case "POST /admin/sessions":
		return path, map[string]any{"user": map[string]any{"id": unique}}
	case "POST /admin/sessions/may":
		return path, map[string]any{"user": map[string]any{"id": unique}}
	case "POST /admin/sessions/check":
		return path, map[string]any{"session_key": unique}
	case "POST /admin/sessions/end":
		_, token, _ := g.login(t, g.now(), store.AccessNone)
		return path, map[string]any{"session_token": token}
	case "GET /admin/users/{id}/explain":
		return "/admin/users/me/explain", nil
	case "GET /admin/users/{id}/export":
		return "/admin/users/me/export", nil
	case "POST /admin/users/{id}/erase":
		user, _, _ := g.login(t, g.now(), store.AccessNone)
		return "/admin/users/" + user + "/erase", map[string]any{"confirm": user}
	case "PUT /admin/users/{id}/status":
		return "/admin/users/me/status", map[string]any{"status": "busy"} // for a key somebody with that id
	case "DELETE /admin/users/{id}/status":
		return "/admin/users/me/status", nil
	case "PUT /admin/users/{id}":
		return "/admin/users/" + unique, map[string]any{"name": "New"}
	case "DELETE /admin/users/{id}":
		user, _, _ := g.login(t, g.now(), store.AccessNone)
		return "/admin/users/" + user, nil
	}
	if strings.Contains(path, "{") || method == "PUT" {
		t.Fatalf("there is no request for %s", route)
	}
	return path, nil
}

// fromElsewhere gives every request a network of its own, so that none is
// refused because of those before it.
func (g *gate) fromElsewhere() func(*http.Request) {
	g.tries++
	return func(r *http.Request) { r.RemoteAddr = fmt.Sprintf("[2001:db8:0:%x::1]:4711", g.tries) }
}

func TestWhoMayCallWhat(t *testing.T) {
	g := newGate(t)
	lines := strings.Split(strings.Trim(whoMay, "\n"), "\n")
	callers := strings.Fields(lines[0])
	rows := map[string]bool{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		route := cells[0] + " " + cells[1]
		if rows[route] = true; len(cells) != 2+len(callers) {
			t.Fatalf("the row of %s has %d cells, want %d", route, len(cells)-2, len(callers))
		}
		var got []string
		for _, name := range callers {
			caller := g.caller(t, name)
			path, body := g.request(t, route)
			got = append(got, strconv.Itoa(do(t, g.bench, cells[0], path, body, g.fromElsewhere(), caller).Code))
		}
		if diff := cmp.Diff(cells[2:], got); diff != "" {
			t.Errorf("%s by %v (-want +got):\n%s", route, callers, diff)
		}
	}
	routes := map[string]bool{}
	for _, route := range g.routes() {
		routes[route.method+" "+documented(route.path)] = true
	}
	if diff := cmp.Diff(routes, rows); diff != "" {
		t.Errorf("routes (-) and rows of the table (+):\n%s", diff)
	}
}

func TestACredentialInTheWrongPlaceOpensNothing(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key, admin := b.key(t, "shop", "admin"), b.admin(t)
	for name, opt := range map[string]func(*http.Request){
		"a key in the cookie":                cookied(b, key),
		"a session as user name":             func(r *http.Request) { r.SetBasicAuth(admin, "") },
		"a session as password":              func(r *http.Request) { r.SetBasicAuth("rollcall", admin) },
		"a key without its scheme":           header("Authorization", key),
		"a cookie of the name for https":     func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "__Host-rollcall-8080", Value: admin}) },
		"half of a key":                      bearing(key[:len(key)-1]),
		"a key in capitals":                  bearing(strings.ToUpper(key)),
		"a cookie beside an unknown bearer":  together(cookied(b, admin), bearing("unknown")),
		"a cookie beside a key that is gone": together(cookied(b, admin), bearing("rck_unknown")),
	} {
		t.Run(name, func(t *testing.T) {
			do(t, b, "GET", "/admin/users/online", nil, opt).refuses(401, "unauthenticated")
		})
	}
	do(t, b, "GET", "/admin/users/online?token="+admin, nil, bearing(key)).refuses(400, "invalid_request")
}

func TestAProxyMayAskForAPasswordOfItsOwn(t *testing.T) {
	b := newBench(t, storetest.New(t))
	viewer := b.account(t, "watch", store.AccessViewer)
	basic := func(r *http.Request) { r.SetBasicAuth("team", "the proxy's password") }
	do(t, b, "GET", "/admin/users/online", nil, cookied(b, viewer), basic).wants(200)
	do(t, b, "POST", "/admin/users/heartbeat", nil, cookied(b, viewer), basic).wants(200)
	do(t, b, "POST", "/admin/users/heartbeat", nil, basic).refuses(400, "session_token_required")
}
