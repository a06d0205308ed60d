// Package doctor finds out what is wrong with how a server is set up, and says what to do
// about it. It goes by what it can know: the disk, the database, the clock, and requests
// that did not get what they asked for. It repairs nothing.
package doctor

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"rollcall/server/api"
	"rollcall/server/authproxy"
	"rollcall/server/clock"
	"rollcall/server/origin"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Config is what a doctor needs to know.
type Config struct {
	Store    *store.Store
	Clock    *clock.Clock
	Recorded func() uint64 // heartbeats since the start
	Origin   origin.Resolver
	Pages    origin.Pages
	TLS      bool             // people reach the server by https
	Proxy    *authproxy.Proxy // that says who is logged in; nil: none does
	Log      zerolog.Logger   // is told of headers that somebody else sends
	Data     string           // folder of the database, "" where it is not to be looked at
	Database string           // address of the database, without a password; "" where it is a file
}

// Doctor knows a server and remembers for an hour what goes wrong without anybody here
// noticing: the page, the proxy or the back end that could tell stands elsewhere.
type Doctor struct {
	cfg Config

	proxies       topK[netip.Addr] // that say for whom they ask, and are not trusted
	origins       topK[string]     // of pages that ask as ours for other pages do, and are not allowed
	unknownTokens topK[string]     // origins of heartbeats whose token nobody has named; "" for none
	refusals      topK[Refusal]    // of heartbeats and of reports of logins
	silent        silentPages
	pretenders    topK[netip.Addr] // that say who is logged in, and are not trusted; by the address that connects
	vouched       atomic.Bool      // a trusted proxy has said who is logged in
	warnings      *rate.Limiter    // of pretenders in the log
}

// New returns a doctor who has seen nothing yet.
func New(cfg Config) *Doctor {
	return &Doctor{cfg: cfg, warnings: rate.NewLimiter(rate.Every(time.Minute), 1)}
}

// Examine tells what may be wrong with how the server is set up, as far as only the
// server can know. r is the request of whoever asks, by a key that is no application's,
// if any.
func (d *Doctor) Examine(r *http.Request, by *store.Key) ([]api.Finding, error) {
	now := d.cfg.Clock.Now()
	findings := []api.Finding{d.proxyFinding(r, now), d.schemeFinding(r), d.originsFinding(now), d.tokensFinding(now),
		d.reportsFinding(now), d.refusalsFinding(now), d.pagesFinding(now)}
	if d.cfg.Proxy != nil {
		findings = append(findings, d.authHeaderFinding(now))
	}
	known, err := d.databaseFindings(r.Context(), now, by)
	if errors.Is(err, sqldb.ErrDamaged) { // which is the finding
		known, err = []api.Finding{damaged(err.Error(), d.onData("rollcall restore BACKUP"))}, nil
	}
	if err != nil {
		return nil, err
	}
	findings = append(findings, known...)
	if d.cfg.Data != "" {
		findings = append(findings, DataChecks(d.cfg.Data)...)
	}
	return findings, nil
}

// databaseFindings tell what the database knows, and how it is.
func (d *Doctor) databaseFindings(ctx context.Context, now time.Time, by *store.Key) ([]api.Finding, error) {
	st, err := d.cfg.Store.Stats(ctx, now)
	if err != nil {
		return nil, err
	}
	logins, err := d.loginsFinding(ctx, by, st)
	if err != nil {
		return nil, err
	}
	heartbeats, err := d.heartbeatsFinding(ctx, now)
	if err != nil {
		return nil, err
	}
	audit, err := d.auditFinding(ctx)
	if err != nil {
		return nil, err
	}
	findings := []api.Finding{logins, heartbeats, d.cleanupFinding(now, st.LastCleanup), audit}
	for _, more := range []func(context.Context) ([]api.Finding, error){d.postgresFindings, d.fileFindings} {
		found, err := more(ctx)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

// cleanupLate is how old the last cleanup is when one must have failed: it should run every hour.
const cleanupLate = 3 * time.Hour

func (d *Doctor) cleanupFinding(now time.Time, last *store.CleanupRun) api.Finding {
	switch {
	case d.cfg.Clock.Skewed():
		return api.Fine("cleanup", "Waits: the clock was set a moment ago")
	case !d.cfg.Clock.Settled():
		return api.Fine("cleanup", "Waits until the clock has proved steady since the start")
	case last == nil:
		return api.Fine("cleanup", "Has not run yet")
	case now.Sub(last.At) > cleanupLate:
		return api.Problem("cleanup", "Expired sessions were last ended at "+when(last.At),
			"The server should do it every hour. Why it did not is in its log. To do it now, on its machine:",
			d.onData("rollcall cleanup"))
	}
	return api.Fine("cleanup", "Expired sessions were last ended at "+when(last.At))
}

// auditFinding tells whether the audit log is as it was written.
func (d *Doctor) auditFinding(ctx context.Context) (f api.Finding, err error) {
	verdict, err := d.cfg.Store.VerifyAudit(ctx)
	if err != nil || len(verdict.Broken) == 0 {
		return api.Fine("audit", "The audit log is as it was written"), err
	}
	first := verdict.Broken[0].Words
	if entry := verdict.Broken[0].Entry; entry != 0 {
		first = "entry " + strconv.FormatInt(entry, 10) + ": " + first
	}
	return api.Problem("audit", "Somebody changed the audit log behind Rollcall's back",
		"The first of it: "+first+". Who can write to the database can do so. All of it, on the server's machine:", d.onData("rollcall audit verify")), nil
}

// onData adds to a command the flag that names the data of this server, if it is known where that is.
func (d *Doctor) onData(command string) string {
	switch {
	case d.cfg.Database != "":
		return command + " --database " + InShell(d.cfg.Database)
	case d.cfg.Data != "":
		return command + " --data " + InShell(d.cfg.Data)
	}
	return command
}

// when writes a time as short as a line needs it.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// InShell quotes a word for a shell, where it needs that.
func InShell(word string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("/._-+:,@%=", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// loginsFinding tells whether any application has ever said who logs in.
func (d *Doctor) loginsFinding(ctx context.Context, asking *store.Key, st store.Stats) (f api.Finding, err error) {
	if st.Active+st.Expired+st.Ended > 0 {
		return api.Fine("logins", "Applications report them"), nil
	}
	if d.cfg.Proxy != nil {
		return api.Fine("logins", "The proxy says who is logged in"), nil
	}
	keys, err := d.cfg.Store.Keys(ctx)
	if err != nil {
		return f, err
	}
	for _, key := range keys {
		if key.Scopes.Has(store.ScopeSessions) && (asking == nil || key.ID != asking.ID) {
			return api.Warning("logins", "No application has reported one yet",
				"The back end has to report each login by POST /admin/sessions with its key: README, Start, step 1, or Integrate in the panel."), nil
		}
	}
	return api.Warning("logins", "No application has a key to report them by",
		"Make one for each, with the application's name, and go on with README, Start, step 1, or with Integrate in the panel:",
		d.onData("rollcall key create --app NAME --scope sessions")), nil
}

// heartbeatsFinding tells of applications whose people are there for a moment after each login only.
func (d *Doctor) heartbeatsFinding(ctx context.Context, now time.Time) (f api.Finding, err error) {
	apps, err := d.cfg.Store.LoginOnlyApps(ctx, now)
	if err != nil || len(apps) == 0 {
		return api.Fine("heartbeats", "No application reports logins only"), err
	}
	return api.Warning("heartbeats", strconv.Quote(apps[0])+more(len(apps))+" reports logins, and none of its pages has sent a heartbeat",
		"Its people count as online for "+presence.Plain(d.cfg.Store.Rules().LoginGrace())+" after a login: two of --heartbeat. "+
			"That is right for a program that logs in. Pages need the script: README, Start, step 2, or Integrate in the panel."), nil
}
