package store

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"rollcall/store/sqldb"
)

func TestATokenThatCouldBeGuessedIsRefused(t *testing.T) {
	for name, token := range map[string]string{
		"sixteen ones":                    strings.Repeat("1", 16),
		"a hundred ones":                  strings.Repeat("1", 100),
		"a number":                        "4815162342481516",
		"a number and its name":           "session-of-user-42",
		"64 bits":                         "9f86d081884c7d65",
		"64 bits twice":                   strings.Repeat("9f86d081884c7d65", 2),
		"64 bits eight times":             strings.Repeat("9f86d081884c7d65", 8),
		"a name twice, but for its end":   "user-42-session-user-42-session",
		"the alphabet":                    "abcdefghijklmnopqrstuvwxyz0123456789",
		"the digits four times":           strings.Repeat("0123456789", 4),
		"an e-mail address":               "ada@example.com",
		"nothing":                         "",
		"zeros before a number":           strings.Repeat("0", 60) + "4711",
		"half of it zeros, as of a clock": "018f4e2a" + strings.Repeat("0", 24),
		"the keyboard":                    "qwertyuiopasdfghjklzxcvbnm1234567890",
		"a row of it, in both cases":      "QWERTYUIOPqwertyuiopqwertyuiop",
		"a row of it, backwards":          "poiuytrewqlkjhgfdsamnbvcxz",
		"a repeated text and its rest":    strings.Repeat("session-42-", 6) + "sess",
		"a name, and a repeated text":     "ada@example.com/" + strings.Repeat("session!", 5),
	} {
		t.Run(name, func(t *testing.T) {
			if err := checkToken(token); !errors.Is(err, sqldb.ErrInvalid) {
				t.Errorf("%q has %.0f bits: %v", token, variety(token), err)
			}
		})
	}
}

func TestATokenFromARandomGeneratorIsTaken(t *testing.T) {
	random := func(bytes int) []byte {
		b := make([]byte, bytes)
		rand.Read(b)
		return b
	}
	for name, token := range map[string]func() string{
		"24 bytes in Base64, as of Express": func() string { return base64.RawURLEncoding.EncodeToString(random(24)) },
		"32 hexadecimal digits":             func() string { return hex.EncodeToString(random(16)) },
		"64 upper case":                     func() string { return strings.ToUpper(hex.EncodeToString(random(32))) },
		"32 of letters and digits":          func() string { return strings.ToLower(base32.StdEncoding.EncodeToString(random(20))) },
		"rand.Text":                         rand.Text,
		"a token of ours":                   func() string { return newSecret(sessionPrefix) },
		"hexadecimal, by chance no letter":  func() string { return "34832330761879435964075837203454" },
		"a UUID": func() string {
			h := hex.EncodeToString(random(16))
			return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
		},
		"hexadecimal, many alike by chance": func() string { return "88f01223347aabcc4455dee177882230" },
	} {
		t.Run(name, func(t *testing.T) {
			for range 20_000 {
				if made := token(); checkToken(made) != nil {
					t.Fatalf("%q has %.0f bits", made, variety(made))
				}
			}
		})
	}
}
