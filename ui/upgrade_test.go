package ui_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rollcall/server/api"
)

// nextVersion is the program with a style sheet that has changed.
var nextVersion = sync.OnceValues(func() (string, error) {
	sheet, err := filepath.Abs("static/base/base.css")
	if err != nil {
		return "", err
	}
	css, err := os.ReadFile(sheet)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(scratch, "base.css"), filepath.Join(scratch, "overlay.json")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{sheet: changed}})
	if err != nil {
		return "", err
	}
	for path, content := range map[string][]byte{changed: append(css, "/* next */\n"...), overlay: replaced} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return "", err
		}
	}
	return build("rollcall-next", "-overlay", overlay)
})

// upgraded replaces an instance by the next version.
func (in instance) upgraded(t *testing.T, args ...string) {
	t.Helper()
	in.stop()
	start(t, nextVersion, in.data, strings.TrimPrefix(in.url, "http://"), args...)
}

func TestAPageOfAnApplicationThatIsOpenDuringAnUpgradeShowsNoticesAfterIt(t *testing.T) {
	g := newGuest(t, "")
	g.in.upgraded(t, "--allow-origin", g.host)
	g.announces(api.NoticeInput{Message: "Restart"})
	g.beats(says("Restart"))
}

func TestAPageThatIsOpenDuringAnUpgradeGetsNoScriptOfAnotherVersion(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.until(follows("Live"))
	before := b.eval(`document.querySelector('script[type=module]').src`)
	in.upgraded(t)
	b.until(follows("Live"))
	login(t, in.backend(t, "shop", "sessions"), "ada", "Ada")
	b.until(light("hold", "Hold", "● 1 online – Rollcall"))
	b.clickIn(`[data-user-id=ada] [part=name]`)
	b.until(panel + `.querySelector('[part=notice]').innerText.includes('Rollcall was upgraded')`)
	b.clickIn(`[part=notice] button`)
	b.until(panel + `?.querySelector('[part=notice]').hidden`)
	b.until(listed("Ada"))
	if after := b.eval(`document.querySelector('script[type=module]').src`); after == before {
		t.Error("the server is of the same version, so this shows nothing")
	}
	b.clickIn(`[data-user-id=ada] [part=name]`)
	b.until(panel + `.querySelector('[part=details]').open`)
}
