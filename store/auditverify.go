package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall/store/auditchain"
	"rollcall/store/sqldb"
)

// Actions of the audit log that say what is no longer in it.
const (
	auditErase = "user.erase"
	auditPurge = "audit.purge"
)

// AuditHead is an entry of the audit log with its hash, which is about all entries up to it: kept elsewhere it shows
// later whether they are still the same.
type AuditHead struct {
	ID   int64
	Hash string // in hexadecimal
}

// String is a head as an operator keeps it.
func (h AuditHead) String() string { return fmt.Sprintf("%d:%s", h.ID, h.Hash) }

// ParseAuditHead reads what String writes.
func ParseAuditHead(text string) (h AuditHead, err error) {
	_, err = fmt.Sscanf(text, "%d:%s", &h.ID, &h.Hash)
	if raw, badHex := hex.DecodeString(h.Hash); err != nil || badHex != nil || len(raw) != 32 || h.ID < 1 {
		return AuditHead{}, sqldb.Invalid("a head is the number of an entry, a colon and 64 hexadecimal digits")
	}
	return h, nil
}

// AuditVerdict is what became of the audit log.
type AuditVerdict struct {
	Entries int64
	Head    AuditHead // the newest; zero without one
	Broken  []AuditBreak
}

// AuditBreak is a place at which the log is not as the program wrote it.
type AuditBreak struct {
	Entry int64
	At    time.Time // that the entry says; zero where there is none
	Words string
}

// maxBreaks is how many breaks are told: from one on, all may be somebody's.
const maxBreaks = 10

// VerifyAudit reads all of the audit log and tells where its chain of hashes breaks: where somebody changed, removed or
// added an entry behind the program's back. known are heads that were kept elsewhere. It can not tell of somebody who made
// all hashes anew, unless by such a head.
func (s *Store) VerifyAudit(ctx context.Context, known ...AuditHead) (AuditVerdict, error) {
	v := auditVerifier{known: known, erased: map[string]int64{}, erasures: map[string]int64{}}
	err := s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		err := sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var e auditchain.Entry
			var l auditchain.Link
			var erased string
			err := rows.Scan(&e.ID, &e.At, &e.Action, &e.Actor, &e.Target, &e.Detail, &e.Words, &l.Salt, &l.Content, &l.Chain, &erased)
			if err == nil {
				v.add(e, l, erased)
			}
			return err
		}, `SELECT id, at, action, actor, target, detail, words, salt, content_sha256, chain_sha256, erased FROM audit ORDER BY id`)
		if err != nil {
			return err
		}
		return look.QueryRowContext(ctx, `SELECT COALESCE((SELECT value FROM settings WHERE name = 'audit_last'), 0)`).Scan(&v.newest)
	})
	if err != nil {
		return AuditVerdict{}, sqldb.Wrap("reading the audit log", err)
	}
	v.finish()
	return v.AuditVerdict, nil
}

// auditVerifier goes through the log from its oldest entry to its newest.
type auditVerifier struct {
	AuditVerdict
	known            []AuditHead
	newest           int64 // that there should be
	first, begins    int64 // the oldest there is, and where an entry says that it begins
	before           []byte
	erased, erasures map[string]int64 // entries that were changed, by pseudonym; and how many an erasure changed
}

func (v *auditVerifier) add(e auditchain.Entry, l auditchain.Link, erased string) {
	v.Entries++
	if v.first == 0 {
		v.first = e.ID
	}
	switch next := v.Head.ID + 1; {
	case v.Entries > 1 && e.ID != next:
		v.tell(e, fmt.Sprintf("the entries from %d to %d are missing", next, e.ID-1))
	case l.Chain == nil:
		v.tell(e, "it was not written by this program")
	case (v.Entries > 1 || e.ID == 1) && !l.Follows(v.before, e):
		v.tell(e, "it, or one before it, was changed or replaced")
	case l.Salt != nil && !l.Holds(e):
		v.tell(e, "who, whom or what it says was changed")
	case l.Salt == nil && erased == "":
		v.tell(e, "something was taken out of it, and not by erasing a person")
	}
	for _, pseudonym := range strings.Split(strings.TrimSuffix(erased, ","), ",") {
		if pseudonym != "" {
			v.erased[pseudonym]++
		}
	}
	v.before, v.Head = l.Chain, AuditHead{ID: e.ID, Hash: hex.EncodeToString(l.Chain)}
	v.note(e)
	for _, head := range v.known {
		if head.ID == e.ID && head.Hash != v.Head.Hash {
			v.tell(e, "its hash is not the one that was kept")
		}
	}
}

// note remembers what an entry says of others that are gone or changed.
func (v *auditVerifier) note(e auditchain.Entry) {
	var n int64
	switch e.Action {
	case auditPurge:
		if _, err := fmt.Sscanf(e.Detail, "up to entry %d", &n); err == nil {
			v.begins = max(v.begins, n+1)
		}
	case auditchain.Begun:
		if _, err := fmt.Sscanf(e.Detail, "from entry %d", &n); err == nil {
			v.begins = max(v.begins, n)
		}
	case auditErase:
		_, counted, _ := strings.Cut(e.Detail, "; ")
		if _, err := fmt.Sscanf(counted, "%d entries", &n); err == nil {
			v.erasures[strings.TrimPrefix(e.Target, ActorErased+":")] += n
		}
	}
}

// finish looks at what only the whole log tells.
func (v *auditVerifier) finish() {
	none := auditchain.Entry{}
	if v.first > max(v.begins, 1) {
		v.tell(none, fmt.Sprintf("the entries before %d are missing, and no cleanup removed them", v.first))
	}
	if v.newest > v.Head.ID {
		v.tell(none, fmt.Sprintf("the entries from %d to %d are missing", v.Head.ID+1, v.newest))
	}
	for _, pseudonym := range slices.Sorted(maps.Keys(v.erased)) {
		if changed, said := v.erased[pseudonym], v.erasures[pseudonym]; changed > said {
			v.tell(none, fmt.Sprintf("%d entries say that a person was taken out of them; erasing that person changed %d", changed, said))
		}
	}
	for _, head := range v.known {
		if head.ID > v.Head.ID {
			v.tell(none, fmt.Sprintf("entry %d, of which the hash was kept, is missing", head.ID))
		}
	}
}

func (v *auditVerifier) tell(e auditchain.Entry, words string) {
	if len(v.Broken) >= maxBreaks {
		return
	}
	b := AuditBreak{Entry: e.ID, Words: words}
	if e.ID != 0 {
		b.At = sqldb.Time(e.At)
	}
	v.Broken = append(v.Broken, b)
}
