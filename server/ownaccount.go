package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"net/http"

	"github.com/pquerna/otp/totp"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// What people do with their own account, signed in to the panel. What would let somebody keep an account that they found
// signed in asks for the password again (ASVS 5.0, 7.5.1).

// notYourAccount answers a session of an application: its people have no account here.
var notYourAccount = &web.Problem{Status: http.StatusForbidden, Code: "forbidden", Words: "This is for whoever is signed in to the panel"}

// owner is whose account it is.
func (s *Server) owner(r *http.Request) (*store.Identity, error) {
	who := auth.CallerOf(r).Person
	if who == nil || who.Session.App != presence.PanelApp {
		return nil, notYourAccount
	}
	return who, nil
}

// confirming reads the body of whoever has an account, and counts a try to prove again who they are.
func (s *Server) confirming(r *http.Request, dest any) (*store.Identity, error) {
	who, err := s.owner(r)
	if err == nil {
		err = web.Decode(r, dest)
	}
	if err == nil {
		err = s.auth.AllowSignIn(r, who.User.Name)
	}
	return who, err
}

// unconfirmed answers why somebody who is signed in did not prove again who they are, and records it once an hour.
func (s *Server) unconfirmed(r *http.Request, who *store.Identity, err error) error {
	words := ""
	switch {
	case errors.Is(err, store.ErrWrongPassword):
		words = "wrong password"
		err = &web.Problem{Status: http.StatusForbidden, Code: "wrong_password", Words: "That is not the current password"}
	case errors.Is(err, store.ErrWrongCode):
		words = "wrong code"
		err = &web.Problem{Status: http.StatusForbidden, Code: "invalid_code", Words: web.Explain(err).Words}
	case errors.Is(err, store.ErrCodeNeeded):
		return web.Invalid("totp must be a code of the authenticator app, or a recovery code")
	case errors.Is(err, sqldb.ErrNotFound): // deleted since
		return auth.Unauthenticated
	default:
		return err
	}
	now, actor := s.now(), store.UserActor(who.User.Key())
	s.auditAsync(r.Context(), func(ctx context.Context) error {
		return s.store.RecordOncePerHour(ctx, now, store.AuditEvent{Actor: actor, Action: "account.not_confirmed", Target: actor, Detail: words})
	})
	return err
}

func (s *Server) ownAccount(r *http.Request) (any, error) {
	who, err := s.owner(r)
	if err != nil {
		return nil, err
	}
	account, err := s.store.OwnAccount(r.Context(), who.User.Key())
	return api.OwnAccount(account), err
}

func (s *Server) changePassword(r *http.Request) (any, error) {
	var in api.PasswordChange
	who, err := s.confirming(r, &in)
	if err != nil {
		return nil, err
	}
	err = s.store.ChangePassword(r.Context(), s.now(), who.User.Key(), who.Session.ID, in.CurrentPassword, in.Password)
	return api.Nothing{}, s.unconfirmed(r, who, err)
}

// beginTOTP makes the secret for an authenticator app, with an image of it for the app's camera.
func (s *Server) beginTOTP(r *http.Request) (any, error) {
	var in api.Confirmation
	who, err := s.confirming(r, &in)
	if err != nil {
		return nil, err
	}
	secret, err := s.store.BeginTOTP(r.Context(), s.now(), who.User.Key(), in.Password)
	if err != nil {
		return nil, s.unconfirmed(r, who, err)
	}
	return newTOTP("Rollcall "+s.hostName(r), who.User.Name, secret)
}

// hostName is where the panel is, by which somebody with several tells their codes apart.
func (s *Server) hostName(r *http.Request) string {
	if s.cfg.PublicURL != nil {
		return s.cfg.PublicURL.Hostname()
	}
	return web.HostName(r.Host)
}

func newTOTP(issuer, account string, secret []byte) (answer api.NewTOTP, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: account, Secret: secret})
	if err != nil {
		return answer, fmt.Errorf("making the key of an authenticator app: %w", err)
	}
	const side = 240 // pixels
	image, err := key.Image(side, side)
	if err != nil {
		return answer, fmt.Errorf("drawing a QR code: %w", err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, image); err != nil {
		return answer, fmt.Errorf("drawing a QR code: %w", err)
	}
	return api.NewTOTP{Secret: key.Secret(), URI: key.URL(), QRCode: "data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes())}, nil
}

// confirmTOTP has sign-ins ask for a code from now on.
func (s *Server) confirmTOTP(r *http.Request) (any, error) {
	var in api.TOTPCode
	who, err := s.confirming(r, &in)
	if err != nil {
		return nil, err
	}
	codes, err := s.store.ConfirmTOTP(r.Context(), s.now(), who.User.Key(), who.Session.ID, in.TOTP)
	return api.RecoveryCodes{RecoveryCodes: codes}, s.unconfirmed(r, who, err)
}

func (s *Server) removeTOTP(r *http.Request) (any, error) {
	var in api.Confirmation
	who, err := s.confirming(r, &in)
	if err != nil {
		return nil, err
	}
	return api.Nothing{}, s.unconfirmed(r, who, s.store.RemoveTOTP(r.Context(), s.now(), who.User.Key(), in.Password, in.TOTP))
}
