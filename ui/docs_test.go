package ui_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"go.yaml.in/yaml/v4"

	"rollcall/ui"
)

// documented is a text that /docs shows.
func documented(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(ui.Static, "pages/docs/proxy/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheFormOfTheTraefikSnippets is all that is known of them.
func TestTheFormOfTheTraefikSnippets(t *testing.T) {
	for name, rule := range map[string]string{
		"traefik.yml":      "Host(`rollcall.example`)",
		"traefik-path.yml": "Host(`intranet.example`) && (Path(`/rollcall`) || PathPrefix(`/rollcall/`))",
	} {
		var config struct {
			HTTP struct {
				Routers map[string]struct {
					Rule, Service string
					EntryPoints   []string          `yaml:"entryPoints"`
					TLS           map[string]string `yaml:"tls"`
				}
				Services map[string]struct {
					LoadBalancer struct{ Servers []struct{ URL string } } `yaml:"loadBalancer"`
				}
			}
		}
		decoder := yaml.NewDecoder(strings.NewReader(documented(t, name)))
		decoder.KnownFields(true)
		if err := decoder.Decode(&config); err != nil {
			t.Fatal(name, err)
		}
		router := config.HTTP.Routers["rollcall"]
		servers := config.HTTP.Services[router.Service].LoadBalancer.Servers
		if router.Rule != rule || !slices.Equal(router.EntryPoints, []string{"websecure"}) || router.TLS["certResolver"] == "" || len(servers) != 1 || servers[0].URL != "http://127.0.0.1:8080" {
			t.Errorf("%s says %+v", name, config)
		}
	}
}

func TestTheDocumentation(t *testing.T) {
	b := browser(t)
	in := serve(t, "--base-path", "/who")
	b.open(in.url + "/docs") // before there is an account
	b.until(`document.querySelector('[data-tab=nginx]').getAttribute('aria-selected') === 'true'`)

	t.Run("the address of this server is filled in", func(t *testing.T) {
		code := b.eval(`document.querySelector('[data-proxy=nginx] .block:last-child pre code').textContent`)
		if !strings.Contains(code, "location ^~ /who/ {") || !strings.Contains(code, "proxy_pass http://"+in.address+";") {
			t.Error(code)
		}
		if all := b.eval(`document.querySelector('main').textContent`); strings.Contains(all, "127.0.0.1:8080") || strings.Contains(all, "/rollcall/") {
			t.Error("some other address was left:", all)
		}
	})
	t.Run("a copy is what is shown", func(t *testing.T) {
		b.eval(`(() => { window.copied = []; Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { copied.push(text) } } }) })()`)
		b.click(`[aria-labelledby=step-start] [data-copy]`)
		b.until(`copied[0] === document.querySelector('pre code').textContent && document.querySelector('[data-copy]').textContent === 'Copied'`)
	})
	t.Run("one proxy at a time, by keyboard", func(t *testing.T) {
		b.eval(`document.querySelector('[data-tab=nginx]').focus()`)
		b.run("pressing the arrows", chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
		b.until(`document.activeElement.dataset.tab === 'traefik' && [...document.querySelectorAll('[data-proxy]')].filter((e) => e.checkVisibility()).map((e) => e.dataset.proxy).join() === 'traefik'`)
		b.until(`document.querySelector('[data-proxies]').innerText.includes('Not tried')`)
	})
	t.Run("a phone scrolls the code, not the page", func(t *testing.T) {
		b.run("shrinking", chromedp.EmulateViewport(390, 844))
		b.until(`document.documentElement.scrollWidth <= 390`)
	})
}
