//go:build !postgres

package main

import (
	"context"
	"errors"
)

const knowsPostgres = false

var errNoPostgres = errors.New("-postgres and -vs-original need: go run -tags postgres ./server/loadgen")

func startPostgres() (string, func(), error) { return "", nil, errNoPostgres }

func serveOriginal(context.Context, []string) error { return errNoPostgres }
