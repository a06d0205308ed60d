package cli_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
)

// TestAFullDiskIsAnsweredAndHeals fills the disk under a server, and lets its user's quota be
// used up, which SQLite does not tell from a disk that fails.
func TestAFullDiskIsAnsweredAndHeals(t *testing.T) {
	for name, fill := range map[string]func(t *testing.T, folder string, process int) (heal func()){
		"the disk is full": func(t *testing.T, folder string, _ int) func() {
			ballast := fillDisk(t, folder)
			return func() { os.Remove(ballast) }
		},
		"the quota is used up": func(t *testing.T, _ string, process int) func() {
			needsStrace(t)
			tracer := inject(t, process, "pwrite64:error=EDQUOT")
			return func() { _ = tracer.Process.Signal(os.Interrupt); _ = tracer.Wait() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := smallDisk(t)
			data := filepath.Join(disk, "data")
			key := adminKey(t, data)
			cmd, url, said := startLogging(t, data)
			go drain(said)
			asked := client.New(url, key)
			defer asked.Close()
			login := func(user string) error {
				_, err := asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: user}, UserAgent: strings.Repeat("x", 300)})
				return err
			}
			if err := login("before"); err != nil {
				t.Fatal(err)
			}
			heal := fill(t, disk, cmd.Process.Pid)
			var err error // some may fit into what the files have already, or the log gives up
			for i := 0; i < 5000 && err == nil; i++ {
				err = login(fmt.Sprint("meanwhile", i))
			}
			wantFull(t, "a login", err)
			wantFull(t, "readiness", asked.Health(t.Context()))
			if out, err := command(t, "healthcheck", "--url", url).CombinedOutput(); err == nil || !strings.Contains(string(out), "disk is full") {
				t.Errorf("healthcheck says %q: %v", out, err)
			}
			heal()
			if err := login("after"); err != nil {
				t.Errorf("after it healed: %v", err)
			}
			if err := asked.Health(t.Context()); err != nil {
				t.Errorf("after it healed: %v", err)
			}
		})
	}
}

func TestAServerStartsOnAFullDisk(t *testing.T) {
	for name, end := range map[string]os.Signal{"after it was stopped": syscall.SIGTERM, "after it was killed": os.Kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := smallDisk(t)
			data := filepath.Join(disk, "data")
			key := adminKey(t, data)
			cmd, url, said := startLogging(t, data)
			go drain(said)
			logsIn(t, url, key, "before")
			endBy(t, cmd, end)
			ballast := fillDisk(t, disk)
			for range 3 { // each start finds the disk as full
				cmd, url, said = startLogging(t, data)
				go drain(said)
				servesFull(t, url, key)
				endBy(t, cmd, end)
				fillDisk(t, disk)
			}
			_, url, said = startLogging(t, data)
			go drain(said)
			servesFull(t, url, key)
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			logsIn(t, url, key, "after")
		})
	}
}

func endBy(t *testing.T, cmd *exec.Cmd, signal os.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

func logsIn(t *testing.T, url, key, user string) {
	t.Helper()
	asked := client.New(url, key)
	defer asked.Close()
	if _, err := asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: user}}); err != nil {
		t.Fatalf("%s: %v", user, err)
	}
}

// servesFull asks a server whose disk is full: reads go on, writes are refused.
func servesFull(t *testing.T, url, key string) {
	t.Helper()
	asked := client.New(url, key)
	defer asked.Close()
	var err error // some may fit into what the files have already
	for i := 0; i < 5000 && err == nil; i++ {
		_, err = asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: fmt.Sprint("meanwhile", i)}})
	}
	wantFull(t, "a login", err)
	wantFull(t, "readiness", asked.Health(t.Context()))
	sessions, err := asked.Sessions(t.Context(), client.SessionFilter{})
	if err != nil || len(sessions.Sessions) == 0 {
		t.Errorf("it lists %+v: %v", sessions.Sessions, err)
	}
}

func TestAServerWithoutAReserveSaysThatTheDiskIsFull(t *testing.T) {
	disk := smallDisk(t)
	data := filepath.Join(disk, "data")
	adminKey(t, data)
	fillDisk(t, disk)
	out, err := command(t, "serve", "--listen", "127.0.0.1:0", "--data", data).CombinedOutput()
	if want := "the disk is full, or what its user may have of it is used up; make room, then start again"; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("it says %q: %v", out, err)
	}
}

func wantFull(t *testing.T, what string, err error) {
	t.Helper()
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Code != "storage_full" {
		t.Errorf("%s: %v, want storage_full", what, err)
	}
}

func drain(said *bufio.Scanner) {
	for said.Scan() {
	}
}

// smallDisk returns the folder of a disk of 16 MB.
func smallDisk(t *testing.T) string {
	t.Helper()
	at := t.TempDir()
	mountDisk(t, at, "size=16m")
	return at
}

// mountDisk gives a folder a disk of its own. Where changes are checked it must not be skipped.
func mountDisk(t *testing.T, at, options string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", at, "tmpfs", 0, options); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("root is needed: ", err)
		}
		t.Skip("no disk may be mounted here: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fillDisk leaves no room on the disk of a folder, and returns the file that takes it.
func fillDisk(t *testing.T, folder string) (ballast string) {
	t.Helper()
	file, err := os.Create(filepath.Join(folder, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for began := time.Now(); err == nil && time.Since(began) < time.Minute; {
		_, err = file.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal("filling the disk: ", err)
	}
	return file.Name()
}
