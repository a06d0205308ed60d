//go:build postgres

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"rollcall/store/storetest"
)

const knowsPostgres = true

var errNoPostgres error

// originalConnections is how many its pool had.
const originalConnections = 10

// startPostgres starts a server of our own, and returns where a store can be kept in it.
func startPostgres() (database string, remove func(), err error) {
	s, err := storetest.StartServer()
	if err != nil {
		return "", nil, fmt.Errorf("PostgreSQL is needed: %w", err)
	}
	return s.URL("public"), s.Remove, nil
}

// serveOriginal has the design that Rollcall took the place of, behind the bare
// handler. It does no more than it must: what it is compared with checks and answers more.
func serveOriginal(ctx context.Context, tokens []string) (err error) {
	s, err := storetest.StartServer()
	if err != nil {
		return fmt.Errorf("PostgreSQL is needed: %w", err)
	}
	defer s.Remove()
	updates, err := storetest.OpenUpdateEach(ctx, s, originalConnections)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, updates.Close()) }()
	if err := updates.Begin(ctx, tokens...); err != nil {
		return err
	}
	version, err := updates.Version(ctx)
	if err != nil {
		return err
	}
	words := fmt.Sprintf("an UPDATE with the trigger, a transaction each, a pool of %d, PostgreSQL %s", originalConnections, version)
	return serveBare(ctx, words, func(w http.ResponseWriter, r *http.Request) {
		id, expires, err := updates.Beat(r.Context(), bearer(r))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "session": map[string]any{"id": id, "expires_at": expires}})
	})
}
