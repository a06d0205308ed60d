package sqldb

import (
	"context"
	"database/sql"
	"testing"
)

// farAway prepares one query only once it is allowed to, as over a network that hangs.
type farAway struct {
	*sql.DB
	asked, answer chan struct{}
}

func (f farAway) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if query == `SELECT 1` {
		f.asked <- struct{}{}
		<-f.answer
	}
	return f.DB.PrepareContext(ctx, query)
}

func TestAStatementThatIsSlowToPrepareHoldsUpNoOther(t *testing.T) {
	db := farAway{open(t).read, make(chan struct{}), make(chan struct{})}
	s := newStatements(db)
	prepared := make(chan *sql.Stmt, 2)
	for range 2 { // at once
		go func() {
			stmt, err := s.prepare(t.Context(), `SELECT 1`)
			if err != nil {
				t.Error(err)
			}
			prepared <- stmt
		}()
	}
	for range 2 {
		<-db.asked
	}
	if _, err := s.prepare(t.Context(), `SELECT 2`); err != nil {
		t.Error(err)
	}
	close(db.answer)
	if a, b := <-prepared, <-prepared; a != b || a == nil {
		t.Errorf("one query has two statements, %p and %p", a, b)
	}
	s.close()
}
