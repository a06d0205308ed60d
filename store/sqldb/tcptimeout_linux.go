//go:build postgres

package sqldb

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// setTCPUserTimeout has a connection of the network end when what was sent over it is
// not acknowledged: of a machine that is gone nobody says so.
func setTCPUserTimeout(network, _ string, conn syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(txTimeout/time.Millisecond))
	})
	return errors.Join(err, failed)
}
