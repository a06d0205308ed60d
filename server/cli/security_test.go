package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asvs is how many requirements of levels 1 and 2 each section of ASVS 5.0.0 has that may concern us: they are numbered from 1 on, before
// those of level 3.
var asvs = map[string]int{
	"1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
	"3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
	"6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
	"8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.3": 4, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
	"12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
	"15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3,
}

var (
	numbersOfARow = regexp.MustCompile(`^\d+\.\d+\.\d+(, \d+\.\d+\.\d+)*$`)
	testOfARow    = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	linkOfARow    = regexp.MustCompile(`\]\(([^)]*)\)`)
)

// TestSecurityIsAsItsTableSays holds .github/SECURITY.md against the tree: each requirement has a row, each test that a row names is one, and
// each text that it leads to is there.
func TestSecurityIsAsItsTableSays(t *testing.T) {
	root := filepath.Join("..", "..")
	folder := filepath.Join(root, ".github")
	text, err := os.ReadFile(filepath.Join(folder, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests, answered := testsOf(t, root), map[string]int{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 || !numbersOfARow.MatchString(strings.TrimSpace(cells[0])) {
			if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| | asks for") {
				t.Errorf("this is no row: %s", line)
			}
			continue
		}
		for number := range strings.SplitSeq(strings.TrimSpace(cells[0]), ", ") {
			answered[number]++
		}
		verdict, proof := cells[2], 0
		for _, test := range testOfARow.FindAllStringSubmatch(verdict, -1) {
			if proof++; !tests[test[1]] {
				t.Errorf("%s: there is no %s", cells[0], test[1])
			}
		}
		for _, link := range linkOfARow.FindAllStringSubmatch(verdict, -1) {
			if proof++; !leadsSomewhere(t, folder, link[1]) {
				t.Errorf("%s: %s leads nowhere", cells[0], link[1])
			}
		}
		word, why, found := strings.Cut(verdict, ": ")
		switch {
		case !found || why == "", word != "Met" && word != "Met where it applies" && word != "Does not apply" && word != "Deviation":
			t.Errorf("%s says %q", cells[0], verdict)
		case strings.HasPrefix(word, "Met") && proof == 0:
			t.Errorf("%s is met by nothing that can be looked at", cells[0])
		}
	}
	for section, n := range asvs {
		for i := range n {
			if number := fmt.Sprint(section, ".", i+1); answered[number] != 1 {
				t.Errorf("%s has %d rows", number, answered[number])
			}
		}
	}
}

// testsOf are the names of all tests in the tree.
func testsOf(t *testing.T, root string) map[string]bool {
	t.Helper()
	declared, names := regexp.MustCompile(`(?m)^func (Test\w+)\(`), map[string]bool{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, found := range declared.FindAllSubmatch(text, -1) {
			names[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// leadsSomewhere tells whether a link of a file in a folder leads to a file, and to a heading of it.
func leadsSomewhere(t *testing.T, folder, link string) bool {
	t.Helper()
	file, heading, _ := strings.Cut(link, "#")
	if file == "" {
		file = "SECURITY.md"
	}
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil || heading == "" {
		return err == nil
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.TrimLeft(line, "#"); words != line && strings.ReplaceAll(strings.ToLower(strings.TrimSpace(words)), " ", "-") == heading {
			return true
		}
	}
	return false
}
