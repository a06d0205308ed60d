package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/store/storetest"
)

// asLoadgen makes the tests' own program the load generator, which then starts itself.
const asLoadgen = "TEST_AS_LOADGEN"

func TestMain(m *testing.M) {
	if os.Getenv(asLoadgen) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// loadgen runs it with few sessions and returns what it prints.
func loadgen(t *testing.T, args ...string) (out, problems string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-sessions", "40", "-connections", "4", "-duration", "100ms", "-rounds", "2"}, args...)...)
	cmd.Env = append(os.Environ(), asLoadgen+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

func TestAllWhoTakeTurnsStandInOneTable(t *testing.T) {
	rivals := map[string]string{"nothing": "-vs-noop"}
	if _, err := exec.LookPath("redis-server"); err == nil {
		rivals["redis"] = "-vs-redis"
	} else if os.Getenv("CI") == "true" {
		t.Fatal("redis-server is needed: ", err)
	}
	if storetest.Postgres {
		rivals["original"] = "-vs-original"
	}
	var flags []string
	for _, f := range rivals {
		flags = append(flags, f)
	}
	out, problems, err := loadgen(t, flags...)
	if err != nil || problems != "" {
		t.Fatalf("%v\n%s%s", err, out, problems)
	}
	// Requests a second, their times, processors and disk where the system tells, no errors, and what it is.
	row := ` +[1-9]\d* +\S+s +\S+s +(\d+ us|-) +(\d+ B|-) +0   \w`
	for name := range rivals {
		if !regexp.MustCompile(`(?m)^` + name + row).MatchString(out) {
			t.Errorf("there is no row of %s", name)
		}
		if !regexp.MustCompile(`(?m)^ratio +\d+\.\d\d of ` + name + ` \(median of 2 rounds`).MatchString(out) {
			t.Errorf("there is no ratio to %s", name)
		}
	}
	if !regexp.MustCompile(`(?m)^rollcall` + row).MatchString(out) {
		t.Error("there is no row of rollcall")
	}
	if runtime.GOOS == "linux" && !regexp.MustCompile(`(?m)^rollcall .* us `).MatchString(out) {
		t.Error("what a heartbeat takes of the processors is not told")
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestWhatIsMissingIsSaidAtOnce(t *testing.T) {
	missing := map[string]string{"-vs-redis": "apt-get install redis-server"}
	if !storetest.Postgres {
		missing["-vs-original"] = "-tags postgres"
		missing["-postgres"] = "-tags postgres"
	}
	t.Setenv("PATH", t.TempDir())
	for flag, words := range missing {
		out, problems, err := loadgen(t, flag)
		if err == nil || out != "" || !strings.Contains(problems, words) {
			t.Errorf("%s: %v, %q, %q", flag, err, out, problems)
		}
	}
}

func TestOneRateIsTold(t *testing.T) {
	out, problems, err := loadgen(t, "-rate", "200", "-list", "10")
	if err != nil || problems != "" {
		t.Fatalf("%v\n%s%s", err, out, problems)
	}
	for _, line := range []string{`heartbeats +\d+/s .* errors 0`, `list of 50 +\d+/s .* errors 0`, `each +(\d+ us|-) CPU, (\d+ B|-) to the disk`} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(out) {
			t.Errorf("there is no line %s in\n%s", line, out)
		}
	}
}

func TestPanelsAreOpenedWatchedAndCutOff(t *testing.T) {
	out, problems, err := loadgen(t, "-panels", "3", "-stalled", "1", "-changes", "20", "-duration", "300ms")
	if err != nil || problems != "" {
		t.Fatalf("%v\n%s%s", err, out, problems)
	}
	for _, line := range []string{`panels +4 open, 1 of them stalled; .*`, `panel live +the first after \S+s`, `panel live +\d+/s .* errors 0`,
		`changes seen +\d+/s .* errors 0`, `revoked user +socket closed after \S+s, .*`, `each change +(\d+ us|-) CPU, .*`} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(out) {
			t.Errorf("there is no line %s in\n%s", line, out)
		}
	}
}

// TestAFixedRateSendsWhatItSays counts, however slow the machine is: what is late is sent all the same.
func TestAFixedRateSendsWhatItSays(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		doNothing(w, r)
	}))
	defer server.Close()
	target := &subject{ready: ready{URL: server.URL}, players: share(make([]string, 8), 4)}
	f := play(context.Background(), target, turn{duration: 200 * time.Millisecond, rate: 400})
	if err := f.problem(); err != nil || asked.Load() != 80 || len(f.times) != 80 {
		t.Fatalf("%v; %d were sent, %d counted", err, asked.Load(), len(f.times))
	}
}

func TestRedisHasItOnTheDiskBeforeItAnswers(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is needed: ", err)
		}
		t.Skip(err)
	}
	s, err := startRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	for _, step := range []struct{ asked, answer string }{
		{"ZADD online 1700000000000 token", "1"},
		{"ZSCORE online token", "1700000000000"},
		{"CONFIG GET appendonly", "appendonly yes"},
		{"CONFIG GET appendfsync", "appendfsync always"},
	} {
		if answer, err := s.do(strings.Split(step.asked, " ")...); err != nil || answer != step.answer {
			t.Errorf("%s: %q, %v", step.asked, answer, err)
		}
	}
}
