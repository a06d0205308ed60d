package server

import (
	"net/http"

	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

type noticesAnswer struct {
	success
	Notices []listedNotice `json:"notices"`
}

type noticeAnswer struct {
	success
	Notice listedNotice `json:"notice"`
}

// listedNotice is a notice as whoever made it wants to know of it.
type listedNotice struct {
	notice
	State string `json:"state"` // active, over or withdrawn
	Seen  int    `json:"seen"`
	Of    *int   `json:"of"` // null once it is over
}

type notice struct {
	ID           string            `json:"id"`
	Message      string            `json:"message"`
	Level        store.NoticeLevel `json:"level"`
	App          string            `json:"app"`
	Organization string            `json:"organization"`
	CreatedAt    string            `json:"created_at"`
	CreatedBy    string            `json:"created_by"`
	Until        *string           `json:"until"`
	WithdrawnAt  *string           `json:"withdrawn_at"`
}

func answerNotice(n store.Notice) notice {
	return notice{ID: formatID(n.ID), Message: n.Message, Level: n.Level, App: n.App, Organization: n.Organization,
		CreatedAt: timestamp(n.CreatedAt), CreatedBy: n.CreatedBy, Until: optional(n.Until), WithdrawnAt: optional(n.WithdrawnAt)}
}

func answerListedNotice(n store.ListedNotice) listedNotice {
	l := listedNotice{notice: answerNotice(n.Notice), State: "over", Seen: n.Seen}
	switch {
	case n.Active:
		l.State, l.Of = "active", &n.Of
	case n.WithdrawnAt != nil:
		l.State = "withdrawn"
	}
	return l
}

// notices lists what is announced, and what was.
func (s *Server) notices(r *http.Request) (any, error) {
	all, err := s.store.Notices(r.Context(), s.now())
	answer := &noticesAnswer{Notices: []listedNotice{}}
	for _, n := range all {
		answer.Notices = append(answer.Notices, answerListedNotice(n))
	}
	return answer, err
}

type noticeInput struct {
	Message      string            `json:"message"`
	Level        store.NoticeLevel `json:"level"`
	App          string            `json:"app"`
	Organization string            `json:"organization"`
	Until        *string           `json:"until"`  // RFC 3339
	ForMS        *int64            `json:"for_ms"` // for clients whose clock may be wrong
}

// postNotice announces something to the people who are online.
func (s *Server) postNotice(r *http.Request) (any, error) {
	var in noticeInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	now := s.now()
	until, err := web.Ahead(now, "until", in.Until, "for_ms", in.ForMS)
	if err != nil {
		return nil, err
	}
	if in.Level == "" {
		in.Level = store.LevelInfo
	}
	n, err := s.store.PostNotice(r.Context(), now, auth.CallerOf(r).Actor(), store.NoticeInput{
		Message: in.Message, Level: in.Level, App: in.App, Organization: in.Organization, Until: until})
	if err != nil {
		return nil, err
	}
	s.announce(r)
	all, err := s.store.Notices(r.Context(), now)
	if err != nil {
		return nil, err
	}
	answer := &noticeAnswer{Notice: answerListedNotice(store.ListedNotice{Notice: n})}
	for _, listed := range all {
		if listed.ID == n.ID {
			answer.Notice = answerListedNotice(listed)
		}
	}
	return web.Reply{Status: http.StatusCreated, Body: answer}, nil
}

// withdrawNotice takes a notice back. Saying it twice is no error.
func (s *Server) withdrawNotice(r *http.Request) (any, error) {
	id, ok := web.PathID(r)
	if !ok {
		return nil, store.ErrNotFound
	}
	err := s.store.WithdrawNotice(r.Context(), s.now(), auth.CallerOf(r).Actor(), id)
	if err == nil {
		s.announce(r)
	}
	return &success{}, err
}

// announce has the next heartbeat know what has just been stored. It is stored
// whatever becomes of this, and the board is read again within a second.
func (s *Server) announce(r *http.Request) {
	if err := s.live.announcements.refresh(r.Context(), s.now()); err != nil && !s.outage.Observe(err) {
		s.log.Error().Err(err).Msg("reading what there is to announce")
	}
}
