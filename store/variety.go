package store

import (
	"fmt"
	"math"
	"strings"

	"rollcall/store/sqldb"
)

// maxToken is the longest token that an application may report as its own, in bytes: a longer one would not fit into a heartbeat.
const maxToken = 3000

// minVariety is how hard to guess such a token has to be, in bits.
const minVariety = 128

func checkToken(token string) error {
	switch {
	case token == "" || len(token) > maxToken:
		return sqldb.Invalid(fmt.Sprintf("session_token must have at most %d characters", maxToken))
	case IsKey(token):
		return sqldb.Invalid("session_token must not be a key")
	case variety(token) < minVariety:
		return sqldb.Invalid(fmt.Sprintf("session_token could be guessed: it must have %d random bits or more, such as 32 hexadecimal digits from a random generator", minVariety))
	}
	return nil
}

// variety is the most that a token can hold of what nobody can guess, in bits: its characters, as if each were random
// among those of its kinds. Nobody can see whether a token is random; but many can be seen not to be. Where most of
// its characters repeat the one before, or count on from it, these hold nothing.
func variety(token string) float64 {
	characters := 0
	for i := range len(token) {
		if i == 0 || token[i] != token[i-1] && token[i] != token[i-1]+1 {
			characters++
		}
	}
	if characters > len(token)/4 { // of a random one in hexadecimal digits every eighth does, and hardly ever most
		characters = len(token)
	}
	if unseen := unseen(token, keyboardPieces); unseen <= len(token)/2 { // of a random one half is not like what came before
		characters = min(characters, unseen)
	}
	return float64(min(characters, period(token))) * math.Log2(float64(alphabet(token)))
}

// keyboard has what fingers type that run along its rows, in one direction and the other.
const keyboard = "1234567890-qwertyuiopasdfghjklzxcvbnm qwertzuiopasdfghjkyxcvbnm azertyuiopqsdfghjklmwxcvbn 1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p " +
	"0987654321 poiuytrewqlkjhgfdsamnbvcxz poiuztrewqlkjhgfdsamnbvcxy 012345678901234567890 abcdefghijklmnopqrstuvwxyz zyxwvutsrqponmlkjihgfedcba"

var keyboardPieces = pieces(keyboard)

// seenPiece is how many characters a piece of a text has that is no chance when it comes again: of a number of 128 bits in
// hexadecimal form one in a thousand has such a piece, and half of it is made of them of one in a million millions.
const seenPiece = 5

// unseen counts the characters of a text, in whatever case, that belong to no piece which stood before them, in the text or
// among what is known.
func unseen(text string, known map[string]bool) int {
	text = strings.ToLower(text)
	before := map[string]bool{}
	count, until := len(text), 0 // up to where characters are not counted any more
	for i := 0; i+seenPiece <= len(text); i++ {
		piece := text[i : i+seenPiece]
		if before[piece] || known[piece] {
			count -= i + seenPiece - max(i, until)
			until = i + seenPiece
		}
		before[piece] = true
	}
	return count
}

// pieces are all of words, which are in lower case.
func pieces(words string) map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		for i := 0; i+seenPiece <= len(word); i++ {
			all[word[i:i+seenPiece]] = true
		}
	}
	return all
}

// period is the length of the shortest text that a token only repeats, twice or nearly that at least.
func period(token string) int {
	for p := 1; p <= (len(token)+1)/2; p++ {
		if token[p:] == token[:len(token)-p] {
			return p
		}
	}
	return len(token)
}

// alphabet is how many characters there are of the kinds that a token has: 16 where it is a number in hexadecimal form,
// even one in which no letter happens to come.
func alphabet(token string) (size int) {
	const digits, hex, letters = "0123456789", "abcdef", "abcdefghijklmnopqrstuvwxyz"
	if bare := strings.ReplaceAll(token, "-", ""); only(bare, digits+hex) || only(bare, digits+strings.ToUpper(hex)) {
		return 16
	}
	for _, kind := range []string{digits, letters, strings.ToUpper(letters)} {
		if strings.ContainsAny(token, kind) {
			size += len(kind)
		}
	}
	if !only(token, digits+letters+strings.ToUpper(letters)) {
		size += 2 // as in Base64
	}
	return max(size, 32) // as in Base32, where no digit may come
}

func only(text, characters string) bool { return strings.Trim(text, characters) == "" }
