// Package auditchain chains the entries of the audit log by hashes: whoever changes, removes or adds one behind the
// program's back breaks it from there on, unless all that follow are made anew, which a hash that was kept elsewhere shows.
// It knows nothing of databases.
package auditchain

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Begun is the action of the entry from which on a log is chained that has purged the entries before.
const Begun = "audit.chain"

// Entry is what is hashed of an entry.
type Entry struct {
	ID, At                               int64 // At in milliseconds since 1970
	Action, Actor, Target, Detail, Words string
}

// Link is what the log keeps of an entry beside it.
type Link struct {
	Salt    []byte // without which nobody can find out by trial what was erased; nil once something was
	Content []byte // the hash of what may be erased: actor, target, detail and words
	Chain   []byte // the hash of the link before, and of this entry
}

// Seal makes the link of an entry that follows one with this chain; nil for the first of all.
func Seal(before []byte, e Entry) Link {
	l := Link{Salt: make([]byte, 16)}
	rand.Read(l.Salt)
	l.Content = content(l.Salt, e)
	l.Chain = chain(before, e, l.Content)
	return l
}

// Follows tells whether the link is that of an entry which follows one with this chain.
func (l Link) Follows(before []byte, e Entry) bool {
	return string(l.Chain) == string(chain(before, e, l.Content))
}

// Holds tells whether the entry says what it said when it was made. Of one of which something was erased nobody knows.
func (l Link) Holds(e Entry) bool { return string(l.Content) == string(content(l.Salt, e)) }

func content(salt []byte, e Entry) []byte {
	return hash(salt, []byte(e.Actor), []byte(e.Target), []byte(e.Detail), []byte(e.Words))
}

func chain(before []byte, e Entry, content []byte) []byte {
	return hash(before, number(e.ID), number(e.At), []byte(e.Action), content)
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// hash is of the parts, each with its length, so that none can pass for a piece of the next.
func hash(parts ...[]byte) []byte {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write(number(int64(len(part))))
		sum.Write(part)
	}
	return sum.Sum(nil)
}

// Pseudonym is a new name for somebody who is erased: their deeds remain one person's, and nobody knows whose.
func Pseudonym() string {
	b := make([]byte, 6)
	rand.Read(b)
	return hex.EncodeToString(b)
}
