package server

import (
	"cmp"
	"encoding/csv"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store"
)

// download is an answer that is a file. It is written piece by piece: nobody
// holds all of it in memory.
type download struct {
	kind, name string
	write      func(http.ResponseWriter) error
}

// send answers with a file. Where that breaks off the connection does, too: the
// reader must not take a part for the whole.
func (s *Server) send(w http.ResponseWriter, file download) {
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Content-Disposition", `attachment; filename="`+file.name+`"`)
	if err := file.write(w); err != nil {
		s.log.Warn().Str(zerolog.ErrorFieldName, s.cfg.Origin.Addresses.InText(err.Error())).Str("file", file.name).Msg("a file broke off")
		panic(http.ErrAbortHandler)
	}
}

// wantsCSV tells whether a list is asked for as a file: by format or, without
// one, by the Accept header.
func wantsCSV(r *http.Request, format string) (bool, error) {
	switch format {
	case "json", "csv":
		return format == "csv", nil
	case "":
	default:
		return false, invalid("format must be json or csv")
	}
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, parameters, err := mime.ParseMediaType(part)
		weight := cmp.Or(parameters["q"], "1")
		if err == nil && kind == "text/csv" && strings.Trim(weight, "0.") != "" { // which is how "not at all" is said
			return true, nil
		}
	}
	return false, nil
}

// sessionsFile is the list of all sessions that match. It is in the order of
// their beginning unless another is asked for: that never changes, so none is
// missed that moves while the file is written.
func (s *Server) sessionsFile(r *http.Request, q url.Values, f store.SessionFilter) (any, error) {
	if err := wholeFile(q); err != nil {
		return nil, err
	}
	if f.Sort == "" {
		f.Sort = store.SortCreated
	}
	f.Limit = maxLimit
	now := s.now()
	return s.sheet(r, "sessions", sessionColumns, func() (rows [][]string, more bool, err error) {
		page, err := s.store.Sessions(r.Context(), now, f)
		for _, session := range page.Sessions {
			rows = append(rows, sessionRow(answerListed(session, now)))
		}
		f.Cursor = page.Next
		return rows, page.Next != "", err
	})
}

// wholeFile refuses to have a part of a list as a file.
func wholeFile(q url.Values) error {
	if q.Get("cursor") != "" || q.Get("limit") != "" {
		return invalid("A file has all that match: limit and cursor do not go with it")
	}
	return nil
}

// sheet is a file of pages of rows, as long as there are more.
func (s *Server) sheet(r *http.Request, name string, columns []string, page func() (rows [][]string, more bool, err error)) (any, error) {
	rows, more, err := page() // before the answer begins: it may be a refusal
	if err != nil {
		return nil, err
	}
	write := func(w http.ResponseWriter) error {
		if r.Method == http.MethodHead {
			return nil
		}
		file := csv.NewWriter(w)
		file.UseCRLF = true
		_ = file.Write(columns) // of a csv.Writer, Error tells
		return writePages(file, http.NewResponseController(w), rows, more, page)
	}
	return download{kind: "text/csv; charset=utf-8; header=present", name: name + "-" + s.now().UTC().Format("20060102-150405") + ".csv", write: write}, nil
}

// writePages writes a page and those after it. None is held in the database
// while the reader takes its time, who may take it for each page anew.
func writePages(file *csv.Writer, connection *http.ResponseController, rows [][]string, more bool, page func() ([][]string, bool, error)) (err error) {
	for {
		for _, row := range rows {
			for i := range row {
				row[i] = escapeFormula(row[i])
			}
			_ = file.Write(row)
		}
		if file.Flush(); file.Error() != nil || !more {
			return file.Error()
		}
		_ = connection.SetWriteDeadline(time.Now().Add(writeTimeout)) // the network's time, not the rules'
		if rows, more, err = page(); err != nil {
			return err
		}
	}
}

var sessionColumns = []string{"id", "app", "user_id", "name", "email", "organization_name", "team_name", "role", "state",
	"session_started_at", "last_activity_at", "expires_at", "ended_at", "end_reason", "ended_by", "end_note",
	"ip_address", "user_agent", "page", "duration_minutes", "device_type", "device_os", "device_browser", "location"}

func sessionRow(l listedSession) []string {
	var ended string
	var reason store.EndReason
	if l.EndedAt != nil && l.EndReason != nil {
		ended, reason = *l.EndedAt, *l.EndReason
	}
	return []string{l.ID, l.App, l.User.ID, l.User.Name, l.User.Email, l.User.OrganizationName, l.User.TeamName, l.User.Role, string(l.State),
		l.SessionStartedAt, l.LastActivityAt, l.ExpiresAt, ended, string(reason), l.EndedBy, l.EndNote,
		l.IPAddress, l.UserAgent, l.Page, strconv.Itoa(l.DurationMinutes), l.Device.Type, l.Device.OS, l.Device.Browser, l.Location}
}

// escapeFormula keeps a spreadsheet from running a cell as a formula, by a ' in
// front. That of a part of a cell, too: some spreadsheets split at semicolons,
// whatever the quotes say, and people send and report what they like.
func escapeFormula(cell string) string {
	var safe strings.Builder
	begins := true
	for _, r := range cell {
		if begins && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
			safe.WriteByte('\'')
		}
		safe.WriteRune(r)
		begins = strings.ContainsRune(";\t\r\n", r)
	}
	return safe.String()
}
