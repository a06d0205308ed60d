package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// room is a package as the README's picture of the house shows it.
type room struct {
	name    string
	imports []string
}

// TestTheHouseIsAsTheREADMEDrawsIt holds the packages, and which of them import which, against the
// picture. What is drawn must be there, what is there must be drawn, and no arrow points up.
func TestTheHouseIsAsTheREADMEDrawsIt(t *testing.T) {
	drawn, built := drawnRooms(t), builtRooms(t)
	place := map[string]int{}
	for i, room := range drawn {
		place[room.name] = i
	}
	for i, room := range drawn {
		for _, below := range room.imports {
			if at, ok := place[below]; !ok || at <= i {
				t.Errorf("the arrow from %s to %s does not point down", room.name, below)
			}
		}
	}
	byName := func(a, b room) int { return strings.Compare(a.name, b.name) }
	slices.SortFunc(drawn, byName)
	slices.SortFunc(built, byName)
	if diff := cmp.Diff(drawn, built, cmp.AllowUnexported(room{})); diff != "" {
		t.Errorf("as it is drawn in the README (-) and as it is (+):\n%s", diff)
	}
}

// maxFiles is how many files a room may have besides its tests. The entities of the store and the
// commands of the command line are a file each.
const maxFiles = 20

func TestARoomHasNoMoreFilesThanSomebodyCanSurvey(t *testing.T) {
	for _, room := range builtRooms(t) {
		if room.name == "store" || room.name == "server/cli" || room.name == "main.go" {
			continue
		}
		files, err := filepath.Glob(filepath.Join("..", "..", room.name, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		files = slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
		if n := len(files); n == 0 || n > maxFiles {
			t.Errorf("%s has %d files, of which there may be %d", room.name, n, maxFiles)
		}
	}
}

// drawnRooms reads the lines of the picture: the room, what it is for, and the rooms that it imports.
func drawnRooms(t *testing.T) (rooms []room) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## For contributors\n")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "| `"); ok && len(cells) == 5 {
			name, _, _ = strings.Cut(name, "`")
			rooms = append(rooms, room{name, strings.Fields(cells[3])})
		}
	}
	if len(rooms) == 0 {
		t.Fatal("there is no picture")
	}
	return rooms
}

// builtRooms asks the go command, with everything that a build may hold.
func builtRooms(t *testing.T) (rooms []room) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-tags", "postgres", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "rollcall/...")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		built := room{name: nameOf(paths[0]), imports: []string{}}
		for _, path := range paths[1:] {
			if path == "rollcall" || strings.HasPrefix(path, "rollcall/") {
				built.imports = append(built.imports, nameOf(path))
			}
		}
		rooms = append(rooms, built)
	}
	return rooms
}

// nameOf is a package's path in the house: main.go stands at its door.
func nameOf(path string) string {
	if path == "rollcall" {
		return "main.go"
	}
	return strings.TrimPrefix(path, "rollcall/")
}
