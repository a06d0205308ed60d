package ui

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var generates = regexp.MustCompile(`(?m)^//go:generate (.+)$`)

// TestWhatIsBuiltIsOfItsSources builds everything anew, by the same commands.
func TestWhatIsBuiltIsOfItsSources(t *testing.T) {
	source, err := os.ReadFile("ui.go")
	if err != nil {
		t.Fatal(err)
	}
	built := t.TempDir()
	for _, match := range generates.FindAllStringSubmatch(string(source), -1) {
		command := strings.Fields(strings.Replace(match[1], "--outdir=static/built", "--outdir="+built, 1))
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", match[1], err, out)
		}
	}
	kept, want := folder(t, "static/built"), folder(t, built)
	for name := range want {
		if !bytes.Equal(kept[name], want[name]) {
			t.Errorf("static/built/%s is not what its sources make: run go generate ./ui", name)
		}
		delete(kept, name)
	}
	for name := range kept {
		t.Errorf("static/built/%s has no sources: delete it", name)
	}
	if len(want) == 0 {
		t.Error("nothing is built")
	}
}

func folder(t *testing.T, path string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	names, err := filepath.Glob(path + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
