package cli_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rollcall/server/client"
	"rollcall/store/sqldb"
)

var injections = flag.Int("injections", 6, "how often the disk fails a server under load")

// TestNothingIsAcknowledgedOnADiskThatFails lets the disk of a server under load
// fail: what was acknowledged before is there, nothing is acknowledged after, and
// the server ends and says why.
func TestNothingIsAcknowledgedOnADiskThatFails(t *testing.T) {
	needsStrace(t)
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

// TestABackupWhereThereAreNoHardLinks lets the file system be one such as that of
// memory sticks.
func TestABackupWhereThereAreNoHardLinks(t *testing.T) {
	needsStrace(t)
	data := t.TempDir()
	withUser(t, data, "ada", nil)
	for _, test := range []struct {
		name   string
		faults []string
		kept   bool
	}{
		{"they are not permitted", []string{"linkat:error=EPERM"}, true},
		{"they are not supported", []string{"linkat:error=EOPNOTSUPP"}, true},
		{"and the disk fails", []string{"linkat:error=EPERM", "renameat,renameat2:error=EIO"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, sqldb.FileName)
			backup := command(t, "backup", file, "--data", data)
			tracer := []string{"strace", "-f", "-o", os.DevNull}
			for _, fault := range test.faults {
				tracer = append(tracer, "-e", "inject="+fault)
			}
			backup.Args = slices.Concat(tracer, []string{backup.Path}, backup.Args[1:])
			backup.Path, _ = exec.LookPath("strace")
			out, err := backup.CombinedOutput()
			if (err == nil) != test.kept {
				t.Fatalf("it ended by %v: %s", err, out)
			}
			var names []string
			files, err := os.ReadDir(folder)
			for _, file := range files {
				names = append(names, file.Name())
			}
			if err != nil || slices.Equal(names, []string{sqldb.FileName}) != test.kept || len(names) > 1 {
				t.Errorf("the folder holds %v: %v", names, err)
			}
			if !test.kept {
				return
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("its mode is %v: %v", info.Mode(), err)
			}
			if user := userOf(t, folder); user != "ada" {
				t.Errorf("%q is logged in", user)
			}
		})
	}
}

// needsStrace skips a test where one process may not trace another, unless
// TEST_STRACE=required makes that a failure.
func needsStrace(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("strace", "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		if os.Getenv("TEST_STRACE") == "required" {
			t.Fatalf("strace is needed: %v\n%s", err, out)
		}
		t.Skipf("no process may trace another here: %v", err)
	}
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
