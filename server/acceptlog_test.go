package server

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// fullTable is a listener of a process that may open no more files.
type fullTable struct{ *pipes }

func (fullTable) Accept() (net.Conn, error) {
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}

func TestThatNobodyCanConnectIsLoggedOnceAMinute(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, storetest.OpenFile(t, t.TempDir(), presence.DefaultRules()), func(c *Config) { c.Now = nil })
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Serve(ctx, fullTable{newPipes()}) }()
		time.Sleep(2*time.Minute + 30*time.Second)
		lines := b.lines("no connection can be accepted")
		if len(lines) != 3 || !strings.Contains(lines[0], "too many open files") || !strings.Contains(lines[2], `"failed":60`) {
			t.Errorf("%d lines: %s", len(lines), lines)
		}
		stop()
		<-ended
	})
}
