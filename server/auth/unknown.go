package auth

import (
	"net/http"
	"sync/atomic"
	"time"

	"rollcall/server/web"
)

// How many tokens that nobody has may come from one network. Where all sessions are lost, each page of an office
// sends one, and then ever more seldom.
const (
	unknownTokens = 300                    // at once
	unknownEvery  = 500 * time.Millisecond // and then one
	unknownWait   = time.Minute            // for whoever sent one too many
)

// unknownLimits count tokens that nobody has, per network.
type unknownLimits struct {
	buckets
	any atomic.Bool // has ever come
}

// SentTooManyUnknown tells whether the network of a request has sent so many tokens of late that nobody has
// that the next is to be looked up before anything is done for it.
func (a *Authenticator) SentTooManyUnknown(r *http.Request) bool {
	l := &a.unknown
	if !l.any.Load() {
		return false
	}
	network := a.origin.Networks(r)[0]
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.all[network]
	return bucket != nil && bucket.TokensAt(a.now()) < 1
}

// NoteUnknown counts a token that nobody has. It returns an error when there were too many of late.
func (a *Authenticator) NoteUnknown(r *http.Request) error {
	a.unknown.any.Store(true)
	if a.unknown.take(a.now(), a.origin.Networks(r)[0], unknownTokens, unknownEvery) {
		return nil
	}
	return &web.Problem{Status: http.StatusTooManyRequests, Code: "too_many_unknown_tokens",
		Words: "Too many session tokens that nobody has came from this network; wait a minute", RetryAfter: unknownWait}
}
