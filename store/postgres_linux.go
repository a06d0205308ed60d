//go:build postgres

package store

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// impatiently has a connection of the network end when what was sent over it is
// not acknowledged: of a machine that is gone nobody says so.
func impatiently(network, _ string, conn syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(patience/time.Millisecond))
	})
	return errors.Join(err, failed)
}
