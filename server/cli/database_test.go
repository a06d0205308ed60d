package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheAddressOfADatabaseIsShownWithoutItsSecrets(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://ann:canary@db.example:5433/rollcall?sslmode=verify-full&sslpassword=canary": "postgres://db.example:5433/rollcall",
		"postgresql://ann:canary%2F%40@[::1]/rollcall":                                          "postgresql://[::1]/rollcall",
		"postgres://ann@/rollcall?host=/run/postgresql&port=5433&password=canary":               "postgres:///rollcall?host=/run/postgresql&port=5433",
		"postgres://ann:canary@h1.example:5432,h2.example:5433/rollcall":                        "postgres://h1.example:5432,h2.example:5433/rollcall",
		"postgres://": "postgres:",
	} {
		s := parse(t, "--database", address)
		if got := s.data.String(); got != want {
			t.Errorf("%s is shown as %s", address, got)
		}
		written, had := s.data.database.withoutPassword()
		if strings.Contains(written, "canary") || had != strings.Contains(address, "canary") {
			t.Errorf("without its password %s is %s (%t)", address, written, had)
		}
	}
}

func TestAnAddressOfADatabaseThatIsRefusedIsNotQuoted(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, address := range []string{
		"canary", "mysql://ann:canary@db/rollcall", "host=db password=canary", "postgres:canary", "http://ann:canary@db",
		"postgres://ann:can/ary@db/rollcall", "postgres://ann:1/canary@db/rollcall", "postgres://ann:can?ary@db/rollcall",
		"postgres://ann:1?canary@db/rollcall", "postgres://ann:can#ary@db/rollcall", "postgres://ann:1#canary@db", "postgres://ann:canary%zz@db/rollcall",
		"postgres://ann:canary@db:port/rollcall", "postgres://ann:canary@db/rollcall/x", "postgres://ann:canary@db/rollcall?%zz", "postgres://a:canary:1/rollcall",
	} {
		t.Setenv("ROLLCALL_DATABASE", address)
		code, said := start(t, "serve", "--listen", "127.0.0.1:0")
		if code != exitUsage || !strings.HasPrefix(said, "rollcall: --database must be like postgres://user@host:5432/name") {
			t.Errorf("%s: exit code %d, %q", address, code, said)
		}
		if strings.Contains(said, "can") || strings.Contains(said, "ary@") {
			t.Errorf("it quotes %s: %s", address, said)
		}
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("a refused start left %v", left)
	}
}

func TestTheDataIsInOnePlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "address")
	if err := os.WriteFile(file, []byte("postgres://ann:canary@db.example/rollcall\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := parse(t, "--database-file", file); s.data.String() != "postgres://db.example/rollcall" {
		t.Errorf("of a file: %s", &s.data)
	}
	for args, want := range map[string]string{
		"--data x --database postgres://db/rollcall":               "--data and --database (or its variable) contradict each other",
		"--database-file " + file + " --database postgres://db/x":  "--database and --database-file (or their variables) contradict each other",
		"--database-file " + file + "-that-is-not-there":           "reading a secret: open " + file + "-that-is-not-there: no such file",
		"--data x --database-file " + file:                         "--data and --database (or its variable) contradict each other",
		"--data x --database-file " + filepath.Join(file, "below"): "reading a secret",
	} {
		for _, command := range []string{"serve", "key list", "backup x", "restore x", "cleanup"} {
			code, said := start(t, append(strings.Fields(command), strings.Fields(args)...)...)
			if code != exitUsage || !strings.HasPrefix(said, "rollcall: "+want) || strings.Contains(said, "canary") {
				t.Errorf("%s %s: exit code %d, %s", command, args, code, said)
			}
		}
	}
	t.Setenv("ROLLCALL_DATA", "/data") // as in the container
	if s := parse(t, "--database", "postgres://db.example/rollcall"); !s.data.remote() {
		t.Errorf("beside a variable that every container has it is in %s", &s.data)
	}
	t.Setenv("ROLLCALL_DATABASE", "postgres://db.example/rollcall")
	if code, said := start(t, "serve", "--data", "x"); code != exitUsage {
		t.Errorf("a folder in a flag, a database in the variable: exit code %d, %s", code, said)
	}
}

func TestAdministratorsAreNotShownTheDatabasesPassword(t *testing.T) {
	t.Setenv("ROLLCALL_DATABASE", "postgres://ann:canary@db.example/rollcall?sslpassword=canary")
	cmd := newServe("")
	addTwins(cmd)
	if err := bindEnvironment(cmd.Flags()); err != nil {
		t.Fatal(err)
	}
	cmd.SetContext(t.Context())
	for _, checked := range []bool{false, true} {
		if checked {
			_ = cmd.RunE(cmd, nil) // finds no such server, or knows no PostgreSQL
		}
		for _, setting := range flagValues(cmd.Flags()) {
			if strings.Contains(setting.Value+setting.Default+setting.About, "canary") {
				t.Errorf("--%s is shown as %+v", setting.Name, setting)
			}
			if want := "postgres://db.example/rollcall"; checked && setting.Name == "database" && setting.Value != want {
				t.Errorf("--database is shown as %q", setting.Value)
			}
		}
	}
}
