//go:build unix

package ui_test

import (
	"context"
	"syscall"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
)

// suspend stops all processes of a tab's browser, as the sleep of its machine does.
func (b *tab) suspend() (wake func()) {
	b.t.Helper()
	all := value(b, "listing the browser's processes", func(ctx context.Context, _ *chromedp.Target) (systeminfo.GetProcessInfoResult, error) {
		return chromedp.CallBrowser(ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	})
	signal := func(s syscall.Signal) {
		for _, process := range all.ProcessInfo {
			if err := syscall.Kill(int(process.ID), s); err != nil {
				b.t.Errorf("%v for the %s process: %v", s, process.Type, err)
			}
		}
	}
	signal(syscall.SIGSTOP)
	return func() { signal(syscall.SIGCONT) }
}
