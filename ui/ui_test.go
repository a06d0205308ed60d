package ui

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the content security policy would refuse, or what a stranger could misuse.
var forbidden = map[string]map[string]*regexp.Regexp{
	".html": {
		"an inline script":        regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>\s*[^<\s]`),
		"a script without src":    regexp.MustCompile(`(?i)<script(?:\s+(?:type|defer|async)(?:="[^"]*")?)*\s*>`),
		"a style element":         regexp.MustCompile(`(?i)<style`),
		"a style attribute":       regexp.MustCompile(`(?i)\sstyle\s*=`),
		"an event handler":        regexp.MustCompile(`(?i)\son[a-z]+\s*=`),
		"a javascript: address":   regexp.MustCompile(`(?i)javascript:`),
		"an address from the top": regexp.MustCompile(`(?:src|href|action)="/`),
	},
	".js": {
		"markup from text":       regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|parseFromString|setHTMLUnsafe`),
		"code from text":         regexp.MustCompile(`\beval\(|new Function\(|setTimeout\(['"` + "`" + `]`),
		"unload or beforeunload": regexp.MustCompile(`['"](?:before)?unload['"]|\bon(?:before)?unload\b`),
		"a style attribute":      regexp.MustCompile(`setAttribute\(\s*['"]style|cssText`),
	},
}

func TestNothingThatThePolicyRefuses(t *testing.T) {
	for _, root := range []fs.FS{Static, os.DirFS("examples")} {
		each(t, root, func(name, text string) {
			for what, pattern := range forbidden[path.Ext(name)] {
				if found := pattern.FindString(text); found != "" {
					t.Errorf("%s contains %s: %q", name, what, found)
				}
			}
		})
	}
}

// snippets are shown, with the server's own address filled in.
const snippets = "pages/integrate/snippets"

// A host name in an address: of elements, style sheets, imports and requests.
var foreign = regexp.MustCompile(`(?i)(?:(?:src|href|action)="|url\(['"]?|from ['"]|import ?\(?['"]|fetch\(['"])(?:https?:)?//[^"')]+`)

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	each(t, Static, func(name, text string) {
		if path.Ext(name) == ".js" {
			text = withoutComments(text)
		}
		if found := foreign.FindString(text); found != "" && !strings.HasPrefix(name, snippets) {
			t.Errorf("%s loads %q", name, found)
		}
	})
}

func TestEverySnippetIsShown(t *testing.T) {
	page := read(t, Static, "pages/integrate/integrate.html")
	each(t, Static, func(name, text string) {
		if strings.HasPrefix(name, snippets) && !strings.Contains(page, "<!-- "+name+" -->") {
			t.Errorf("nobody sees %s", name)
		}
	})
}

// Whoever drops a file into an application reads it first.
func TestAFileForApplicationsIsShort(t *testing.T) {
	clients, err := fs.Sub(Static, "clients")
	if err != nil {
		t.Fatal(err)
	}
	page := read(t, Static, "pages/integrate/integrate.html")
	each(t, clients, func(name, text string) {
		if lines := strings.Count(text, "\n"); lines > 150 {
			t.Errorf("%s has %d lines", name, lines)
		}
		if !strings.Contains(page, `"clients/`+name+`"`) {
			t.Errorf("Integrate has no link to %s", name)
		}
	})
}

// Somebody may put a script between the tags of a page, with its comments.
func TestNothingEndsAScriptInAPage(t *testing.T) {
	for _, folder := range []string{"static/embed", "static/built"} {
		each(t, os.DirFS(folder), func(name, text string) {
			if path.Ext(name) == ".js" && regexp.MustCompile(`(?i)</script|<!--`).MatchString(text) {
				t.Errorf("%s/%s ends the script that it is in", folder, name)
			}
		})
	}
}

var imported = regexp.MustCompile(`(?m)^import [^'"]*['"](\.[^'"]+)['"]`)

func TestEveryImportedModuleExists(t *testing.T) {
	found := 0
	each(t, Static, func(name, text string) {
		if path.Ext(name) != ".js" || strings.HasPrefix(name, snippets) {
			return
		}
		for _, match := range imported.FindAllStringSubmatch(text, -1) {
			found++
			if _, err := fs.Stat(Static, path.Join(path.Dir(name), match[1])); err != nil {
				t.Errorf("%s imports %s: %v", name, match[1], err)
			}
		}
	})
	if found < 100 {
		t.Errorf("only %d imports were found", found)
	}
}

// TestModulesImportDownOnly also has the parts of what host pages load.
func TestModulesImportDownOnly(t *testing.T) {
	imports := map[string][]string{}
	each(t, os.DirFS("static"), func(name, text string) {
		for _, match := range imported.FindAllStringSubmatch(text, -1) {
			imports[name] = append(imports[name], path.Join(path.Dir(name), match[1]))
		}
	})
	below := map[string]bool{} // modules of which everything below is known to have no circle
	var visit func(name string, from []string)
	visit = func(name string, from []string) {
		if at := slices.Index(from, name); at >= 0 {
			t.Fatalf("a circle: %s", strings.Join(append(from[at:], name), " -> "))
		}
		for _, next := range imports[name] {
			if !below[next] {
				visit(next, append(slices.Clone(from), name))
			}
		}
		below[name] = true
	}
	for name := range imports {
		visit(name, nil)
	}
}

var lineComment = regexp.MustCompile(`(?m)^\s*(?://|/?\*).*$`)

func withoutComments(script string) string {
	return lineComment.ReplaceAllString(script, "")
}

func each(t *testing.T, root fs.FS, f func(name, text string)) {
	t.Helper()
	files := 0
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		f(name, read(t, root, name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("no files to check")
	}
}

func read(t *testing.T, root fs.FS, name string) string {
	t.Helper()
	data, err := fs.ReadFile(root, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPasswordFieldsAreForPasswordManagers has every field for a password hide what is typed and say which password it
// wants, and no script that keeps anybody from pasting.
func TestPasswordFieldsAreForPasswordManagers(t *testing.T) {
	field := regexp.MustCompile(`<input[^>]*password[^>]*>|h\('input', \{[^}]*password[^}]*\}`)
	fields := 0
	each(t, Static, func(name, text string) {
		if strings.Contains(text, "'paste'") || strings.Contains(text, "onpaste") {
			t.Errorf("%s looks at what is pasted", name)
		}
		for _, found := range field.FindAllString(text, -1) {
			fields++
			hides, says := regexp.MustCompile(`type(="|: ')password`), regexp.MustCompile(`autocomplete(="|: (isNew \? )?')(current|new)-password`)
			if !hides.MatchString(found) || !says.MatchString(found) {
				t.Errorf("%s: %s", name, found)
			}
		}
	})
	if fields < 3 {
		t.Errorf("%d fields for passwords were found", fields)
	}
}
