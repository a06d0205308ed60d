package sqldb

import (
	"context"
	"database/sql"
	"sync"
)

// statements are prepared once a connection and found again by their text.
type statements struct {
	db preparer
	mu sync.Mutex
	by map[string]*sql.Stmt
}

type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func newStatements(db preparer) *statements {
	return &statements{db: db, by: map[string]*sql.Stmt{}}
}

// prepare returns the statement for a query. While the database is asked for it, which may take as
// long as a network does, nobody waits who needs another one.
func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	known, ok := s.by[query]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.by[query]; ok { // somebody else was as quick
		return known, stmt.Close()
	}
	s.by[query] = stmt
	return stmt, nil
}

// close forgets the statements; those of a pool hold nothing that outlives it.
func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for query, stmt := range s.by {
		stmt.Close()
		delete(s.by, query)
	}
}
