// A small application with sessions, and a cookie for "remember me".
package main

import (
	"crypto/rand"
	"html/template"
	"log"
	"net/http"
	"os"
	"sync"

	"host/rollcall"
)

type user struct {
	login, password string
	active          bool
	rollcall.Person
}

var (
	mu         sync.Mutex
	users      map[string]*user
	sessions   map[string]string // user by the cookie "session"
	remembered map[string]string // likewise by "remember"
)

func reset() {
	mu.Lock()
	defer mu.Unlock()
	users, sessions, remembered = map[string]*user{}, map[string]string{}, map[string]string{}
	for _, p := range []rollcall.Person{{ID: "1", Name: "Ada Lovelace", Email: "ada@example.org", Role: "editor"}, {ID: "2", Name: "Bob Bold", Email: "bob@example.org", Role: "admin"}} {
		p.Organization, p.Team = "Acme", "Engines"
		users[p.ID] = &user{login: map[string]string{"1": "ada", "2": "bob"}[p.ID], password: "secret", active: true, Person: p}
	}
}

func cookie(r *http.Request, name string) string {
	if c, err := r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

func current(r *http.Request) (session string, u *user) {
	mu.Lock()
	defer mu.Unlock()
	session = cookie(r, "session")
	if u = users[sessions[session]]; u != nil && u.active {
		return session, u
	}
	return "", nil
}

func person(r *http.Request) (string, *rollcall.Person) {
	session, u := current(r)
	if u == nil {
		return "", nil
	}
	p := u.Person
	return session, &p
}

func begin(w http.ResponseWriter, kind, id string, all map[string]string) string {
	mu.Lock()
	defer mu.Unlock()
	value := rand.Text()
	all[value] = id
	http.SetCookie(w, &http.Cookie{Name: kind, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return value
}

func logOut(w http.ResponseWriter, r *http.Request) {
	mu.Lock()
	defer mu.Unlock()
	delete(sessions, cookie(r, "session"))
	delete(remembered, cookie(r, "remember"))
}

var page = template.Must(template.New("").Parse(`{{define "form"}}<form id="{{index . 0}}" method="post" action="/{{index . 0}}">{{with index . 1}}<input name="{{.}}">{{end}}<button>{{index . 0}}</button></form>{{end -}}
<!doctype html><html lang="en"><head><title>Host</title>{{.Script}}</head><body><p id="who">{{.Name}}</p>{{if .Next}}<a id="back" href="/">Back</a>{{else}}
{{range .Forms}}{{template "form" .}}{{else}}<form id="login" method="post" action="/login"><input name="name"><input name="password" type="password"><input name="remember" type="checkbox"><button>Log in</button></form>{{end}}
<a id="next" href="/next">Next</a>{{end}}</body></html>`))

func routes() http.Handler {
	calls := rollcall.New(person, logOut)
	show := func(next bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			data := map[string]any{"Script": calls.Script(), "Next": next}
			if _, u := current(r); u != nil {
				data["Name"] = u.Name
				data["Forms"] = [][]string{{"logout", ""}, {"password", "password"}, {"rename", "name"}, {"deactivate", "user"}, {"delete", ""}}
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_ = page.Execute(w, data)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/rollcall/token", calls.Token)
	mux.HandleFunc("GET /{$}", show(false))
	mux.HandleFunc("GET /next", show(true))
	mux.HandleFunc("GET /reset", func(http.ResponseWriter, *http.Request) { reset() })
	mux.HandleFunc("GET /before", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /forget", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		delete(sessions, cookie(r, "session"))
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		for _, u := range users {
			if u.active && u.login == r.FormValue("name") && u.password == r.FormValue("password") {
				if calls.Refuses(w, r, u.Person) {
					return
				}
				begin(w, "session", u.ID, sessions)
				if r.FormValue("remember") != "" {
					begin(w, "remember", u.ID, remembered)
				}
				http.Redirect(w, r, "/", http.StatusSeeOther)
				return
			}
		}
		http.Error(w, "wrong", http.StatusUnauthorized)
	})
	action := func(name string, do func(http.ResponseWriter, *http.Request, *user)) {
		mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
			if _, u := current(r); u != nil {
				do(w, r, u)
			}
			http.Redirect(w, r, "/", http.StatusSeeOther)
		})
	}
	action("logout", func(w http.ResponseWriter, r *http.Request, _ *user) {
		calls.LoggedOut(r)
		logOut(w, r)
	})
	action("password", func(_ http.ResponseWriter, r *http.Request, u *user) {
		u.password = r.FormValue("password")
		calls.PasswordChanged(r)
	})
	action("rename", func(_ http.ResponseWriter, r *http.Request, u *user) {
		u.Name = r.FormValue("name")
		calls.Changed(r, u.Person)
	})
	action("deactivate", func(_ http.ResponseWriter, r *http.Request, _ *user) {
		users[r.FormValue("user")].active = false
		calls.Deactivated(r, r.FormValue("user"))
	})
	action("delete", func(w http.ResponseWriter, r *http.Request, u *user) {
		delete(users, u.ID)
		calls.Deleted(r, u.ID)
		logOut(w, r)
	})
	return remember(mux)
}

// remember logs in whoever has the cookie for it.
func remember(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		id := remembered[cookie(r, "remember")]
		mu.Unlock()
		if _, u := current(r); u == nil && id != "" {
			r.Header.Set("Cookie", "session="+begin(w, "session", id, sessions)+"; remember="+cookie(r, "remember"))
		}
		next.ServeHTTP(w, r)
	})
}

func main() {
	reset()
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), routes()))
}
