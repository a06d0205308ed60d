package store

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"rollcall/store/sqldb"
)

// Bounds of a password, in characters. NIST SP 800-63B-4, section 3.1.1.2, asks
// for 15 where the password is the only factor, and for no rule of composition.
const (
	minPassword = 15
	maxPassword = 1000
)

// argon2id with the least that the OWASP Password Storage Cheat Sheet accepts:
// 19 MiB, two passes, one lane.
const (
	argonMemory  = 19 * 1024 // KiB
	argonPasses  = 2
	argonLanes   = 1
	argonSaltLen = 16
	argonKeyLen  = 32
)

// The most that a stored hash may ask for. None is ours that asks for more: it came with a file that
// somebody else has written, and computing it could take all of the memory.
const (
	maxArgonMemory = 64 * 1024 // KiB
	maxArgonPasses = 10
	maxArgonLanes  = 4
	minArgonBytes  = 16 // of salt and key
	maxArgonBytes  = 64
)

// Hashing takes 19 MiB and a processor, and strangers can ask for it: so it has bounds. Who is known,
// by a device that signed in before or as an administrator, does not wait for strangers.
var (
	strangers = newLane(max(1, runtime.NumCPU()-1))
	known     = newLane(1)
)

// maxHashing is how many may wait for each hash that is computed at a time: about a second.
const maxHashing = 32

// lane is a bounded queue in front of a bounded number of hashes at a time.
type lane struct {
	places chan struct{} // that are taken by those who wait and those who are served
	slots  chan struct{} // by those who are served
}

func newLane(slots int) lane {
	return lane{places: make(chan struct{}, slots*(1+maxHashing)), slots: make(chan struct{}, slots)}
}

// run calls hash when it is its turn, unless ctx ends before; ErrHashingCrowded where too many wait.
func (l lane) run(ctx context.Context, hash func()) error {
	select {
	case l.places <- struct{}{}:
		defer func() { <-l.places }()
	default:
		return ErrHashingCrowded
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting to hash a password: %w", err)
	}
	hash()
	return nil
}

// unknownName is verified for a name that nobody has, so that the answer takes
// as long as for a wrong password.
var unknownName = format(make([]byte, argonSaltLen), make([]byte, argonKeyLen))

// everydayWords are those that everybody tries first, and what the program is called and is for: ASVS 5.0, 6.1.2.
const everydayWords = "password passwort passw0rd p@ssword p@ssw0rd changeme letmein welcome iloveyou trustno1 whatever secret " +
	"monkey dragon master shadow sunshine princess football baseball superman batman michael jordan charlie computer internet samsung starwars " +
	"admin administrator root default login test guest user account rollcall presence online panel deploy gateway"

var everydayPieces = pieces(keyboard + " " + everydayWords)

// minOwn is how many characters of a password must be its own: as many as the shortest password of ASVS 5.0, 6.2.1.
const minOwn = 8

// checkPassword refuses the password of an account that is too short, or that others would try: of everyday words, of the
// rows of the keyboard, of the account's name or of one text that is repeated.
func checkPassword(password, name string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || n > maxPassword {
		return sqldb.Invalid(fmt.Sprintf("password must have %d to %d characters", minPassword, maxPassword))
	}
	own := password
	if name != "" {
		own = strings.ReplaceAll(strings.ToLower(password), strings.ToLower(name), "")
	}
	if unseen(own, everydayPieces) < minOwn {
		return sqldb.Invalid("password is one that others would try: it is made of everyday words, of rows of the keyboard, of the name or of a text that is repeated")
	}
	return nil
}

// hashPassword returns the hash in PHC string format.
func hashPassword(ctx context.Context, password string) (hash string, err error) {
	salt := make([]byte, argonSaltLen)
	rand.Read(salt)
	err = known.run(ctx, func() {
		hash = format(salt, argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, argonKeyLen))
	})
	return hash, err
}

// verifyPassword tells whether hash was made from password.
func (l lane) verifyPassword(ctx context.Context, password, hash string) (same bool, err error) {
	h, err := readHash(hash)
	if err != nil {
		return false, err
	}
	err = l.run(ctx, func() {
		key := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
		same = subtle.ConstantTimeCompare(key, h.key) == 1
	})
	return same, err
}

// storedHash is a hash with what it was made by.
type storedHash struct {
	memory, passes uint32 // memory in KiB
	lanes          uint8
	salt, key      []byte
}

// readHash reads a hash in PHC string format; ErrDamaged for one that is none of ours.
func readHash(text string) (h storedHash, err error) {
	parts := strings.Split(text, "$") // "", argon2id, v=, m=t=p=, salt, key
	bad := fmt.Errorf("%w: the hash of a password is none of ours", sqldb.ErrDamaged)
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, bad
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes)
	if err != nil || parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.passes, h.lanes) {
		return h, bad
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || !h.isBounded() {
		return h, bad
	}
	return h, nil
}

func (h storedHash) isBounded() bool {
	within := func(n, least, most int) bool { return least <= n && n <= most }
	return within(int(h.memory), 8*int(h.lanes), maxArgonMemory) && within(int(h.passes), 1, maxArgonPasses) && within(int(h.lanes), 1, maxArgonLanes) &&
		within(len(h.salt), minArgonBytes, maxArgonBytes) && within(len(h.key), minArgonBytes, maxArgonBytes)
}

func format(salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, argonMemory, argonPasses, argonLanes, b64(salt), b64(key))
}
