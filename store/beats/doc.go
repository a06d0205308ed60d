// Package beats keeps heartbeats of which nobody can see a difference as a log in an SQLite database,
// and brings them into the rows of user_sessions later ("folds" them). A transaction adds one row to
// the log for all of its quiet heartbeats.
//
// A session's row is written by what is not quiet, and else no more often than it must: before it, by itself, would no
// longer say that the session is online. Once a lap, which is 37 seconds where the online window is five minutes, the log
// visits each session that waits, and folds it where its row would not outlast the next visit. So that rows that are
// neighbours on disk are written together, sessions are divided into segments by their ids, and in every sixth of its
// visits all of a segment is folded, before any of it must be. The indexes that move with a heartbeat keep that order, too:
// see store/presence/blocks.go. Who beats once a minute is written once in 220 seconds.
//
// A row of the log is removed once nothing waits by it: of each of its sessions there is a later entry, or its row says
// what the entry does. Whoever has stopped to beat is folded for that, too, so that the log stays short.
//
// It knows session ids and times, and no persons, tokens or pages. Who may beat quietly is decided by
// [Log.Quiet], what the rows do not say yet is added where sessions are read by [Log.Overlay].
//
// # What an entry rests on
//
// An entry of the log is about one session: the time of the heartbeat, the age of its input, and the end
// of the session by it. It also has its base: last_activity_at of the session's row, as it was in the
// transaction that logged it. A quiet heartbeat is later than its base. An entry counts exactly while
// the row still has its base, and only the latest entry of a session can:
//
//   - Whatever writes another last_activity_at (a heartbeat that is written at once, a fold, the cleanup,
//     a new login with the same token, somebody in the sqlite3 shell) has thereby said more than the
//     entry, which from then on counts for nothing: nobody has to find and remove it.
//   - A fold writes the entry's times where the row has its base. To do it twice, or after a crash
//     once more, changes nothing. A write that is undone has undone the fold in it, too.
//   - Where the clock was set back, a write may bring back the very base of an older entry: [Log.Wrote].
//   - What ends a session leaves its last_activity_at alone. The entry counts, and is folded, as it is
//     true of the row that has ended as well.
//
// So nothing but the rows and the log, both in one database, decides what holds after a kill between any
// two commits, and the memory of a [Log] is what reading the log again would make.
//
// # When a heartbeat may be quiet
//
// Questions about who is online, logged in, idle, or the one that was active last, are asked in SQL, of
// rows. A heartbeat may be quiet only if they answer, for as long as it waits, as if it had been written:
//
//   - Its session is active, not expired, was heard of before, and has not said goodbye; the page is the
//     same, and it is idle exactly if it was. All of these are decided by columns that are then as they
//     would be, or (is_active) that no heartbeat writes.
//   - The session stays online by its row: last_activity_at and the online window reach farther than the
//     next visit, which is a lap away at most. The entry's own time lies later still. It stays logged in likewise,
//     by expires_at. At each visit this holds for the next one, or the session is folded. So it holds for as long as
//     the entry waits, and for those that follow it and have the same base: these ask for the margin only.
//     Visits may be late, and the clock may step: what decides is [Log.Settle]. As soon as a question is asked as of
//     a time at which a row that waits would answer otherwise, it is folded first. That goes by bounds: the earliest
//     last_activity_at and expires_at of all rows of a segment that wait. They take in each entry as it is committed, and
//     leave it out only when a visit, which looks at all that waits then, finds that it does no more. The rule demands a
//     margin for steps of the clock too small to be noticed, so that there is something to settle only where the clock
//     jumps, where the question is about the past, or after a stop.
//   - No other active session of the person had its latest input between this session's inputs of before
//     and now: the person is shown by the same session. The inputs of the others are those of their
//     entries, where these count.
//
// Where the order of activity decides about a session (which one makes room for a login too many), and
// before a heartbeat of the person that is not quiet, the person's entries are folded in the same
// transaction: [Log.FoldIn]. That the last activity is later than the row's is seen in three places only:
// where sessions are read (the overlay), where a list is in its order ([Log.First], [Log.ByBlock]: a fold moves nobody
// from one page to another), and by whoever reads the database with other programs.
//
// # When the row is not looked at
//
// The row that a heartbeat rests on is read for it, unless it is known ([Log.Known]): the session's heartbeat before was
// quiet and said the same, its token, browser and page (its [Print]); its person had no other active session then; and
// nothing but folds was written of the row since. What is written SQLite tells, row by row, also where a trigger or a
// cascade does it ([sqldb.DB.WatchRows]). Where another process has written, nothing is known any more
// ([sqldb.Tx.OthersWrote]). A login, which gives a person another session, says so by itself ([Log.Forget]). A
// write that is undone after that has a row be read once more than needed, and nothing else.
package beats
