package auth

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rollcall/server/web"
)

// How many sign-ins may be tried. With passwords of 15 characters this is far
// from what guessing needs, and far above what a person mistypes.
const (
	accountTries = 10               // at once, for one account from one network
	accountEvery = 10 * time.Second // and then one
	networkTries = 50               // at once, from one network
	networkEvery = 2 * time.Second  // and then one
	maxBuckets   = 20000            // remembered at once
	maxName      = 64               // bytes of a name that count; no account has more
)

// AllowSignIn counts a try to sign in to an account. It returns an error when there were too many of late.
func (a *Authenticator) AllowSignIn(r *http.Request, account string) error {
	return a.limits.allow(a.now(), account, a.origin.Networks(r), a.KnownDevice(r, account))
}

// AllowSetUp is the same for the set-up, which has a count of its own: neither uses up the other's.
func (a *Authenticator) AllowSetUp(r *http.Request) error {
	return a.limits.takeEach(a.now(), "setup ", a.origin.Networks(r), accountTries, accountEvery)
}

// AllowLink is the same for links by which a password is chosen.
func (a *Authenticator) AllowLink(r *http.Request) error {
	return a.limits.takeEach(a.now(), "link ", a.origin.Networks(r), networkTries, networkEvery)
}

// buckets count tries by a key, in bounded memory.
type buckets struct {
	mu  sync.Mutex
	all map[string]*rate.Limiter
}

func newBuckets() buckets { return buckets{all: map[string]*rate.Limiter{}} }

// signInLimits counts tries per account and network, and per network. No count
// is per account alone: strangers could use it up and lock somebody out.
type signInLimits struct {
	buckets
}

func newSignInLimits() *signInLimits {
	return &signInLimits{buckets: newBuckets()}
}

// allow counts one try. A known device has a count of its own, so that a
// stranger in the same network can not lock its owner out either. The first of
// the networks is the smallest.
func (l *signInLimits) allow(now time.Time, account string, networks []string, known bool) error {
	account = strings.ToLower(account[:min(len(account), maxName)])
	if known {
		return l.take(now, "device "+account+" "+networks[0], accountTries, accountEvery)
	}
	if err := l.takeEach(now, "network ", networks, networkTries, networkEvery); err != nil {
		return err
	}
	return l.takeEach(now, "account "+account+" ", networks, accountTries, accountEvery)
}

// takeEach counts one try in each of the networks, of which each may try twice as much as the one inside it.
func (l *signInLimits) takeEach(now time.Time, what string, networks []string, tries int, every time.Duration) error {
	for i, network := range networks {
		if err := l.take(now, what+network, tries<<i, every>>i); err != nil {
			return err
		}
	}
	return nil
}

func (l *signInLimits) take(now time.Time, key string, tries int, every time.Duration) error {
	if l.buckets.take(now, key, tries, every) {
		return nil
	}
	return &web.Problem{Status: http.StatusTooManyRequests, Code: "too_many_attempts", Words: "Too many attempts; wait a moment",
		RetryAfter: every.Truncate(time.Second) + time.Second}
}

// take counts a try, and tells whether there were not too many.
func (b *buckets) take(now time.Time, key string, tries int, every time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, ok := b.all[key]
	if !ok {
		b.evict(now)
		bucket = rate.NewLimiter(rate.Every(every), tries)
		b.all[key] = bucket
	}
	return bucket.AllowN(now, 1)
}

// evict forgets the counts that are back at their start and, if that frees
// nothing, all of them: memory is bounded, whoever sends however many names.
func (b *buckets) evict(now time.Time) {
	if len(b.all) < maxBuckets {
		return
	}
	for key, bucket := range b.all {
		if bucket.TokensAt(now) >= float64(bucket.Burst()) {
			delete(b.all, key)
		}
	}
	if len(b.all) >= maxBuckets {
		clear(b.all)
	}
}
