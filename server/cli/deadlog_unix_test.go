//go:build unix

package cli_test

import (
	"bufio"
	"syscall"
	"testing"
)

func TestADeadReaderOfTheLogDoesNotEndTheServer(t *testing.T) {
	withHangup(t)
	cmd := command(t, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-format", "json")
	stderr := startPiped(t, cmd)
	for log := bufio.NewScanner(stderr); log.Scan(); {
		if listening.MatchString(log.Text()) {
			break
		}
	}
	stderr.Close()
	for _, told := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} { // each has it log something
		if err := cmd.Process.Signal(told); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error("it did not end well:", err)
	}
}
