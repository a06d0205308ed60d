//go:build !postgres

package transfer

import (
	"context"

	"rollcall/store/sqldb"
)

// Copy needs the build tag postgres.
func Copy(context.Context, Options) (Result, error) { return Result{}, sqldb.ErrNoPostgres }
