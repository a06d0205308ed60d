package cli_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rollcall/server/client"
)

var injections = flag.Int("injections", 6, "how often the disk fails a server under load")

// TestNothingIsAcknowledgedOnADiskThatFails lets the disk of a server under load
// fail: what was acknowledged before is there, nothing is acknowledged after, and
// the server ends and says why. It is skipped where one process may not trace
// another, unless TEST_STRACE=required makes that a failure.
func TestNothingIsAcknowledgedOnADiskThatFails(t *testing.T) {
	if out, err := exec.Command("strace", "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		if os.Getenv("TEST_STRACE") == "required" {
			t.Fatalf("strace is needed: %v\n%s", err, out)
		}
		t.Skipf("no process may trace another here: %v", err)
	}
	const writers = 8
	folder := filepath.Join(t.TempDir(), "data")
	key := adminKey(t, folder)
	faults := []string{"fsync,fdatasync:error=EIO", "pwrite64:error=EIO"}
	ledgers := newLedgers(writers)
	var acknowledged atomic.Int64
	for n := range *injections {
		cmd, url, log := startLogging(t, folder)
		enough := acknowledged.Load() + 100 + rand.Int64N(100)
		ready, failing := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		for w, book := range ledgers {
			random := rand.New(rand.NewPCG(rand.Uint64(), 0))
			wg.Go(func() {
				api := client.New(url, key)
				defer api.Close()
				for k := 0; ; k++ {
					if err := book.write(t, api, random, fmt.Sprintf("user-%d-%d-%d", n, w, k)); err != nil {
						<-failing // nothing but the disk may fail a call
						return
					}
					if acknowledged.Add(1) == enough {
						close(ready)
					}
				}
			})
		}
		<-ready
		fault := faults[n%len(faults)]
		tracer := inject(t, cmd.Process.Pid, fault)
		close(failing)
		wg.Wait()
		var last string
		for log.Scan() {
			last = log.Text()
		}
		if !strings.Contains(last, "the disk does not keep what is written") {
			t.Errorf("with %s the server's last word is %q", fault, last)
		}
		var ended *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 1 {
			t.Fatalf("with %s the server ended by %v", fault, err)
		}
		_ = tracer.Wait()
		compare(t, folder, ledgers)
	}
	t.Logf("%d writes acknowledged over %d failures of the disk", acknowledged.Load(), *injections)
}

// inject has all of a process's calls of some kind fail from now on.
func inject(t *testing.T, process int, fault string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("strace", "-f", "-o", os.DevNull, "-e", "inject="+fault, "-p", strconv.Itoa(process))
	said := startReading(t, cmd)
	for said.Scan() {
		if strings.Contains(said.Text(), "attached") {
			go func() {
				for said.Scan() { // of threads that come and go
				}
			}()
			return cmd
		}
	}
	t.Fatal("strace did not attach")
	return nil
}
