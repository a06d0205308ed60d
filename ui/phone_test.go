package ui_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestAllPagesAndTabsAreInSightOnNarrowScreens(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.open(in.url + "/integrate")
	b.until(`document.querySelector('[data-me]').textContent === 'root' && document.querySelector('.tabs button')`)
	b.eval(`void (document.querySelector('[data-me]').textContent = 'somebody.with.a.very.long.address@subsidiary.example')`)
	for _, width := range []int64{320, 360, 390, 620, 759, 768, 1200} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			b.run("shrinking", chromedp.EmulateViewport(width, 844))
			b.until(fmt.Sprintf(`innerWidth === %d`, width))
			if got := b.eval(`document.documentElement.scrollWidth`); got != fmt.Sprint(width) {
				t.Errorf("the page is %s wide", got)
			}
			// Whoever points at either end of one gets that one.
			if covered := b.eval(`[...document.querySelectorAll('.bar a, .bar button, .tabs button')].filter((e) => {
				e.scrollIntoView({ block: 'center', inline: 'nearest' });
				const { left, right, top, bottom } = e.getBoundingClientRect();
				return ![left + 2, right - 2].every((x) => e.contains(document.elementFromPoint(x, (top + bottom) / 2)));
			}).map((e) => e.textContent)`); covered != "" {
				t.Errorf("cut or covered: %s", covered)
			}
		})
	}
}
