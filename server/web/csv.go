package web

import (
	"cmp"
	"context"
	"encoding/csv"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rollcall/store/sqldb"
)

// WantsCSV tells whether a list is asked for as a file: by format or, without
// one, by the Accept header.
func WantsCSV(r *http.Request, format string) (bool, error) {
	switch format {
	case "json", "csv":
		return format == "csv", nil
	case "":
	default:
		return false, Invalid("format must be json or csv")
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

// WholeFile refuses to send a part of a list as a file.
func WholeFile(q url.Values) error {
	if q.Get("cursor") != "" || q.Get("limit") != "" {
		return Invalid("A file has all that match: limit and cursor do not go with it")
	}
	return nil
}

// Sheet is a file of pages of rows, as long as there are more. What has begun is not broken off by other
// questions: only the first page is a question of the caller.
func Sheet(r *http.Request, now time.Time, name string, columns []string, page func(context.Context) (rows [][]string, more bool, err error)) (any, error) {
	rows, more, err := page(r.Context()) // before the answer begins: it may be a refusal
	if err != nil {
		return nil, err
	}
	write := func(w http.ResponseWriter) error {
		file := csv.NewWriter(w)
		file.UseCRLF = true
		_ = file.Write(columns) // of a csv.Writer, Error tells
		ctx := sqldb.WithCaller(r.Context(), "")
		return writePages(file, http.NewResponseController(w), rows, more, func() ([][]string, bool, error) { return page(ctx) })
	}
	return Download{Type: "text/csv; charset=utf-8; header=present", Name: FileName(name, now, "csv"), Write: write}, nil
}

// writePages writes a page and those after it. The database is not read while a page
// is sent, and the reader has WriteTimeout for each page anew.
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
		_ = connection.SetWriteDeadline(time.Now().Add(WriteTimeout)) // the network's time, not the rules'
		if rows, more, err = page(); err != nil {
			return err
		}
	}
}

// escapeFormula puts a ' in front of a cell that a spreadsheet would run as a formula,
// since people send and report what they like. Also in front of a part of a cell: some
// spreadsheets split cells at semicolons, whatever the quotes say.
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
