package server

import (
	"context"
	"errors"
	"net/http"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// login begins a panel session by name and password, or by the code of a
// one-time link. The session's token is in the cookie and nowhere else.
func (s *Server) login(r *http.Request) (any, error) {
	var in api.SignIn
	if err := s.decodeOwn(r, &in); err != nil {
		return nil, err
	}
	if err := s.auth.AllowSignIn(r, in.Name); err != nil {
		return nil, err
	}
	var result store.LoginResult
	var err error
	if in.Code != "" {
		result, err = s.redeem(r, in.Code)
	} else {
		result, err = s.store.SignIn(r.Context(), s.now(),
			store.Credentials{Name: in.Name, Password: in.Password, Code: in.TOTP, KnownDevice: s.auth.KnownDevice(r, in.Name)}, s.cfg.Origin.OfRequest(r))
	}
	s.noteFailure(r, in.Name, err)
	if err != nil {
		return nil, err
	}
	return s.signedIn(r, http.StatusOK, result.Token)
}

// noteFailure records that somebody tried in vain to sign in, once an hour.
func (s *Server) noteFailure(r *http.Request, name string, err error) {
	now, user := s.now(), store.UserActor(store.AccountID(name))
	switch {
	case errors.Is(err, store.ErrWrongPassword):
		s.auditAsync(r.Context(), func(ctx context.Context) error { return s.store.RecordFailure(ctx, now, name) })
	case errors.Is(err, store.ErrWrongCode): // by somebody who has the password, so there is the account
		s.auditAsync(r.Context(), func(ctx context.Context) error {
			return s.store.RecordOncePerHour(ctx, now, store.AuditEvent{Actor: store.ActorUnknown, Action: "panel.code_failed", Target: user, Detail: "the password was right"})
		})
	}
}

// redeem signs in the account that a one-time code was made for.
func (s *Server) redeem(r *http.Request, code string) (store.LoginResult, error) {
	user, ok := s.codes.TakeSignIn(code)
	if !ok {
		return store.LoginResult{}, store.ErrWrongPassword
	}
	result, err := s.store.SignInAs(r.Context(), s.now(), user, s.cfg.Origin.OfRequest(r))
	if errors.Is(err, sqldb.ErrNotFound) { // deleted since
		err = store.ErrWrongPassword
	}
	return result, err
}

// signedIn answers with a new session.
func (s *Server) signedIn(r *http.Request, status int, token string) (any, error) {
	me, cookies, err := s.replaceSession(r, token)
	if err != nil {
		return nil, err
	}
	answer := api.SignedIn{User: api.AccountUser{ID: me.User.ID, Name: me.User.Name, Access: me.Access}}
	return web.Reply{Status: status, Cookies: cookies, Body: answer}, nil
}

// replaceSession returns who has a new session, with its cookies, and ends the one that the browser had until now: nobody
// would see it again.
func (s *Server) replaceSession(r *http.Request, token string) (me store.Identity, cookies []*http.Cookie, err error) {
	if me, err = s.store.Authenticate(r.Context(), s.now(), token); err != nil {
		return store.Identity{}, nil, err
	}
	before, err := s.auth.CookieToken(r)
	if err == nil && before != "" {
		_, err = s.store.EndByToken(r.Context(), s.now(), presence.PanelApp, before, presence.EndLogout)
	}
	if err != nil {
		return store.Identity{}, nil, err
	}
	return me, s.auth.SignInCookies(r, token, me.User.ID), nil
}

// linkedAccount tells whom a link is for. Only using it uses it up.
func (s *Server) linkedAccount(r *http.Request) (any, error) {
	var in api.LinkSecret
	if err := s.decodeLink(r, &in); err != nil {
		return nil, err
	}
	account, err := s.store.AccountOfLink(r.Context(), s.now(), in.Secret)
	return api.LinkedAccount{Name: account.Name, HasPassword: account.HasPassword}, err
}

// choosePassword gives the account of a link a password, and signs in whoever did unless a code is asked for, too.
func (s *Server) choosePassword(r *http.Request) (any, error) {
	var in api.ChosenPassword
	if err := s.decodeLink(r, &in); err != nil {
		return nil, err
	}
	result, err := s.store.UseLink(r.Context(), s.now(), in.Secret, in.Password, s.cfg.Origin.OfRequest(r))
	if err != nil {
		return nil, err
	}
	if result.Token == "" {
		return api.PasswordChosen{}, nil
	}
	_, cookies, err := s.replaceSession(r, result.Token)
	if err != nil {
		return nil, err
	}
	return web.Reply{Status: http.StatusOK, Cookies: cookies, Body: api.PasswordChosen{SignedIn: true}}, nil
}

// decodeLink is decodeOwn for what comes with the secret of a link, of which it counts a try.
func (s *Server) decodeLink(r *http.Request, dest any) error {
	if err := s.decodeOwn(r, dest); err != nil {
		return err
	}
	return s.auth.AllowLink(r)
}

// decodeOwn is decode for what only our own pages send to begin or end a
// session: no other page may sign anybody in or out.
func (s *Server) decodeOwn(r *http.Request, dest any) error {
	if err := s.auth.OwnOrigin(r); err != nil {
		return err
	}
	return web.Decode(r, dest)
}

// logout ends the panel session of the cookie. Without one there is nothing to
// do, which is what was asked for.
func (s *Server) logout(r *http.Request) (any, error) {
	// SameSite withholds the cookie from requests of other pages, but our answer would
	// delete it.
	if err := s.auth.OwnOrigin(r); err != nil {
		return nil, err
	}
	q, err := web.Query(r.URL.RawQuery, "everywhere")
	if err != nil {
		return nil, err
	}
	everywhere, err := web.Flag(q, "everywhere")
	if err != nil {
		return nil, err
	}
	var in api.SignOut
	if r.ContentLength != 0 {
		if err := web.Decode(r, &in); err != nil {
			return nil, err
		}
	}
	everywhere = everywhere || in.Everywhere
	token, err := s.auth.CookieToken(r)
	if err != nil {
		return nil, err
	}
	if token != "" && everywhere {
		if err := s.signOutEverywhere(r, token); err != nil {
			return nil, err
		}
	}
	if token != "" {
		if _, err := s.store.EndByToken(r.Context(), s.now(), presence.PanelApp, token, presence.EndLogout); err != nil {
			return nil, err
		}
	}
	return web.Reply{Status: http.StatusOK, Cookies: s.auth.SignOutCookies(r), Body: api.Nothing{}}, nil
}

// signOutEverywhere ends all panel sessions of whoever has this one.
func (s *Server) signOutEverywhere(r *http.Request, token string) error {
	me, err := s.store.Authenticate(r.Context(), s.now(), token)
	if errors.Is(err, store.ErrSessionEnded) || err == nil && me.Session.App != presence.PanelApp {
		return nil
	}
	if err == nil {
		_, err = s.store.SignOutEverywhere(r.Context(), s.now(), me.User.ID)
	}
	return err
}

// me tells who has the session, and what they claim of themselves.
func (s *Server) me(r *http.Request) (any, error) {
	me := auth.CallerOf(r).Person
	user := api.UserOf(me.User)
	user.Access = me.Access // of this session, which is what counts
	answer := api.Me{User: user}
	if auth.CallerOf(r).Proxied() {
		answer.SignOut = s.cfg.Proxy.SignOut
	} else {
		answer.Session = new(api.OwnSession(me.Session))
		answer.Session.App = me.Session.App
	}
	claim, err := s.store.OwnClaim(r.Context(), s.now(), me.User.Key())
	if errors.Is(err, sqldb.ErrNotFound) {
		claim, err = presence.Claim{Status: presence.StatusAvailable}, nil
	}
	answer.ShownStatus = api.ShownStatus{Status: claim.Status, StatusText: claim.Text, StatusUntil: api.AtOptional(claim.Until)}
	return answer, err
}

// setup makes the first account for whoever has the code from the terminal, and
// signs them in.
func (s *Server) setup(r *http.Request) (any, error) {
	var in api.Setup
	if err := s.decodeOwn(r, &in); err != nil {
		return nil, err
	}
	if err := s.auth.AllowSetUp(r); err != nil {
		return nil, err
	}
	exists, err := s.store.HasAccounts(r.Context())
	if err == nil && exists {
		err = store.ErrAlreadySetUp
	}
	if err != nil {
		return nil, err
	}
	if !s.codes.IsSetup(in.Code) {
		return nil, &web.Problem{Status: http.StatusForbidden, Code: "wrong_code", Words: "That is not the code from the server's terminal"}
	}
	account, err := s.store.CreateFirstAccount(r.Context(), s.now(), in.Name, in.Password)
	if err != nil {
		return nil, err
	}
	result, err := s.store.SignInAs(r.Context(), s.now(), account.ID, s.cfg.Origin.OfRequest(r))
	if err != nil {
		return nil, err
	}
	return s.signedIn(r, http.StatusCreated, result.Token)
}

// SetupCode returns the code with which the first account can be made, or ""
// once there is one. It stays the same until the process ends.
func (s *Server) SetupCode(ctx context.Context) (string, error) {
	if exists, err := s.store.HasAccounts(ctx); err != nil || exists {
		return "", err
	}
	return s.codes.Setup, nil
}

// SignInCode returns a code that signs in the account with this user id once,
// within 15 minutes.
func (s *Server) SignInCode(userID string) string {
	return s.codes.NewSignIn(userID)
}
