package jwt

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of reading keys.
const (
	maxKeys      = 1 << 20         // bytes of a set
	fetchTimeout = 5 * time.Second // of a request for it
	rereadEvery  = time.Minute     // where a token names a key that is not known
	leastSecret  = 32              // bytes, as RFC 7518 section 3.2 wants for HS256
	leastRSA     = 2048            // bits, as its section 3.3 wants
)

// The algorithms that are taken from public keys, and from a secret. A token that names another is
// refused before any key is looked at.
var (
	publicAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}
	secretAlgorithms = []jose.SignatureAlgorithm{jose.HS256}
)

// Keys are what the signatures of an issuer are checked by.
type Keys struct {
	source     string
	algorithms []jose.SignatureAlgorithm
	read       func(context.Context) ([]byte, error)
	parse      func([]byte) ([]jose.JSONWebKey, error)

	mu     sync.Mutex
	known  []jose.JSONWebKey
	readAt time.Time // zero: never
	err    error     // of the last time
}

// NewKeys returns the keys of a source: a file of a JSON Web Key Set or of public keys or
// certificates in PEM, the https address of a set (http on this machine), or "hs256:FILE" with a secret
// of at least 32 bytes. A file is read at once; an address when the first token comes.
func NewKeys(source string) (*Keys, error) {
	k := &Keys{source: source, algorithms: publicAlgorithms, parse: parsePublic}
	if file, ok := strings.CutPrefix(source, "hs256:"); ok {
		k.algorithms, k.parse, k.read = secretAlgorithms, parseSecret, readFile(file)
	} else if strings.Contains(source, "://") {
		at, err := url.Parse(source)
		if err != nil || at.Host == "" || at.Scheme != "https" && (at.Scheme != "http" || !isLocal(at.Hostname())) {
			return nil, fmt.Errorf("%q is no https address", source)
		}
		k.read = fetch(at.String())
		return k, nil
	} else {
		k.read = readFile(source)
	}
	return k, k.reread(context.Background(), time.Now())
}

func isLocal(host string) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host)
}

func readFile(name string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return os.ReadFile(name) }
}

// fetcher follows no redirect: keys are those of the address that the operator named, by the way that was named.
var fetcher = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func fetch(address string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		answer, err := fetcher.Do(request)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s answers %s", address, answer.Status)
		}
		return io.ReadAll(io.LimitReader(answer.Body, maxKeys))
	}
}

// Named returns the keys that may have made a signature: those of an id, or all where a token names
// none. Where the id is unknown the source is read again, at most once a minute, whoever asks.
func (k *Keys) Named(ctx context.Context, id string, algorithm string, now time.Time) ([]jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found := named(k.known, id, algorithm)
	if len(found) > 0 || !k.readAt.IsZero() && now.Sub(k.readAt).Abs() < rereadEvery {
		return found, k.err
	}
	err := k.reread(context.WithoutCancel(ctx), now) // others wait for it, too
	return named(k.known, id, algorithm), err
}

// reread reads the source. What was known stays where it can not be read.
func (k *Keys) reread(ctx context.Context, now time.Time) error {
	k.readAt = now
	text, err := k.read(ctx)
	var keys []jose.JSONWebKey
	if err == nil {
		keys, err = k.parse(text)
	}
	if k.err = nil; err != nil {
		k.err = fmt.Errorf("reading keys of %s: %w", k.source, err)
		return k.err
	}
	k.known = keys
	return nil
}

func named(keys []jose.JSONWebKey, id, algorithm string) (found []jose.JSONWebKey) {
	for _, key := range keys {
		if (id == "" || key.KeyID == "" || key.KeyID == id) && (key.Algorithm == "" || key.Algorithm == algorithm) && key.Use != "enc" {
			found = append(found, key)
		}
	}
	return found
}

func parseSecret(text []byte) ([]jose.JSONWebKey, error) {
	secret := bytes.TrimRight(text, "\r\n")
	if len(secret) < leastSecret {
		return nil, fmt.Errorf("the secret has %d bytes, and must have %d", len(secret), leastSecret)
	}
	return []jose.JSONWebKey{{Key: secret, Algorithm: string(jose.HS256)}}, nil
}

func parsePublic(text []byte) ([]jose.JSONWebKey, error) {
	keys, err := parseSet(text)
	if bytes.Contains(text, []byte("-----BEGIN ")) {
		keys, err = parsePEM(text)
	}
	if err != nil {
		return nil, err
	}
	usable := slices.DeleteFunc(keys, func(key jose.JSONWebKey) bool { return !isUsable(key) })
	if len(usable) == 0 {
		return nil, errors.New("there is no public key in it that may be used")
	}
	return usable, nil
}

// isUsable tells whether a key is public, of a kind that signs, and of enough length.
func isUsable(key jose.JSONWebKey) bool {
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= leastRSA
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return key.Valid()
	}
	return false
}

// parseSet reads a set, or a single key. Keys of kinds that are not known are passed over.
func parseSet(text []byte) (keys []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("it is neither a set of keys (JSON) nor PEM")
	}
	if set.Keys == nil {
		set.Keys = []json.RawMessage{text}
	}
	for _, one := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(one) == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func parsePEM(text []byte) (keys []jose.JSONWebKey, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var key any
		switch block.Type {
		case "PUBLIC KEY":
			key, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			key, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case "CERTIFICATE":
			var certificate *x509.Certificate
			if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
				key = certificate.PublicKey
			}
		default:
			return nil, fmt.Errorf("it has a %s, where a public key is needed", block.Type)
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, jose.JSONWebKey{Key: key})
	}
	return keys, nil
}
