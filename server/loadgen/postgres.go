//go:build postgres

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"rollcall/store/storetest"
)

// eachConnections is how many the handler beside ours shares.
const eachConnections = 50

// startPostgres starts a server of our own, and returns where a store can be kept
// in it, and the handler of heartbeats that are each an UPDATE of their own.
func startPostgres(ctx context.Context) (database string, each http.Handler, remove func(), err error) {
	s, err := storetest.StartServer()
	if err != nil {
		return "", nil, nil, err
	}
	updates, err := storetest.OpenUpdateEach(ctx, s, eachConnections)
	if err != nil {
		s.Remove()
		return "", nil, nil, err
	}
	return s.URL("public"), updateEach(updates), func() { updates.Close(); s.Remove() }, nil
}

// updateEach begins sessions at /begin, and takes their heartbeats elsewhere. It
// does no more than it must: what it is compared with checks and answers more.
func updateEach(updates *storetest.UpdateEach) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		var id int64
		var expires time.Time
		var err error
		if strings.HasSuffix(r.URL.Path, "/begin") {
			err = updates.Begin(r.Context(), token)
		} else {
			id, expires, err = updates.Beat(r.Context(), token)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "session": map[string]any{"id": id, "expires_at": expires}})
	})
}
