package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rollcall/server/web"
	"rollcall/store"
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

// AllowSignIn counts a try to sign in to an account, "" where no account has a name yet.
// It returns an error when there were too many of late.
func (a *Authenticator) AllowSignIn(r *http.Request, account string) error {
	return a.limits.allow(a.now(), account, a.origin.Network(r), a.knownDevice(r, store.AccountID(account)))
}

// signInLimits counts tries per account and network, and per network. No count
// is per account alone: strangers could use it up and lock somebody out.
type signInLimits struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	secret  [32]byte // signs the device cookies of this process
}

func newSignInLimits() *signInLimits {
	l := &signInLimits{buckets: map[string]*rate.Limiter{}}
	rand.Read(l.secret[:])
	return l
}

// allow counts one try. A known device has a count of its own, so that a
// stranger in the same network can not lock its owner out either.
func (l *signInLimits) allow(now time.Time, account, network string, known bool) error {
	account = strings.ToLower(account[:min(len(account), maxName)])
	if known {
		return l.take(now, "device "+account+" "+network, accountTries, accountEvery)
	}
	if err := l.take(now, "network "+network, networkTries, networkEvery); err != nil {
		return err
	}
	return l.take(now, "account "+account+" "+network, accountTries, accountEvery)
}

func (l *signInLimits) take(now time.Time, key string, tries int, every time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, ok := l.buckets[key]
	if !ok {
		l.evict(now)
		bucket = rate.NewLimiter(rate.Every(every), tries)
		l.buckets[key] = bucket
	}
	if bucket.AllowN(now, 1) {
		return nil
	}
	return &web.Problem{Status: http.StatusTooManyRequests, Code: "too_many_attempts", Words: "Too many attempts; wait a moment",
		RetryAfter: every + time.Second}
}

// evict forgets the counts that are back at their start and, if that frees
// nothing, all of them: memory is bounded, whoever sends however many names.
func (l *signInLimits) evict(now time.Time) {
	if len(l.buckets) < maxBuckets {
		return
	}
	for key, bucket := range l.buckets {
		if bucket.TokensAt(now) >= float64(bucket.Burst()) {
			delete(l.buckets, key)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

// deviceMark proves that an account signed in from a browser before. See OWASP,
// "Slow Down Online Guessing Attacks with Device Cookies".
func (l *signInLimits) deviceMark(user string) []byte {
	mac := hmac.New(sha256.New, l.secret[:])
	mac.Write([]byte(user))
	return mac.Sum(nil)
}
