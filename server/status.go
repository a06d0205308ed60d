package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
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

// unknownClaimant is unknownUser for a status. Whom a proxy signs in is known from their first heartbeat on.
func unknownClaimant(r *http.Request, err error) error {
	if c := auth.CallerOf(r); errors.Is(err, sqldb.ErrNotFound) && c.Proxied() {
		return &web.Problem{Status: errNoSuchUser.Status, Code: errNoSuchUser.Code, Words: "You have a status once you have opened a page of " + c.Person.Member.App}
	}
	return unknownUser(err)
}

// claimant returns the key of the user whose status a request is about, and the app by which it is
// claimed: "" where the person claims it, who may do so for nobody else.
func claimant(r *http.Request) (user, app string, err error) {
	user, err = web.PathText(r)
	c := auth.CallerOf(r)
	switch {
	case err != nil:
		return "", "", err
	case c.Key != nil:
		by, err := backend(r)
		return by.Key(user), by.App, err
	case user == "me" || user == c.Person.User.ID:
		return c.Person.User.Key(), "", nil
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
		return nil, unknownClaimant(r, err)
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
		return nil, unknownClaimant(r, err)
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

// A key knows people of its own directory only. Whoever sees all of Rollcall names people by an id that one
// person has, or by the id and the directory.

var errDirectoryAlone = web.Invalid("directory goes with user")

// userInPath returns the key of the user whom a request's path names, in the directory that its query may
// name. sqldb.ErrNotFound where nobody has the id.
func (s *Server) userInPath(r *http.Request) (string, error) {
	id, err := web.PathText(r)
	if err != nil {
		return "", err
	}
	q, err := web.Among(r.URL.RawQuery, "directory")
	if err != nil {
		return "", err
	}
	return s.store.FindUser(r.Context(), id, q.Get("directory"))
}

// backend is the key that writes about a user of its own directory or, where it may administer, of the one
// that the query names.
func backend(r *http.Request) (store.By, error) {
	by := auth.CallerOf(r).By()
	q, err := web.Among(r.URL.RawQuery, "directory")
	if err != nil {
		return store.By{}, err
	}
	switch directory := q.Get("directory"); {
	case directory == "" || directory == by.Directory:
		return by, nil
	case by.Grant < store.AccessAdmin:
		return store.By{}, auth.Forbidden
	default:
		by.Directory = directory
		return by, nil
	}
}

// userKey returns the key of a user by whom a list is filtered; of one whom nobody knows the list is empty. Where
// several have the id, the app that the list is of says which is meant.
func (s *Server) userKey(ctx context.Context, id, directory, app string) (string, error) {
	key, err := s.store.FindUser(ctx, id, directory)
	if errors.Is(err, store.ErrAmbiguousUser) && app != "" {
		directory, unknown := s.store.AppDirectory(ctx, app)
		if unknown == nil {
			return store.UserKey(directory, id), nil
		}
	}
	if errors.Is(err, sqldb.ErrNotFound) {
		return id, nil
	}
	return key, err
}
