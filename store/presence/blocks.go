package presence

import "strconv"

// Sessions are found by their last activity, and by their end, through indexes on blocks of time: all of a block stand
// in the order of their ids there, as they do in the table. Heartbeats that are brought into the rows in that order so
// change few pages of either; by the very millisecond each would change two pages of its own.
//
// A condition on such a time therefore names the block too, and an order by it begins with the block. In a block of
// activity the database sorts, which is why one is short: some four seconds. One of ends has nine minutes, in which most
// heartbeats leave a session where it stands in the index, and that index has the ends themselves.
const (
	activityBits = 12
	expiryBits   = 19
)

// ActivityBlock returns the block of a last activity in unix milliseconds.
func ActivityBlock(at int64) int64 { return at >> activityBits }

// LastOfActivityBlock returns the latest activity that is of a block, in unix milliseconds.
func LastOfActivityBlock(block int64) int64 { return (block+1)<<activityBits - 1 }

// ExpiryBlock returns the block of the end of a session in unix milliseconds.
func ExpiryBlock(at int64) int64 { return at >> expiryBits }

// InActivityBlock is the block of an expression that is a last activity, in SQL.
func InActivityBlock(at string) string { return inBlock(at, activityBits) }

// InExpiryBlock is the block of an expression that is the end of a session, in SQL.
func InExpiryBlock(at string) string { return inBlock(at, expiryBits) }

func inBlock(at string, bits int) string { return `(` + at + ` >> ` + strconv.Itoa(bits) + `)` }
