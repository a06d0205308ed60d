package server

import (
	"net/http"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/store"
)

// doctor answers with what may be wrong with how this server is set up, as far as
// only the server can know.
func (s *Server) doctor(r *http.Request) (any, error) {
	now := s.now()
	apps, err := s.appsIn(r.Context(), now)
	if err != nil {
		return nil, err
	}
	st, err := s.store.Stats(r.Context(), now)
	if err != nil {
		return nil, err
	}
	logins, err := s.loginsFinding(r, st)
	if err != nil {
		return nil, err
	}
	backing, err := s.postgresFindings(r.Context())
	if err != nil {
		return nil, err
	}
	findings := []api.Finding{s.proxyFinding(r, now), s.schemeFinding(r), s.originsFinding(now), logins, s.tokensFinding(now),
		s.heartbeatsFinding(apps), s.addressesFinding(apps), s.cleanupFinding(now, st.LastCleanup)}
	findings = append(findings, backing...)
	if s.cfg.Data != "" {
		findings = append(findings, DataChecks(s.cfg.Data)...)
	}
	return api.Doctor{Findings: findings}, nil
}

// cleanupLate is when a cleanup that should run every hour must have failed.
const cleanupLate = 3 * time.Hour

func (s *Server) cleanupFinding(now time.Time, last *store.CleanupRun) api.Finding {
	switch {
	case s.clock.Skewed():
		return api.Fine("cleanup", "Waits: the clock was set a moment ago")
	case last == nil:
		return api.Fine("cleanup", "Has not run yet")
	case now.Sub(last.At) > cleanupLate:
		return api.Problem("cleanup", "Expired sessions were last ended at "+when(last.At),
			`The server should do it every hour. Why it did not is in its log, as "job failed". To do it now, on its machine:`,
			s.onData("rollcall cleanup"))
	}
	return api.Fine("cleanup", "Expired sessions were last ended at "+when(last.At))
}

// onData is a command on the same data, where it is known where that is.
func (s *Server) onData(command string) string {
	switch {
	case s.cfg.Database != "":
		return command + " --database " + InShell(s.cfg.Database)
	case s.cfg.Data != "":
		return command + " --data " + InShell(s.cfg.Data)
	}
	return command
}

// when is a time as a line has room for it.
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
func (s *Server) loginsFinding(r *http.Request, st store.Stats) (f api.Finding, err error) {
	if st.Active+st.Expired+st.Ended > 0 {
		return api.Fine("logins", "Applications report them"), nil
	}
	keys, err := s.store.Keys(r.Context())
	if err != nil {
		return f, err
	}
	asking := auth.CallerOf(r).Key // is no application's
	for _, key := range keys {
		if key.Scopes.Has(store.ScopeSessions) && (asking == nil || key.ID != asking.ID) {
			return api.Warning("logins", "No application has reported one yet",
				"The back end has to report each login by POST /admin/sessions with its key: README, Start, step 1, or Integrate in the panel."), nil
		}
	}
	return api.Warning("logins", "No application has a key to report them by",
		"Make one for each, with the application's name, and go on with README, Start, step 1, or with Integrate in the panel:",
		s.onData("rollcall key create --app NAME --scope sessions")), nil
}
