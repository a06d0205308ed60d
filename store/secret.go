package store

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"rollcall/store/sqldb"
)

// A secret starts with what it is, so that one found in the wrong place can be
// recognised for what it is and revoked.
const (
	sessionPrefix = "rcs_"
	keyPrefix     = "rck_"
	derivedPrefix = "rcd_"
	linkPrefix    = "rcl_"
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

// tokenRef is how the database knows a session's token: the digest proves it and
// the id finds it. The id is made from the token, so that a heartbeat reads one
// row and no index. It is public: without the key, which never leaves the
// database, nobody can use it to try out tokens.
type tokenRef struct {
	id     int64
	digest []byte
}

func (s *Store) tokenRef(token string) tokenRef {
	h := tokenRef{digest: digest(token)}
	sum := sha256.Sum256(append(s.idKey[:], h.digest...))
	h.id = positive(sum[:])
	return h
}

// positive reads 63 random bits as a number.
func positive(random []byte) int64 { return int64(binary.BigEndian.Uint64(random) >> 1) }

// newID returns a random positive number for a public id: it tells nobody how
// many rows there are, and 63 bits do not collide in practice.
func newID() int64 {
	var b [8]byte
	rand.Read(b[:])
	return positive(b[:])
}

// IsKey tells a key from a session token by its form.
func IsKey(secret string) bool { return strings.HasPrefix(secret, keyPrefix) }

// loadRandom returns a random number of 63 bits that the database keeps under a name, making it in a
// new one: all replicas have the same, and it outlives restarts.
func (t *tx) loadRandom(name string) (key [8]byte, err error) {
	_, err = t.Exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, newID())
	if err != nil {
		return key, err
	}
	var n int64
	err = t.Scan([]any{&n}, `SELECT value FROM settings WHERE name = $1`, name)
	binary.BigEndian.PutUint64(key[:], uint64(n))
	return key, err
}

// loadKeys reads the secrets that never leave the database.
func (s *Store) loadKeys(t *tx) (err error) {
	if s.idKey, err = t.loadRandom("session_id_key"); err != nil {
		return sqldb.Wrap("reading the key of session ids", err)
	}
	for _, name := range []string{"device_key_1", "device_key_2"} {
		part, err := t.loadRandom(name)
		if err != nil {
			return sqldb.Wrap("reading the key of devices", err)
		}
		s.deviceKey = append(s.deviceKey, part[:]...)
	}
	return nil
}

// DerivedToken returns a session's token that nobody is given: it is the same for the same parts, at all replicas, and
// nobody else can make it. It is for whoever proves in another way which session is theirs.
func (s *Store) DerivedToken(parts ...string) string {
	mac := hmac.New(sha256.New, s.deviceKey)
	mac.Write([]byte("token"))
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part)) // no two lists of parts are written alike
		mac.Write(sum[:])
	}
	return derivedPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// DeviceMark proves that an account signed in from a browser before: to this server, to one before it
// or to another replica. See OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
func (s *Store) DeviceMark(user string) []byte {
	mac := hmac.New(sha256.New, s.deviceKey)
	mac.Write([]byte(user))
	return mac.Sum(nil)
}
