package store

import (
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

// hashing bounds how many passwords are hashed at once: each takes 19 MiB and a
// processor, and strangers can ask for it.
var hashing = make(chan struct{}, max(1, runtime.NumCPU()-1))

// unknownName is verified for a name that nobody has, so that the answer takes
// as long as for a wrong password.
var unknownName = format(make([]byte, argonSaltLen), make([]byte, argonKeyLen))

func checkPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || n > maxPassword {
		return sqldb.Invalid(fmt.Sprintf("password must have %d to %d characters", minPassword, maxPassword))
	}
	return nil
}

// hashPassword returns the hash in PHC string format.
func hashPassword(password string) string {
	salt := make([]byte, argonSaltLen)
	rand.Read(salt)
	return format(salt, argon(password, salt, argonPasses, argonMemory, argonLanes, argonKeyLen))
}

// verifyPassword tells whether hash was made from password.
func verifyPassword(password, hash string) bool {
	parts := strings.Split(hash, "$") // "", argon2id, v=, m=t=p=, salt, key
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var memory, passes uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) == 0 {
		return false
	}
	return subtle.ConstantTimeCompare(argon(password, salt, passes, memory, lanes, len(key)), key) == 1
}

func argon(password string, salt []byte, passes, memory uint32, lanes uint8, keyLen int) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(keyLen))
}

func format(salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, argonMemory, argonPasses, argonLanes, b64(salt), b64(key))
}
