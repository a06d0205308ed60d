package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"rollcall/server/jwt"
)

// jwtSettings say whose signed tokens begin sessions.
type jwtSettings struct {
	keys             appKeys
	issuer, audience string
	claims           claimPaths
}

func (s *jwtSettings) register(flags *pflag.FlagSet) {
	flags.Var(&s.keys, "jwt", "application whose signed tokens begin sessions, and their keys: APP=FILE, APP=https://... or APP=hs256:FILE")
	flags.StringVar(&s.issuer, "jwt-issuer", "", "what the claim iss of these tokens must be")
	flags.StringVar(&s.audience, "jwt-audience", "", "what the claim aud of these tokens must have")
	flags.Var(&s.claims, "jwt-claims", "claims of these tokens that say more of people, such as organization=tenant.name,team=groups.0")
}

func (s *jwtSettings) check() error {
	if s.keys.app == "" && (s.issuer != "" || s.audience != "" || s.claims.text != "") {
		return usagef("--jwt-issuer, --jwt-audience and --jwt-claims need --jwt")
	}
	return nil
}

// issuers reads the keys, where they are in a file.
func (s *jwtSettings) issuers() (jwt.Issuers, error) {
	if s.keys.app == "" {
		return nil, nil
	}
	keys, err := jwt.NewKeys(s.keys.source)
	if err != nil {
		return nil, fmt.Errorf("--jwt: %w", err)
	}
	return jwt.Issuers{{App: s.keys.app, Keys: keys, Name: s.issuer, Audience: s.audience, Claims: s.claims.paths}}, nil
}

// appKeys are an application and where the keys of its tokens are.
type appKeys struct{ app, source string }

func (k *appKeys) Type() string { return "APP=KEYS" }

func (k *appKeys) String() string {
	if k.app == "" {
		return ""
	}
	return k.app + "=" + k.source
}

func (k *appKeys) Set(text string) error {
	app, source, _ := strings.Cut(text, "=")
	if app == "" || source == "" || strings.TrimSpace(app) != app || printable(app) != app {
		return fmt.Errorf("%q is not like crm=keys.json, crm=https://id.example/jwks.json or crm=hs256:secret.txt", text)
	}
	k.app, k.source = app, source
	return nil
}

// claimPaths are claims by the field that they are for.
type claimPaths struct {
	text  string
	paths jwt.Claims
}

func (c *claimPaths) String() string { return c.text }
func (c *claimPaths) Type() string   { return "FIELD=CLAIM" }

func (c *claimPaths) Set(text string) (err error) {
	c.text = text
	c.paths, err = jwt.ParseClaims(text)
	return err
}
