package server

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/ui"
)

func TestWhatIsStrippedOfAScript(t *testing.T) {
	for name, c := range map[string]struct{ source, sent string }{
		"a comment line goes, its line stays":                   {"a();\n  // why\nb();\n", "a();\n\nb();\n"},
		"a comment behind code stays":                           {"a(); // why\n", "a(); // why\n"},
		"a block with lines of its own goes":                    {"/*\n * a\n */\nb();\n", "\n\n\nb();\n"},
		"a block that shares its first line stays":              {"a(); /* b\n // c\n*/\n", "a(); /* b\n// c\n*/\n"},
		"a block that shares its last line stays":               {"/* a\n b */ c();\n", "/* a\nb */ c();\n"},
		"two comments in a line stay":                           {"/* a */ // b\n", "/* a */ // b\n"},
		"indentation goes, the end of a line stays":             {"\t  a();  \r\n", "a();  \r\n"},
		"the last line may be without an end":                   {"a();\n // b", "a();\n"},
		"a template keeps its lines":                            {"x = `a\n  // b\n  /* c */\n`;\n", "x = `a\n  // b\n  /* c */\n`;\n"},
		"a template of templates keeps them too":                {"x = `a ${f({}, `\n  b`)}\n  // c`;\n  // d\n", "x = `a ${f({}, `\n  b`)}\n  // c`;\n\n"},
		"an expression in a template is code":                   {"x = `a${\n  // b\n  c}\n  d`;\n", "x = `a${\n\nc}\n  d`;\n"},
		"an escaped backtick ends no template":                  {"x = `\\`\n  // a`;\n", "x = `\\`\n  // a`;\n"},
		"a backtick in a string begins no template":             {"x = '`';\n  // a\ny = \"`\";\n", "x = '`';\n\ny = \"`\";\n"},
		"a backtick in a comment begins no template":            {"// `\n  // a\n", "\n\n"},
		"a backtick in an expression begins no template":        {"x = /[`/]/.test(y);\n  // a\n", "x = /[`/]/.test(y);\n\n"},
		"an expression may begin a line of a call":              {"f(\n  /'/,\n  // a\n);\n", "f(\n/'/,\n\n);\n"},
		"a slash divides":                                       {"x = (a) / b / '//';\n  y = c / 2; // d\n", "x = (a) / b / '//';\ny = c / 2; // d\n"},
		"a string goes on behind an escaped end of line":        {"x = 'a\\\n  // b';\n", "x = 'a\\\n  // b';\n"},
		"a string with slashes is no comment":                   {"x = [\n  '// a',\n  'http://b',\n];\n", "x = [\n'// a',\n'http://b',\n];\n"},
		"a template without end is sent as it is":               {"  x = `a\n  // b\n", "  x = `a\n  // b\n"},
		"a string without end is sent as it is":                 {"  x = 'a\n  // b\n", "  x = 'a\n  // b\n"},
		"a block without end is sent as it is":                  {"  x\n  /* a\n", "  x\n  /* a\n"},
		"a dollar before a template's end is no expression":     {"x = `$`;\n  // a\n", "x = `$`;\n\n"},
		"an object in a template's expression ends no template": {"x = `${{ a: {} }}\n  b`;\n  // c\n", "x = `${{ a: {} }}\n  b`;\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.sent, string(strip("a.js", []byte(c.source)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsStrippedOfAStyleSheet(t *testing.T) {
	source := "/* a\n   b */\n.c {\n  d: url(//e); // no comment here\n  content: \"/*\";\n  /* f */\n}\n"
	want := "\n\n.c {\nd: url(//e); // no comment here\ncontent: \"/*\";\n\n}\n"
	if diff := cmp.Diff(want, string(strip("a.css", []byte(source)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"a.html", "a.svg", "a.yaml"} {
		if got := strip(name, []byte(source)); string(got) != source {
			t.Errorf("%s is not sent as it is: %q", name, got)
		}
	}
}

// TestAnyMixtureIsStrippedPieceByPiece puts scripts together from pieces of
// which it is known what is sent.
func TestAnyMixtureIsStrippedPieceByPiece(t *testing.T) {
	pieces := [][2]string{
		{"  // it's `not` code\n", "\n"},
		{"\t/* \"a\n * `b\n */\n", "\n\n\n"},
		{"  a(); // it's\n", "a(); // it's\n"},
		{"  const b = '\\'`// c';\n", "const b = '\\'`// c';\n"},
		{"  const d = /[\"'`]\\/\\//g.test(e) / 2;\n", "const d = /[\"'`]\\/\\//g.test(e) / 2;\n"},
		{"  const f = `\n    // g ${h}\n  \\` ${`  '${i}\n  /*`} \"\n`;\n", "const f = `\n    // g ${h}\n  \\` ${`  '${i}\n  /*`} \"\n`;\n"},
		{"  if (j) {\n    k = { l: m / 2 };\n  }\n", "if (j) {\nk = { l: m / 2 };\n}\n"},
		{"  return n / 3 /* o */;\n", "return n / 3 /* o */;\n"},
		{"\n", "\n"},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var source, want strings.Builder
		for range random.IntN(12) {
			piece := pieces[random.IntN(len(pieces))]
			source.WriteString(piece[0])
			want.WriteString(piece[1])
		}
		if got := string(strip("a.js", []byte(source.String()))); got != want.String() {
			t.Fatalf("%s\n(-want +got):\n%s", source.String(), cmp.Diff(want.String(), got))
		}
	}
}

// FuzzStrip holds for every text that only spaces and comment lines go.
func FuzzStrip(f *testing.F) {
	f.Add("a\n // b\n/* c\n*/ `${d}`\n/e/", true)
	f.Fuzz(func(t *testing.T, source string, script bool) {
		name := map[bool]string{true: "a.js", false: "a.css"}[script]
		sent := strip(name, []byte(source))
		before, after := strings.Split(source, "\n"), strings.Split(string(sent), "\n")
		if len(before) != len(after) {
			t.Fatalf("%d lines became %d", len(before), len(after))
		}
		for i, line := range before {
			if after[i] != "" && after[i] != line && after[i] != strings.TrimLeft(line, " \t") {
				t.Errorf("%q became %q", line, after[i])
			}
		}
		if again := strip(name, sent); !bytes.Equal(again, sent) {
			t.Errorf("once more: %q became %q", sent, again)
		}
	})
}

func TestEveryScriptOfOursIsUnderstood(t *testing.T) {
	err := fs.WalkDir(ui.Static, ".", func(name string, _ fs.DirEntry, err error) error {
		if kind := path.Ext(name); err != nil || kind != ".js" && kind != ".css" {
			return err
		}
		source, err := fs.ReadFile(ui.Static, name)
		if s := (&scanner{source: source, script: path.Ext(name) == ".js"}); !s.scan() {
			t.Errorf("%s: stopped at %q", name, s.line(min(s.at, len(source))))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
