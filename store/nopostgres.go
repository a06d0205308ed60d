//go:build !postgres

package store

func openPostgres(Config) (*engine, error) { return nil, ErrNoPostgres }

func postgresKind(error) error { return nil }
