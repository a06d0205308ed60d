package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Explanation is why a user is online, or is not.
type Explanation struct {
	OnlinePerson
	Claims []presence.Claim   // that hold now
	States []ExplainedSession // of the latest sessions, but for the panel's
}

// maxExplained bounds how many sessions are explained.
const maxExplained = 20

// ExplainedSession is a session with the rule that decides its state.
type ExplainedSession struct {
	OnlineSession
	LeavingAt *time.Time
	EndedAt   *time.Time
	EndReason presence.EndReason
	State     presence.SessionState
	Why       presence.Reason
	Next      *presence.NextState // nil where time alone changes nothing
}

// Explain tells why a user is online at now, or is not. ErrNotFound for an
// unknown key.
func (s *Store) Explain(ctx context.Context, now time.Time, user string) (Explanation, error) {
	var e Explanation
	err := s.snapshot(ctx, now, func(look *sql.Tx, m presence.Cutoffs) (err error) {
		e, err = s.explain(ctx, look, m, user)
		return err
	})
	return e, sqldb.Wrap("explaining a status", err)
}

func (s *Store) explain(ctx context.Context, look *sql.Tx, m presence.Cutoffs, user string) (Explanation, error) {
	people, err := s.people(ctx, look, m, []string{user})
	if err == nil && len(people) == 0 {
		err = sqldb.ErrNotFound
	}
	if err != nil {
		return Explanation{}, err
	}
	claims, err := s.claims(ctx, look, m, []string{user})
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{OnlinePerson: people[0], Claims: claims[user]}
	err = sqldb.Each(ctx, look, func(rows *sql.Rows) error {
		session, st, err := s.scanExplained(rows)
		session.State = s.rules.State(st, m)
		session.Why = s.rules.Why(session.State, st, m)
		session.Next = s.rules.Next(session.State, st, m)
		e.States = append(e.States, session)
		return err
	}, `
		SELECT `+sessionColumns+`, s.heard, s.leaving_at, s.ended_at, COALESCE(s.end_reason, '')
		FROM user_sessions s`+agentJoin+` WHERE s.user_id = $1 AND s.app <> $2
		ORDER BY s.is_active DESC, s.last_activity_at DESC, s.id DESC LIMIT $3`, user, presence.PanelApp, maxExplained)
	slices.SortStableFunc(e.States, func(a, b ExplainedSession) int {
		if (a.EndedAt == nil) != (b.EndedAt == nil) {
			return 0
		}
		return latestFirst(a.OnlineSession, b.OnlineSession)
	})
	return e, sqldb.Wrap("explaining a user's sessions", err)
}

// scanExplained reads a session's columns, its times, and further columns into more.
func (s *Store) scanExplained(rows *sql.Rows, more ...any) (e ExplainedSession, st presence.SessionTimes, err error) {
	e.OnlineSession, err = s.scanSession(rows, append([]any{&st.Heard, &st.Leaving, &st.Ended, &st.Reason}, more...)...)
	st.Activity, st.Expires = e.LastActivity.UnixMilli(), e.ExpiresAt.UnixMilli()
	e.LeavingAt, e.EndedAt, e.EndReason = sqldb.OptionalTime(st.Leaving), sqldb.OptionalTime(st.Ended), st.Reason
	return e, st, err
}
