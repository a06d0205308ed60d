//go:build postgres && !linux

package store

import "syscall"

// impatiently leaves a connection as the system has it.
func impatiently(string, string, syscall.RawConn) error { return nil }
