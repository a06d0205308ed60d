package beats

import (
	"hash/maphash"

	"rollcall/store/sqldb"
)

// Print is what a heartbeat says of whose it is and where, but for times: a hash that is 0 for none.
type Print uint64

// PrintOf returns the print of a heartbeat. Its token, by its digest, is in it with 63 bits of the session's id beside.
func (l *Log) PrintOf(digest []byte, client, page string) Print {
	var h maphash.Hash
	h.SetSeed(l.seed)
	_, _ = h.Write(digest)
	_, _ = h.WriteString(client)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(page)
	return Print(h.Sum64() | 1)
}

// CheckOthers is to be called first in a transaction that asks for known rows: nothing is known of them any more where
// another process has written.
func (l *Log) CheckOthers(t *sqldb.Tx) error {
	others, err := t.OthersWrote()
	if others {
		l.seed = maphash.MakeSeed()
	}
	return err
}

// Known returns the row of a session as it is, without a look at it, where the session's last heartbeat was quiet, had
// this print, and was of somebody without another active session; and where nothing but heartbeats that were quiet has
// been written of them since.
func (l *Log) Known(session int64, print Print) (r Row, ok bool) {
	w, ok := l.entry(session)
	if !ok || w.print != print {
		return r, false
	}
	r = Row{Session: session, Activity: w.At, Idle: w.Idle, Expires: w.Expires, Active: true, Heard: true}
	if !w.isFolded() {
		r.Activity, r.Expires = w.Base, w.RowExpires
	}
	return r, true
}

// Forget has the rows of sessions be looked at for their next heartbeat: they are written, or their person gets another
// session. It is for the writer.
func (l *Log) Forget(session int64) {
	if l == nil || l.folding {
		return
	}
	if w, ok := l.staged.entries[session]; ok && w.print != 0 {
		w.print = 0
		l.staged.entries[session] = w
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if w, ok := l.entries.get(session); ok && w.print != 0 {
		w.print = 0
		l.entries.put(w)
	}
}
