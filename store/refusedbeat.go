package store

import (
	"context"
	"strings"
	"time"
)

// RefusedHeartbeat is why somebody may be at work who is on no record: a heartbeat was refused before it
// was known whose it is.
const RefusedHeartbeat Doubt = "refused_heartbeat"

// RefusedBeat is a heartbeat that was refused.
type RefusedBeat struct {
	Token   string // "" where it is not known; a login by it has the heartbeat forgotten
	Client  string // that sent it; see [Beat]
	Network string // from which it came
	Code    string // of the refusal
	Origin  string // of its page, "" where it said none
}

// NoteRefusedHeartbeat notes that a page may be in use whose heartbeats are refused. Those of one token are one;
// without, those that come from one network and are refused for one reason.
func (s *Store) NoteRefusedHeartbeat(ctx context.Context, now time.Time, b RefusedBeat) error {
	ref := s.pageRef(b.Token, b.Client)
	if b.Token == "" {
		ref = doubtRef{id: s.tokenRef(strings.Join([]string{"heartbeat", b.Network, b.Code}, "\x00")).id}
	}
	return s.noteUnidentified(ctx, now, ref, unknownTokenFor,
		Unidentified{Doubt: RefusedHeartbeat, Detail: strings.TrimSpace(b.Code + " " + b.Origin)})
}
