//go:build !postgres

package transfer

import (
	"context"

	"rollcall/store"
)

// Copy needs the build tag postgres.
func Copy(context.Context, Options) (Result, error) { return Result{}, store.ErrNoPostgres }
