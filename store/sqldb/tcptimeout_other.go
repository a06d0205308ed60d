//go:build postgres && !linux

package sqldb

import "syscall"

// setTCPUserTimeout leaves a connection as the system has it.
func setTCPUserTimeout(string, string, syscall.RawConn) error { return nil }
