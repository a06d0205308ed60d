package jwt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// ErrRefused is a token that says nothing: of somebody else's signature, out of its time, or for
// another audience. The error has the reason, and nothing of the token.
var ErrRefused = errors.New("token refused")

// leeway is by how much clocks of issuers may differ from this one.
const leeway = time.Minute

// Issuer is whose tokens say who is logged in to an app.
type Issuer struct {
	App      string
	Keys     *Keys
	Name     string // what the claim iss must be; "" for anything
	Audience string // what the claim aud must have; "" for anything
	Claims   Claims // where others than the usual ones
}

// Login is what a token says.
type Login struct {
	App        string
	User       User
	SessionKey string // names the session: later tokens of it have the same
}

// LooksSigned tells whether a session's token may be a JSON Web Token, by its form.
func LooksSigned(token string) bool {
	return strings.Count(token, ".") == 2 && strings.HasPrefix(token, "ey")
}

// Issuers are tried one after another.
type Issuers []Issuer

// Read returns what a token says at now, by the first issuer that has signed it. ErrRefused where none
// has; another error where the keys of one could not be read, which may have. browser is a name by which
// sessions of one person are told apart where the token names none.
func (all Issuers) Read(ctx context.Context, now time.Time, token, browser string) (Login, error) {
	var refused, failed error
	for _, issuer := range all {
		login, err := issuer.read(ctx, now, token, browser)
		switch {
		case err == nil:
			return login, nil
		case errors.Is(err, ErrRefused):
			refused = err
		default:
			failed = err
		}
	}
	if failed != nil {
		return Login{}, failed
	}
	return Login{}, refused
}

func (i Issuer) read(ctx context.Context, now time.Time, token, browser string) (Login, error) {
	signed, err := jwt.ParseSigned(token, i.Keys.algorithms)
	if err != nil || len(signed.Headers) != 1 {
		return Login{}, fmt.Errorf("%w: not signed by an algorithm of %s", ErrRefused, i.App)
	}
	header := signed.Headers[0]
	keys, err := i.Keys.Named(ctx, header.KeyID, header.Algorithm, now)
	if len(keys) == 0 && err != nil {
		return Login{}, err
	}
	for _, key := range keys {
		var standard jwt.Claims
		var all map[string]any
		if signed.Claims(key.Key, &standard, &all) == nil {
			return i.login(standard, all, now, browser)
		}
	}
	return Login{}, fmt.Errorf("%w: no key of %s has signed it", ErrRefused, i.App)
}

// login is what verified claims say.
func (i Issuer) login(standard jwt.Claims, all map[string]any, now time.Time, browser string) (Login, error) {
	want := jwt.Expected{Issuer: i.Name, Time: now}
	if i.Audience != "" {
		want.AnyAudience = jwt.Audience{i.Audience}
	}
	switch err := standard.ValidateWithLeeway(want, leeway); {
	case err != nil:
		return Login{}, fmt.Errorf("%w: %w", ErrRefused, err)
	case standard.Expiry == nil:
		return Login{}, fmt.Errorf("%w: it never expires", ErrRefused)
	case standard.Subject == "" || len([]rune(standard.Subject)) > maxText:
		return Login{}, fmt.Errorf("%w: its subject names nobody", ErrRefused)
	}
	return Login{App: i.App, User: i.Claims.user(standard.Subject, all), SessionKey: sessionKey(standard, all, browser)}, nil
}

// sessionKey names the session: by the claim for it (sid, or Supabase's session_id), else by the browser
// and the time when the person signed in, where that is known.
func sessionKey(standard jwt.Claims, all map[string]any, browser string) string {
	name := first(all, "sid", "session_id")
	if name == "" {
		name = browser + "\x00" + first(all, "auth_time")
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{standard.Issuer, standard.Subject, name}, "\x00")))
	return "jwt:" + hex.EncodeToString(sum[:])
}
