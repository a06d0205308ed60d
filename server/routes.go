package server

import (
	"net/http"
	"time"

	"rollcall/server/assets"
	"rollcall/server/auth"
	"rollcall/server/web"
)

// A route is one line of the API. Exactly one of answer and serve is set.
type route struct {
	method, path string
	who          auth.Audience
	answer       web.Handler   // JSON
	serve        http.Handler  // pages and files
	takes        time.Duration // until answered, where that may be longer than web.WriteTimeout

	refused func(*http.Request, error) // is told of who was not let in; may be nil
}

// EraseTime is how long erasing somebody may take: all of the database is written anew.
const EraseTime = 10 * time.Minute

const heartbeatPath = "/admin/users/heartbeat"

// routes is the whole API, by who may call.
func (s *Server) routes() []route {
	return []route{
		{method: "GET", path: "/healthz", who: auth.Anyone, answer: s.healthz},
		{method: "GET", path: "/readyz", who: auth.Anyone, answer: s.readyz},
		{method: "GET", path: "/openapi.yaml", who: auth.Anyone, serve: assets.Document("openapi.yaml", openAPI)},
		{method: "GET", path: "/docs", who: auth.Anyone, serve: s.page("docs/docs.html", s.needsNothing)},
		{method: "GET", path: "/heartbeat.js", who: auth.Anyone, serve: s.doctor.Loaded(s.assets.Script("built/heartbeat.js"))},
		{method: "GET", path: "/heartbeat-notices.js", who: auth.Anyone, serve: s.assets.Script("built/heartbeat-notices.js")},
		{method: "GET", path: "/heartbeat-live.js", who: auth.Anyone, serve: s.assets.Script("built/heartbeat-live.js")},
		{method: "GET", path: "/heartbeat-renew.js", who: auth.Anyone, serve: s.assets.Script("built/heartbeat-renew.js")},
		{method: "GET", path: "/heartbeat-status.js", who: auth.Anyone, serve: s.assets.Script("built/heartbeat-status.js")},
		{method: "GET", path: "/heartbeat-explain.js", who: auth.Anyone, serve: s.assets.Script("built/heartbeat-explain.js")},
		{method: "GET", path: "/heartbeat-source.js", who: auth.Anyone, serve: s.assets.Script("built/heartbeat-source.js")},
		{method: "GET", path: "/rollcall.mjs", who: auth.Anyone, serve: s.assets.Script("built/rollcall.mjs")},
		{method: "GET", path: "/rollcall.d.mts", who: auth.Anyone, serve: s.assets.Script("built/rollcall.d.mts")},
		{method: "GET", path: "/online-users-panel.js", who: auth.Anyone, serve: s.assets.Script("built/online-users-panel.js")},
		{method: "GET", path: "/online-users-badge.js", who: auth.Anyone, serve: s.assets.Script("built/online-users-badge.js")},
		{method: "GET", path: "/static/{version}/{file:.+}", who: auth.Anyone, serve: s.assets.Static(s.respond.Always(web.NothingHere))},
		{method: "GET", path: "/clients/{framework}/{file}", who: auth.Anyone, serve: s.assets.Clients(s.respond.Always(web.NothingHere))},
		{method: "GET", path: "/login", who: auth.Anyone, serve: s.page("auth/login.html", s.needsNoSignIn)},
		{method: "GET", path: "/setup", who: auth.Anyone, serve: s.page("auth/setup.html", s.needsNoAccounts)},
		{method: "POST", path: "/setup", who: auth.Anyone, answer: s.setup},
		{method: "POST", path: "/auth/login", who: auth.Anyone, answer: s.login},
		{method: "GET", path: "/password", who: auth.Anyone, serve: s.page("auth/choose-password.html", s.needsAccounts)},
		{method: "POST", path: "/auth/link", who: auth.Anyone, answer: s.linkedAccount},
		{method: "POST", path: "/auth/link/password", who: auth.Anyone, answer: s.choosePassword},
		{method: "POST", path: "/auth/logout", who: auth.Anyone, answer: s.logout},
		{method: "POST", path: heartbeatPath, who: auth.Anyone, answer: s.heartbeat}, // the token may stand in the body

		{method: "GET", path: "/auth/me", who: auth.People, answer: s.me},
		{method: "GET", path: "/auth/account", who: auth.People, answer: s.ownAccount}, // of the panel, as are those below
		{method: "POST", path: "/auth/password", who: auth.People, answer: s.changePassword},
		{method: "POST", path: "/auth/totp", who: auth.People, answer: s.beginTOTP},
		{method: "POST", path: "/auth/totp/confirm", who: auth.People, answer: s.confirmTOTP},
		{method: "POST", path: "/auth/totp/remove", who: auth.People, answer: s.removeTOTP},
		{method: "GET", path: "/live", who: auth.People, serve: s.socket(auth.People, s.live.ServeOwn)}, // the token may come as first message

		{method: "PUT", path: "/admin/users/{id}/status", who: auth.Claimants, answer: s.setStatus},
		{method: "DELETE", path: "/admin/users/{id}/status", who: auth.Claimants, answer: s.clearStatus},

		{method: "GET", path: "/admin/drain", who: auth.ViewersAndBackends, answer: s.drain},

		{method: "GET", path: "/", who: auth.Viewers, serve: s.page("now/now.html", s.needsSignIn)},
		{method: "GET", path: "/integrate", who: auth.Viewers, serve: s.page("integrate/integrate.html", s.needsSignIn)},
		{method: "GET", path: "/sessions", who: auth.Viewers, serve: s.page("sessions/sessions.html", s.needsSignIn)},
		{method: "GET", path: "/deploy", who: auth.Viewers, serve: s.page("deploy/deploy.html", s.needsSignIn)},
		{method: "GET", path: "/history", who: auth.Viewers, serve: s.page("history/history.html", s.needsSignIn)},
		{method: "GET", path: "/settings", who: auth.Viewers, serve: s.page("settings/settings.html", s.needsSignIn)},
		{method: "GET", path: "/account", who: auth.Viewers, serve: s.page("account/account.html", s.needsSignIn)},
		{method: "GET", path: "/admin/users/online", who: auth.Viewers, answer: s.online},
		{method: "GET", path: "/admin/users/online/live", who: auth.Viewers, serve: s.socket(auth.Viewers, s.live.ServeList)}, // the token may come as first message
		{method: "GET", path: "/admin/users/{id}/explain", who: auth.Viewers, answer: s.explainUser},
		{method: "GET", path: "/admin/sessions", who: auth.Viewers, answer: s.sessions},
		{method: "GET", path: "/admin/stats", who: auth.Viewers, answer: s.stats},
		{method: "GET", path: "/admin/notices", who: auth.Viewers, answer: s.notices},
		{method: "GET", path: "/admin/gate", who: auth.Viewers, answer: s.gate},
		{method: "GET", path: "/admin/stats/activity", who: auth.Viewers, answer: s.activityOverTime},
		{method: "GET", path: "/admin/stats/heatmap", who: auth.Viewers, answer: s.heatmap},

		{method: "POST", path: "/admin/users/cleanup-sessions", who: auth.Admins, answer: s.cleanup},
		{method: "POST", path: "/admin/sessions/revoke", who: auth.Admins, answer: s.revokeSessions},
		{method: "DELETE", path: "/admin/sessions/{id}", who: auth.Admins, answer: s.revokeSession},
		{method: "POST", path: "/admin/notices", who: auth.Admins, answer: s.postNotice},
		{method: "DELETE", path: "/admin/notices/{id}", who: auth.Admins, answer: s.withdrawNotice},
		{method: "PUT", path: "/admin/drain", who: auth.Admins, answer: s.beginDrain},
		{method: "DELETE", path: "/admin/drain", who: auth.Admins, answer: s.endDrain},
		{method: "GET", path: "/admin/settings", who: auth.Admins, answer: s.settings},
		{method: "GET", path: "/admin/doctor", who: auth.Admins, answer: s.examine},
		{method: "GET", path: "/admin/users/{id}/export", who: auth.Admins, answer: s.exportUser},
		{method: "POST", path: "/admin/users/{id}/erase", who: auth.Admins, answer: s.eraseUser, takes: EraseTime},
		{method: "GET", path: "/admin/audit", who: auth.Admins, answer: s.audit},
		{method: "GET", path: "/admin/keys", who: auth.Admins, answer: s.keys},
		{method: "POST", path: "/admin/keys", who: auth.Admins, answer: s.createKey},
		{method: "DELETE", path: "/admin/keys/{id}", who: auth.Admins, answer: s.deleteKey},
		{method: "GET", path: "/admin/accounts", who: auth.Admins, answer: s.accounts},
		{method: "POST", path: "/admin/accounts", who: auth.Admins, answer: s.createAccount},
		{method: "DELETE", path: "/admin/accounts/{id}", who: auth.Admins, answer: s.deleteAccount},
		{method: "POST", path: "/admin/accounts/{id}/link", who: auth.Admins, answer: s.linkAccount},
		{method: "DELETE", path: "/admin/accounts/{id}/link", who: auth.Admins, answer: s.withdrawLink},
		{method: "DELETE", path: "/admin/accounts/{id}/totp", who: auth.Admins, answer: s.resetTOTP},

		{method: "POST", path: "/admin/sessions", who: auth.Backends, answer: s.reportLogin, refused: s.noteStranger},
		{method: "POST", path: "/admin/sessions/may", who: auth.Backends, answer: s.mayLogin},
		{method: "POST", path: "/admin/sessions/check", who: auth.Backends, answer: s.checkSession},
		{method: "POST", path: "/admin/sessions/end", who: auth.Backends, answer: s.reportEnd},
		{method: "PUT", path: "/admin/users/{id}", who: auth.Backends, answer: s.putUser},
		{method: "DELETE", path: "/admin/users/{id}", who: auth.Backends, answer: s.deleteUser},
	}
}
