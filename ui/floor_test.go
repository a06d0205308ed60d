package ui

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// browsers are the oldest versions in which something works.
type browsers struct{ chrome, firefox, safari float64 }

func (b browsers) String() string {
	return fmt.Sprintf("Chrome %v, Firefox %v and Safari %v", b.chrome, b.firefox, b.safari)
}

// target is how esbuild names them.
func (b browsers) target() string {
	return fmt.Sprintf("--target=chrome%v,firefox%v,safari%v", b.chrome, b.firefox, b.safari)
}

// The floors of what host pages load, as the README has them: heartbeats, and all that is shown.
var (
	heartbeatFloor = browsers{91, 79, 14.1}
	shownFloor     = browsers{93, 101, 16.4}
)

// floorOf is the floor of a file in static/built.
func floorOf(name string) browsers {
	if strings.HasPrefix(name, "online-users") || name == "heartbeat-notices.js" {
		return shownFloor
	}
	return heartbeatFloor
}

// newAPIs are what is newer than the floor of heartbeats, and from when on it can be had. What stands behind
// ?. or in attempt() is not among them.
var newAPIs = map[string]browsers{
	`\.at\(`: {92, 90, 15.4}, `Object\.hasOwn\(`: {93, 92, 15.4}, `\bstructuredClone\(`: {98, 94, 15.4}, `\.findLast(Index)?\(`: {97, 104, 15.4},
	`AbortSignal\.timeout`: {103, 100, 16}, `AbortSignal\.any`: {116, 124, 17.4}, `\.randomUUID\(`: {92, 95, 15.4}, `\.throwIfAborted\(`: {100, 97, 15.4},
	`\.to(Sorted|Reversed|Spliced)\(`: {110, 115, 16}, `\.with\(`: {110, 115, 16}, `Object\.groupBy\(`: {117, 119, 17.4}, `Promise\.withResolvers`: {119, 121, 17.4},
	`Promise\.try\(`: {128, 134, 18.2}, `Array\.fromAsync\(`: {121, 115, 16.4}, `URL\.(canParse|parse)\(`: {126, 126, 18}, `\.(union|intersection|difference)\(`: {122, 127, 17},
	`adoptedStyleSheets`: {73, 101, 16.4}, `\.replaceSync\(`: {73, 101, 16.4}, `\.showPopover\(`: {114, 125, 17}, `:popover-open`: {114, 125, 17},
	`\.showModal\(`: {37, 98, 15.4}, `\.requestSubmit\(`: {76, 75, 16}, `\.checkVisibility\(`: {105, 106, 17.4}, `\.replaceChildren\(`: {86, 78, 14},
	`\blight-dark\(`: {123, 120, 17.5}, `:has\(`: {105, 121, 15.4}, `@container`: {105, 110, 16}, `\(\?<[=!]`: {62, 78, 16.4}, `/[dgimsuy]*v[dgimsuy]*[,;)]`: {112, 116, 17},
	`requestIdleCallback`: {47, 55, 99}, `keepalive`: {66, 133, 13}, `fetchLater`: {135, 999, 999}, `\bscheduler\.`: {94, 142, 99}, `CSSStyleSheet\(`: {73, 101, 16.4},
}

// harmless is what is newer where doing without is no harm: a beacon says goodbye too, colours are those of the
// page, all places are wide, and only one's own status is set by a menu in the panel.
var harmless = regexp.MustCompile(`keepalive|light-dark|@container|:has|showPopover|:popover-open`)

func TestTheScriptsForHostPagesWorkInTheBrowsersOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, floor := range []browsers{heartbeatFloor, shownFloor} {
		if !bytes.Contains(readme, []byte(floor.String())) {
			t.Errorf("the README does not say %q", floor)
		}
		checkSyntax(t, floor)
	}
	for name, text := range folder(t, "static/built") {
		for api, since := range newAPIs {
			found := regexp.MustCompile(api).Find(text)
			if floor := floorOf(name); found != nil && !harmless.Match(found) && (since.chrome > floor.chrome || since.firefox > floor.firefox || since.safari > floor.safari) {
				t.Errorf("%s uses %s, which is in %s only, and is to work in %s", name, found, since, floor)
			}
		}
	}
}

// checkSyntax builds everything for these browsers: what they do not know would be written in other words.
func checkSyntax(t *testing.T, floor browsers) {
	t.Helper()
	source, err := os.ReadFile("ui.go")
	if err != nil {
		t.Fatal(err)
	}
	built := t.TempDir()
	for _, match := range generates.FindAllStringSubmatch(string(source), -1) {
		command := strings.Fields(strings.Replace(match[1], "--outdir=static/built", "--log-limit=3 --outdir="+built+" "+floor.target(), 1))
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", match[1], err, out)
		}
	}
	kept := folder(t, "static/built")
	for name, text := range folder(t, built) {
		if floorOf(name) == floor && !bytes.Equal(text, kept[name]) {
			t.Errorf("%s has syntax that is not in all of %s", name, floor)
		}
	}
}
