package demo

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"

	"rollcall/server/api"
	"rollcall/server/client"
)

// maxBody is plenty for an id or a token.
const maxBody = 8 << 10

// app is the back end of the sample page: what an application has to do to report its logins.
type app struct {
	client *client.Client
	people []api.UserInput
}

// App serves the sample application below /demo/: its page, the people to choose from, login and
// logout. It needs a client with a key of the scope sessions.
func App(page http.Handler, backend *client.Client, people []api.UserInput) http.Handler {
	a := &app{client: backend, people: people}
	mux := http.NewServeMux()
	mux.Handle("GET /demo/app", page)
	mux.HandleFunc("GET /demo/people", a.list)
	mux.HandleFunc("POST /demo/login", a.login)
	mux.HandleFunc("POST /demo/logout", a.logout)
	// Anybody may log in here, but no other site may make somebody's browser do it.
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "cross_origin", "Other sites may not do this")
	}))
	return protection.Handler(mux)
}

func (a *app) list(w http.ResponseWriter, _ *http.Request) {
	people := []map[string]string{}
	for _, person := range a.people {
		people = append(people, map[string]string{"id": person.ID, "name": *person.Name, "organization": *person.Organization})
	}
	answer(w, http.StatusOK, map[string]any{"success": true, "people": people})
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ID string `json:"id"`
	}
	if !read(w, r, &body) {
		return
	}
	person, ok := a.person(body.ID)
	if !ok {
		refuse(w, http.StatusNotFound, "user_not_found", "Nobody here has this id")
		return
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	login, err := a.client.Login(r.Context(), api.LoginReport{User: person, IPAddress: host, UserAgent: r.UserAgent()})
	if err != nil {
		refuseAs(w, err)
		return
	}
	user := map[string]string{"id": person.ID, "name": *person.Name}
	answer(w, http.StatusOK, map[string]any{"success": true, "token": login.Session.Token, "user": user})
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"token"`
	}
	if !read(w, r, &body) {
		return
	}
	if _, err := a.client.EndSession(r.Context(), body.Token); err != nil {
		refuseAs(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"success": true})
}

func (a *app) person(id string) (api.UserInput, bool) {
	for _, person := range a.people {
		if person.ID == id {
			return person, true
		}
	}
	return api.UserInput{}, false
}

// read decodes a small body, or answers that it cannot.
func read(w http.ResponseWriter, r *http.Request, body any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "The request must be a small JSON object")
	}
	return err == nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the browser hung up: nobody to tell
}

func refuse(w http.ResponseWriter, status int, code, words string) {
	answer(w, status, map[string]any{"success": false, "error": words, "code": code})
}

// refuseAs passes on the server's own refusal. Anything else is this application's trouble.
func refuseAs(w http.ResponseWriter, err error) {
	if failure, ok := errors.AsType[*client.Error](err); ok && failure.Code != "" {
		refuse(w, failure.Status, failure.Code, failure.Message)
		return
	}
	refuse(w, http.StatusBadGateway, "unavailable", "Rollcall did not answer")
}
