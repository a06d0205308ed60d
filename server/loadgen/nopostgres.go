//go:build !postgres

package main

import (
	"context"
	"errors"
	"net/http"
)

func startPostgres(context.Context) (string, http.Handler, func(), error) {
	return "", nil, nil, errors.New("-postgres needs: go run -tags postgres ./server/loadgen")
}
