//go:build postgres

package sqldb

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAConnectionToAMachineThatIsGoneEnds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := (&net.Dialer{Control: setTCPUserTimeout}).DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	var failed error
	err = raw.Control(func(fd uintptr) { got, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT) })
	if err != nil || failed != nil || int64(got) != txTimeout.Milliseconds() {
		t.Errorf("it ends after %d ms without an acknowledgement, %v %v", got, err, failed)
	}
}
