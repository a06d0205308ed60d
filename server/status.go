package server

import (
	"errors"
	"net/http"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

var errNoSuchUser = &web.Problem{Status: http.StatusNotFound, Code: "user_not_found", Words: "No such user"}

// unknownUser says of whom the store knows nothing.
func unknownUser(err error) error {
	if errors.Is(err, sqldb.ErrNotFound) {
		return errNoSuchUser
	}
	return err
}

// claimant returns whose status a request is about, and the app by which it is
// claimed: "" where the person claims it, who may do so for nobody else.
func claimant(r *http.Request) (user, app string, err error) {
	user, err = web.PathText(r)
	c := auth.CallerOf(r)
	switch {
	case err != nil:
		return "", "", err
	case c.Key != nil:
		return user, c.Key.App, nil
	case user == "me" || user == c.Person.User.ID:
		return c.Person.User.ID, "", nil
	}
	return "", "", auth.Forbidden
}

// setStatus claims a status; available takes the claim back.
func (s *Server) setStatus(r *http.Request) (any, error) {
	user, app, err := claimant(r)
	if err != nil {
		return nil, err
	}
	var in api.StatusInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	if in.Status == presence.StatusAvailable {
		if in.Text != "" || in.Until != nil || in.ForMS != nil {
			return nil, web.Invalid("text, until and for_ms belong to busy and away")
		}
		return s.withoutClaim(r, user, app)
	}
	now := s.now()
	claim, err := claimOf(in, now)
	if err != nil {
		return nil, err
	}
	claim.App = app
	if err := s.store.SetStatus(r.Context(), now, user, claim); err != nil {
		return nil, unknownUser(err)
	}
	return s.statusOf(r, user)
}

// clearStatus takes a claim back.
func (s *Server) clearStatus(r *http.Request) (any, error) {
	user, app, err := claimant(r)
	if err != nil {
		return nil, err
	}
	return s.withoutClaim(r, user, app)
}

func (s *Server) withoutClaim(r *http.Request, user, app string) (any, error) {
	if err := s.store.ClearStatus(r.Context(), user, app); err != nil {
		return nil, unknownUser(err)
	}
	return s.statusOf(r, user)
}

// statusOf answers with what a user's status is now, which need not be the one
// that was claimed.
func (s *Server) statusOf(r *http.Request, user string) (any, error) {
	people, err := s.store.People(r.Context(), s.now(), []string{user})
	if err == nil && len(people) == 0 { // deleted since
		err = errNoSuchUser
	}
	if err != nil {
		return nil, err
	}
	return api.StatusOf(people[0]), nil
}

// claimOf is a claim as somebody sends it.
func claimOf(in api.StatusInput, now time.Time) (presence.Claim, error) {
	claim := presence.Claim{Status: in.Status, Text: in.Text}
	var err error
	claim.Until, err = web.Ahead(now, "until", in.Until, "for_ms", in.ForMS)
	return claim, err
}
