package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"
)

// codeLifetime is how long a one-time sign-in link works.
const codeLifetime = 15 * time.Minute

// Codes are the one-time secrets of this process. None outlives it.
type Codes struct {
	now   func() time.Time
	Setup string // makes the first account

	mu     sync.Mutex
	signIn map[[sha256.Size]byte]signInCode
}

type signInCode struct {
	user    string
	expires time.Time
}

// NewCodes returns a code for the set-up, and none for a sign-in.
func NewCodes(now func() time.Time) *Codes {
	return &Codes{now: now, Setup: rand.Text(), signIn: map[[sha256.Size]byte]signInCode{}}
}

// IsSetup tells whether this is the code for the set-up.
func (c *Codes) IsSetup(code string) bool {
	return subtle.ConstantTimeCompare([]byte(code), []byte(c.Setup)) == 1
}

// NewSignIn returns a code that signs a user in.
func (c *Codes) NewSignIn(user string) string {
	code := rand.Text()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signIn[sha256.Sum256([]byte(code))] = signInCode{user: user, expires: c.now().Add(codeLifetime)}
	return code
}

// TakeSignIn returns the user of a code and forgets the code.
func (c *Codes) TakeSignIn(code string) (user string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := sha256.Sum256([]byte(code))
	found, ok := c.signIn[key]
	delete(c.signIn, key)
	return found.user, ok && c.now().Before(found.expires)
}
