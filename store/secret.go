package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// A secret starts with what it is, so that one found in the wrong place can be
// recognised for what it is and revoked.
const (
	sessionPrefix = "rcs_"
	keyPrefix     = "rck_"
)

// Bounds of a token that an application reports as its own, in bytes. Shorter
// ones could be guessed, longer ones would not fit into a heartbeat.
const (
	minToken = 16
	maxToken = 3000
)

// newSecret returns prefix and 256 random bits.
func newSecret(prefix string) string {
	var b [32]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// digest is what the database keeps of a secret. A plain SHA-256 is enough for
// 256 random bits: there is nothing to guess (unlike a password).
func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// newID returns a random positive number for a public id: it tells nobody how
// many rows there are, and 63 bits do not collide in practice.
func newID() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

// IsKey tells a key from a session token by its form.
func IsKey(secret string) bool { return strings.HasPrefix(secret, keyPrefix) }

func checkToken(token string) error {
	switch {
	case len(token) < minToken || len(token) > maxToken:
		return invalid(fmt.Sprintf("session_token must have %d to %d characters", minToken, maxToken))
	case IsKey(token):
		return invalid("session_token must not be a key")
	}
	return nil
}
