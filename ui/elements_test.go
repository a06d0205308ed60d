package ui_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheElementsInFrameworks has each framework render and change the elements, which sets attributes or properties.
func TestTheElementsInFrameworks(t *testing.T) {
	if os.Getenv("TEST_HOSTS") != "required" {
		t.Skip("the tests with the real frameworks run with TEST_HOSTS=required")
	}
	scripts := elementScripts(t)
	t.Run("the types are those of the elements and of the module", func(t *testing.T) {
		check := exec.Command(filepath.Join(scripts, "node_modules/.bin/tsc"), "--noEmit", "--strict", "--jsx", "react-jsx", "--module", "esnext",
			"--moduleResolution", "bundler", "--target", "es2022", filepath.Join(scripts, "types.tsx"))
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	for name, c := range map[string]struct{ script, page string }{
		"React 19":              {"react.js", "/"},
		"React 19 hydrating":    {"react.js", "/hydrated"},
		"React 19, script late": {"react.js", "/late"},
		"Vue 3":                 {"vue.js", "/"},
		"Vue 3, script late":    {"vue.js", "/late"},
		"Preact":                {"preact.js", "/"},
		"Preact, script late":   {"preact.js", "/late"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			elementsIn(t, filepath.Join(scripts, c.script), c.page)
		})
	}
}

// elementScripts is a folder with the applications of testdata/elements, bundled.
func elementScripts(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("testdata/elements")); err != nil {
		t.Fatal(err)
	}
	types, err := os.ReadFile("static/built/rollcall.d.mts")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "rollcall.d.mts"), types, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	npm.Dir = folder
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
	bundle := exec.Command("go", "tool", "esbuild", "--bundle", "--jsx=automatic", "--format=iife", "--log-level=warning", `--define:process.env.NODE_ENV="development"`,
		"--define:__VUE_OPTIONS_API__=true", "--define:__VUE_PROD_DEVTOOLS__=false", "--define:__VUE_PROD_HYDRATION_MISMATCH_DETAILS__=true",
		"--outdir="+folder, filepath.Join(folder, "react.jsx"), filepath.Join(folder, "preact.jsx"), "vue="+filepath.Join(folder, "vue.js"), "--allow-overwrite")
	if out, err := bundle.CombinedOutput(); err != nil {
		t.Fatalf("esbuild: %v\n%s", err, out)
	}
	return folder
}

func elementsIn(t *testing.T, script, page string) {
	var rollcall, first string
	routes := http.NewServeMux()
	routes.HandleFunc("/favicon.ico", func(http.ResponseWriter, *http.Request) {})
	routes.HandleFunc("/app.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		ours := fmt.Sprintf(`<script src="%[1]s/online-users-panel.js"></script><script src="%[1]s/online-users-badge.js"></script>`, rollcall)
		theirs := fmt.Sprintf(`<main></main><script>window.server = %q; window.first = %q</script><script src="/app.js"></script>`, rollcall, first)
		if r.URL.Path == "/late" {
			ours, theirs = theirs, ours
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><meta charset="utf-8">`, ours, theirs)
	})
	host := httptest.NewServer(routes)
	t.Cleanup(host.Close)
	in := serve(t, "--allow-origin", host.URL)
	rollcall = in.url
	backend := in.backend(t, "shop", "sessions,admin")
	first = watcher(t, backend, "wanda", "Wanda")
	b := browser(t)
	b.open(host.URL + page)
	b.until(listed("Wanda"))
	const badge = `document.querySelector('online-users-badge')`
	b.until(badge + `.shadowRoot.textContent.includes('1 online')`)

	t.Run("another token leaves on the screen what is there", func(t *testing.T) {
		b.eval(`void (() => {
			window.blanks = 0;
			window.updates = 0;
			const look = () => {
				if (!` + panel + `.querySelector('[data-user-id=wanda]') || !/\d online/.test(` + badge + `.shadowRoot.textContent)) blanks++;
			};
			window.looking = new MutationObserver(look);
			for (const { shadowRoot } of document.querySelectorAll('online-users-panel, online-users-badge')) {
				looking.observe(shadowRoot, { subtree: true, childList: true, characterData: true, attributes: true });
			}
			addEventListener('rollcall:updated', () => updates++);
		})()`)
		next, _ := json.Marshal(watcher(t, backend, "wanda", "Wanda"))
		b.eval(`void set({ token: ` + string(next) + `, refresh: 1800 })`)
		b.until(`[...document.querySelectorAll('online-users-panel, online-users-badge')].every((e) => e.getAttribute('token') === ` + string(next) + ` && e.getAttribute('refresh') === '1800')`)
		b.until(`updates >= 2`)
		if got := b.eval(`(looking.disconnect(), blanks)`); got != "0" {
			t.Errorf("blank %s times", got)
		}
	})
	t.Run("refresh() reads the list", func(t *testing.T) {
		b.eval(`void (updates = 0, document.querySelector('online-users-panel').refresh(), ` + badge + `.refresh())`)
		b.until(`updates === 2`)
	})
	t.Run("no token shows nobody", func(t *testing.T) {
		b.eval(`void set({ refresh: 60 })`)
		b.until(`!` + panel + `.querySelector('[data-user-id]') && ` + badge + `.shadowRoot.textContent.includes('– online')`)
		b.eval(`void set({ token: window.first, refresh: 60 })`)
		b.until(listed("Wanda"))
	})
	t.Run("gone and back", func(t *testing.T) {
		b.eval(`void show(false)`)
		b.until(`!document.querySelector('online-users-panel')`)
		b.eval(`void show(true)`)
		b.until(listed("Wanda"))
	})
}

// TestWhoMayNotSeeTheListIsNotAskedAgain has both elements with a token that the server refuses.
func TestWhoMayNotSeeTheListIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"an unknown token": 401, "a person without access": 403} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, `<!doctype html><link rel="icon" href="data:,"><script src="%[1]s/online-users-panel.js" async></script><script src="%[1]s/online-users-badge.js" async></script>
				<online-users-panel src="%[1]s" refresh="1"></online-users-panel><online-users-badge src="%[1]s" refresh="1"></online-users-badge>`)
			token := "a-token-that-nobody-knows"
			if status == 403 {
				token = login(t, s.backend, "ada", "Ada").Token
			}
			b := browser(t)
			tab := b.beside()
			tab.open(s.host)
			tab.until(panel + `.querySelector('[part=panel]').dataset.state === 'unauthenticated'`)
			tab.eval(`void document.querySelectorAll('online-users-panel, online-users-badge').forEach((e) => { e.token = '` + token + `' })`)
			asked := func(m message) bool { return strings.HasPrefix(m.text, "GET /admin/users/online") }
			ada := s.watch("ada")
			ada.until("is asked about twice", func(sample) bool { return len(s.wire.since(time.Time{}, asked)) >= 2 })
			ada.lasts(3 * time.Second)
			b.show()
			tab.until(`document.hidden`)
			tab.show()
			ada.lasts(3 * time.Second)
			if n := len(s.wire.since(time.Time{}, asked)); n != 2 {
				t.Errorf("%d questions, want one of each element", n)
			}
			good := watcher(t, s.backend, "wanda", "Wanda")
			tab.eval(`void document.querySelectorAll('online-users-panel, online-users-badge').forEach((e) => { e.token = '` + good + `' })`)
			tab.until(panel + `.querySelector('[data-user-id=wanda]')`)
			tab.until(`document.querySelector('online-users-badge').shadowRoot.textContent.includes(' online')`)
		})
	}
}
