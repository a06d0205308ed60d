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

func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt, ok := s.by[query]; ok {
		return stmt, nil
	}
	stmt, err := s.db.PrepareContext(ctx, query)
	if err == nil {
		s.by[query] = stmt
	}
	return stmt, err
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
