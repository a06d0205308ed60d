package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"
)

// codeLifetime is how long a one-time sign-in link works.
const codeLifetime = 15 * time.Minute

// codes are the one-time secrets of this process. None outlives it.
type codes struct {
	now   func() time.Time
	setup string // makes the first account

	mu     sync.Mutex
	signIn map[[sha256.Size]byte]signInCode
}

type signInCode struct {
	user    string
	expires time.Time
}

func newCodes(now func() time.Time) *codes {
	return &codes{now: now, setup: rand.Text(), signIn: map[[sha256.Size]byte]signInCode{}}
}

func (c *codes) isSetup(code string) bool {
	return subtle.ConstantTimeCompare([]byte(code), []byte(c.setup)) == 1
}

// make returns a new code for user.
func (c *codes) make(user string) string {
	code := rand.Text()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signIn[sha256.Sum256([]byte(code))] = signInCode{user: user, expires: c.now().Add(codeLifetime)}
	return code
}

// take returns the user of a code and forgets the code.
func (c *codes) take(code string) (user string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := sha256.Sum256([]byte(code))
	found, ok := c.signIn[key]
	delete(c.signIn, key)
	return found.user, ok && c.now().Before(found.expires)
}
