//go:build !postgres

package sqldb

func openPostgres(Config) (*engine, error) { return nil, ErrNoPostgres }

func unconnected(error) bool { return false }

func postgresKind(error) error { return nil }
