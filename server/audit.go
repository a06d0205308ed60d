package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

// audit lists who did what, as JSON or as a file.
func (s *Server) audit(r *http.Request) (any, error) {
	q, err := web.Query(r.URL.RawQuery, "actor", "action", "target", "from", "to", "q", "limit", "cursor", "format")
	if err != nil {
		return nil, err
	}
	filter, err := auditFilter(q)
	if err == nil {
		err = s.nameUsers(r.Context(), &filter.Actor, &filter.Target)
	}
	if err != nil {
		return nil, err
	}
	asFile, err := web.WantsCSV(r, q.Get("format"))
	if err != nil {
		return nil, err
	}
	if asFile {
		return s.auditFile(r, q, filter)
	}
	page, err := s.store.Audit(r.Context(), filter)
	answer := api.Audit{Entries: []api.AuditEntry{}, NextCursor: page.Next}
	for _, entry := range page.Entries {
		answer.Entries = append(answer.Entries, api.AuditEntryOf(entry))
	}
	return answer, err
}

func auditFilter(q url.Values) (f store.AuditFilter, err error) {
	f = store.AuditFilter{Actor: q.Get("actor"), Action: q.Get("action"), Target: q.Get("target"), Search: q.Get("q"), Cursor: q.Get("cursor")}
	if f.Limit, err = web.Limit(q); err != nil {
		return f, err
	}
	if f.From, err = web.ParseTime("from", q.Get("from")); err != nil {
		return f, err
	}
	f.To, err = web.ParseTime("to", q.Get("to"))
	return f, err
}

// nameUsers has actors and targets that are users, by the id or by directory and id, as the audit log has them.
func (s *Server) nameUsers(ctx context.Context, who ...*string) error {
	for _, one := range who {
		id, isUser := strings.CutPrefix(*one, store.UserActor(""))
		if !isUser {
			continue
		}
		key, err := s.userKey(ctx, id, "", "")
		if err != nil {
			return err
		}
		*one = store.UserActor(key)
	}
	return nil
}

var auditColumns = []string{"id", "at", "actor", "actor_name", "action", "target", "target_name", "detail"}

func (s *Server) auditFile(r *http.Request, q url.Values, f store.AuditFilter) (any, error) {
	if err := web.WholeFile(q); err != nil {
		return nil, err
	}
	f.Limit = web.MaxLimit
	s.recorded(r, store.AuditEvent{Action: "audit.export"})
	return web.Sheet(r, s.now(), "audit", auditColumns, func(ctx context.Context) (rows [][]string, more bool, err error) {
		page, err := s.store.Audit(ctx, f)
		for _, entry := range page.Entries {
			e := api.AuditEntryOf(entry)
			rows = append(rows, []string{e.ID, e.At.String(), e.Actor, e.ActorName, e.Action, e.Target, e.TargetName, e.Detail})
		}
		f.Cursor = page.Next
		return rows, page.Next != "", err
	})
}

const (
	auditPatience = time.Second      // how long an answer waits for its entry in the audit log
	auditTimeout  = 10 * time.Second // how long that may take to be written
)

// recorded records what the caller does that changes nothing, once an hour, like viewed.
func (s *Server) recorded(r *http.Request, event store.AuditEvent) {
	now := s.now()
	event.Actor = auth.CallerOf(r).Actor()
	waitBriefly(s.auditAsync(r.Context(), func(ctx context.Context) error { return s.store.RecordOncePerHour(ctx, now, event) }))
}

// refused records that a known caller asked for what they may not: once an hour each, and no more than so many of all.
func (s *Server) refused(r *http.Request, route route) {
	if now := s.now(); s.refusals.AllowN(now, 1) {
		event := store.AuditEvent{Actor: auth.CallerOf(r).Actor(), Action: "access.refused", Detail: route.method + " " + route.path}
		s.auditAsync(r.Context(), func(ctx context.Context) error { return s.store.RecordOncePerHour(ctx, now, event) })
	}
}

// viewed records that the caller looks at a user. The answer does not depend on that: it
// comes on a full disk, too, and without a long wait.
func (s *Server) viewed(r *http.Request, user string) {
	actor, now := auth.CallerOf(r).Actor(), s.now()
	waitBriefly(s.auditAsync(r.Context(), func(ctx context.Context) error { return s.store.RecordView(ctx, now, actor, user) }))
}

// waitBriefly waits for something to be done, but not for long.
func waitBriefly(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(auditPatience):
	}
}

// auditAsync writes into the audit log beside an answer, and closes the channel when
// that is done.
func (s *Server) auditAsync(ctx context.Context, write func(context.Context) error) <-chan struct{} {
	done := make(chan struct{})
	s.auditWrites.Go(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout) // the answer may be there before
		defer cancel()
		if err := write(ctx); err != nil && !s.troubles.Observe(err) {
			s.log.Error().Err(err).Msg("writing the audit log")
		}
	})
	return done
}
