package store

import (
	"context"
	"errors"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Login is a login as an application's back end reports it.
type Login struct {
	User          UserInput
	Token         string // the application's own; "" to have one minted
	PreviousToken string // whose place Token takes; "" for none
	SessionKey    string // the application's own name for the session, which stays while tokens change; "" for none

	// After how long a session that somebody ended may begin anew, where nothing tells when a person has signed in anew.
	// One that its application ended may at once. 0: never.
	ReopenAfter time.Duration
	Origin
}

// LoginResult is the session that a login led to.
type LoginResult struct {
	Session
	Token   string  // where it was minted here
	Created bool    // false when the same session was reported before
	Evicted []int64 // sessions that ended for it: by SessionLimit, or because it has their token or key now

	// What speaks against the login. It is recorded all the same: whoever is in counts, whether or
	// not they should be. See MayLogin for asking before.
	Draining     *DrainingError // nobody is to log in now
	TakenOver    bool           // the token or the key was of another user's session until now, which has ended
	OverLimit    bool           // there are more sessions than may be, and none is to make room
	AccessCapped bool           // the access that was reported is more than by may grant, and was left as it is
}

// maxSessionKey is the longest name of a session, in bytes.
const maxSessionKey = 500

func (in Login) check() error {
	if err := in.User.check(); err != nil {
		return err
	}
	if in.Token != "" {
		if err := checkToken(in.Token); err != nil {
			return err
		}
	}
	if len(in.SessionKey) > maxSessionKey {
		return sqldb.Invalid("session_key must have at most 500 bytes")
	}
	if in.Token == "" && in.PreviousToken != "" {
		return sqldb.Invalid("previous_token goes with session_token, the token that takes its place: send both, or neither")
	}
	return nil
}

// Login records that somebody is logged in to by's app, and stores the user. Of the same key, or
// the same token, it is the same session, whose token is the reported one from now on. A session
// that ran out of time begins anew; so does one whose token somebody else has now, and theirs ends.
// [EndedError] of a session that somebody ended: it must not come back. ErrTokenTaken of a token
// that another app uses.
func (s *Store) Login(ctx context.Context, now time.Time, by By, in Login) (LoginResult, error) {
	if err := in.check(); err != nil {
		return LoginResult{}, err
	}
	minted := ""
	if in.Token == "" {
		minted = newSecret(sessionPrefix)
		in.Token = minted
	}
	var result LoginResult
	known := []int64{s.pageID(s.tokenRef(in.Token)), s.pageID(s.tokenRef(in.PreviousToken)), s.reportID(by.App, in.User.ID)}
	s.settle(ctx, now)
	err := s.write(ctx, func(t *tx) (err error) {
		if err := t.forgetUnidentified(known...); err != nil {
			return sqldb.Wrap("forgetting that somebody was on no record", err)
		}
		l := login{tx: t, result: &result, s: s, m: s.at(now), by: by, in: in, user: by.Key(in.User.ID), minted: minted != "", token: s.tokenRef(in.Token), key: keyDigest(by.App, in.SessionKey)}
		result = LoginResult{Token: minted}
		if result.AccessCapped, err = l.putUser(now); err != nil {
			return err
		}
		if err = s.foldUser(t.Tx, l.user); err == nil { // a login changes the places of the others
			err = l.record()
		}
		return err
	})
	if err != nil {
		return LoginResult{}, err
	}
	s.doubted.forgetAll(known...)
	return result, nil
}

// login is a report that is being recorded.
type login struct {
	*tx
	result *LoginResult
	s      *Store
	m      presence.Cutoffs
	by     By
	in     Login
	user   string // key
	minted bool   // the token
	token  tokenRef
	key    []byte
}

// putUser stores the user, without an access that by may not grant.
func (l login) putUser(now time.Time) (capped bool, err error) {
	err = l.tx.putUser(now, l.by, l.in.User)
	if !errors.Is(err, ErrForbidden) {
		return false, err
	}
	user := l.in.User
	user.Access = nil
	return true, l.tx.putUser(now, l.by, user)
}

// record goes on with the session that was reported before, or begins one.
func (l login) record() error {
	was, err := l.find()
	if err != nil {
		return err
	}
	if was.isActive() && was.user == l.user {
		l.result.Session = Session{ID: was.id, App: was.app, ExpiresAt: sqldb.Time(was.expires)}
		return l.goOn(was)
	}
	if was.reason.BySomebody() && was.user == l.user && !l.reopens(was) {
		return &EndedError{Reason: was.reason}
	}
	if was.isActive() { // somebody else logged in with it
		err = l.endReplaced(was)
	} else { // no clock that is set back brings it back beside the new one
		err = l.endExpired(was.id)
	}
	if err != nil {
		return sqldb.Wrap("ending the session before", err)
	}
	if l.result.Session, err = l.s.begin(l.tx, l.m, l.by, l.in, l.token, l.key); err != nil {
		return err
	}
	l.result.Created = true
	var access Access
	var role string
	if err := l.Scan([]any{&access, &role}, `SELECT access, role FROM users WHERE id = $1`, l.user); err != nil {
		return sqldb.Wrap("reading a user's access and role", err)
	}
	if err := l.recordAccess(access); err != nil {
		return err
	}
	return l.judge(role)
}

// reopens tells whether a session that somebody ended may begin anew by this report. While the clock is behind the end, it
// may not.
func (l login) reopens(was reported) bool {
	return l.in.ReopenAfter > 0 && (was.reason == presence.EndLogout || l.m.Now-was.ended >= l.in.ReopenAfter.Milliseconds())
}

// recordAccess records who let somebody in who may do more than to be there.
func (l login) recordAccess(access Access) error {
	if access = min(access, l.by.Grant); access == AccessNone {
		return nil
	}
	return l.tx.record(sqldb.Time(l.m.Now), AuditEvent{Actor: l.by.Actor, Action: "session.begin", Target: UserActor(l.user),
		Detail: "access " + access.String() + " in " + l.by.App})
}

// find returns the session that the report is about, if there is one: of its key, else of its
// token, else of the token before. What the token found until now ends where the key finds another.
func (l login) find() (reported, error) {
	holder, err := ofToken(l.Scan, l.m, l.token)
	if err != nil {
		return reported{}, err
	}
	if holder.id != 0 && holder.app != l.by.App {
		return reported{}, ErrTokenTaken
	}
	named, err := ofKey(l.Scan, l.m, l.key)
	switch {
	case err != nil:
		return reported{}, err
	case named.id != 0 && holder.id != 0 && named.id != holder.id:
		if holder.isActive() {
			err = l.endReplaced(holder)
		}
		return named, err
	case named.id != 0:
		return named, nil
	case holder.id != 0 || l.in.PreviousToken == "":
		return holder, nil
	}
	before, err := ofToken(l.Scan, l.m, l.s.tokenRef(l.in.PreviousToken))
	if before.app != l.by.App { // of another app: as if it were unknown
		return reported{}, err
	}
	return before, err
}

// goOn keeps what the report says of a session that goes on. It is the reporting key's from now on, with no more access
// than both of them may grant.
func (l login) goOn(was reported) error {
	if l.by.KeyID != 0 {
		_, err := l.Exec(`
			UPDATE user_sessions SET key_id = $2, max_access = CASE WHEN $3 = 'admin' OR max_access = 'none' THEN max_access ELSE $3 END
			WHERE id = $1 AND key_id IS DISTINCT FROM $2`, was.id, l.by.KeyID, l.by.Grant)
		if err != nil {
			return sqldb.Wrap("noting who reports a session", err)
		}
	}
	if l.key != nil {
		_, err := l.Exec(`UPDATE user_sessions SET session_key_sha256 = $2 WHERE id = $1 AND session_key_sha256 IS DISTINCT FROM $2`, was.id, l.key)
		if err != nil {
			return sqldb.Wrap("naming a session", err)
		}
	}
	if l.minted { // for one more page: those that are open keep theirs
		until := l.m.Now + l.s.rules.SessionTTL.Milliseconds()
		return l.alias(l.token, was.id, &until)
	}
	if was.replaced || string(was.digest) == string(l.token.digest) {
		return nil
	}
	return l.setToken(l.m, l.s.rules, was, l.token)
}

// endReplaced ends a session whose token, or name, is another's now.
func (l login) endReplaced(was reported) error {
	l.result.Evicted = append(l.result.Evicted, was.id)
	l.result.TakenOver = l.result.TakenOver || was.user != l.user
	_, err := l.end(l.m, Ending{Reason: presence.EndLogout}, `id = $6`, was.id)
	return err
}

// judge finds what speaks against a login that has just been recorded.
func (l login) judge(role string) error {
	err := keepsOut(l.Scan, role)
	if err != nil && !errors.As(err, &l.result.Draining) {
		return err
	}
	if l.s.limit.Sessions == 0 {
		return nil
	}
	evicted, err := l.enforceLimit(l.m, l.s.limit, l.user, l.result.Session)
	l.result.Evicted = append(l.result.Evicted, evicted...)
	if errors.Is(err, ErrSessionLimit) {
		l.result.OverLimit, err = true, nil
	}
	return err
}

// begin inserts a session. Where its token began another one it is found by session_tokens.
func (s *Store) begin(t *tx, m presence.Cutoffs, by By, in Login, token tokenRef, key []byte) (Session, error) {
	session := Session{ID: token.id, App: by.App, ExpiresAt: sqldb.Time(m.Now).Add(s.rules.SessionTTL)}
	var taken bool
	err := t.Scan([]any{&taken}, `
		SELECT EXISTS (SELECT 1 FROM user_sessions WHERE id = $1) OR EXISTS (SELECT 1 FROM session_tokens WHERE id = $1)`, token.id)
	if err != nil {
		return session, sqldb.Wrap("looking for a token", err)
	}
	if taken {
		session.ID = newID()
	}
	o := in.Origin.clipped()
	agent, err := t.userAgent(o)
	if err != nil {
		return session, err
	}
	_, err = t.Exec(`
		INSERT INTO user_sessions (id, user_id, organization_id, app, token_sha256, max_access,
			ip_address, location, last_activity_at, created_at, expires_at, session_key_sha256, key_id, user_agent_id)
		SELECT $1, id, organization_id, $3, $4, $5, $6, $7, $8, $8, $9, $10, CAST($11 AS BIGINT), CAST($12 AS BIGINT) FROM users WHERE id = $2`,
		session.ID, by.Key(in.User.ID), by.App, token.digest, by.Grant,
		o.IPAddress, o.Location, m.Now, session.ExpiresAt.UnixMilli(), key, optionalID(by.KeyID), agent)
	if err == nil && taken {
		err = t.alias(token, session.ID, nil)
	}
	if err == nil {
		err = s.beats.Wrote(t.Tx, session.ID, m.Now)
	}
	if err == nil {
		err = s.forgetRows(t.Tx, by.Key(in.User.ID))
	}
	return session, sqldb.Wrap("storing a session", err)
}

// optionalID is nil in place of 0.
func optionalID(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
