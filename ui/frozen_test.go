package ui_test

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// freezingProxy is a TCP proxy that can freeze: then nothing goes through it and nothing ends, as
// with a network that loses every packet.
type freezingProxy struct {
	address string
	flow    sync.RWMutex // locked while it is frozen
}

func freezing(t *testing.T, to string) *freezingProxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &freezingProxy{address: ln.Addr().String()}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				far, err := net.Dial("tcp", to)
				if err != nil {
					near.Close()
					return
				}
				go p.copy(far, near)
				p.copy(near, far)
			}()
		}
	}()
	return p
}

func (p *freezingProxy) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.flow.RLock()
		_, failed := to.Write(buffer[:n])
		p.flow.RUnlock()
		if err != nil || failed != nil {
			return
		}
	}
}

// TestTheLightIsUnknownOnceTheServerIsSilent has somebody log in while a page that says
// that it is safe gets no answer and no error. It may stand for 15 s; patience is twice that.
func TestTheLightIsUnknownOnceTheServerIsSilent(t *testing.T) {
	for _, path := range []string{"/", "/deploy"} {
		t.Run(path, func(t *testing.T) {
			b := browser(t)
			in := serve(t, "--heartbeat", soon)
			proxy := freezing(t, strings.TrimPrefix(in.url, "http://"))
			backend := in.backend(t, "shop", "sessions,admin")
			through := in
			through.url = "http://" + proxy.address
			through.setup = strings.Replace(in.setup, in.url, through.url, 1)
			b.setUpAccount(through)
			b.open(through.url + path)
			b.until(light("clear", "Clear", "○ 0 online – Rollcall"))

			proxy.flow.Lock()
			thaw := sync.OnceFunc(proxy.flow.Unlock)
			defer thaw()
			beat(t, backend, login(t, backend, "ada", "Ada").Token)
			b.until(`document.querySelector('[data-gate]').dataset.level === 'unknown' && document.querySelector('[data-why]').textContent.includes('is not known')`)
			thaw()
			b.until(light("hold", "Hold", "● 1 online – Rollcall"))
		})
	}
}

// TestTheLightOfAPageThatIsLookedAtAgainIsUnknownUntilItHasAsked shows a page that was
// hidden for a minute, while the server does not answer yet.
func TestTheLightOfAPageThatIsLookedAtAgainIsUnknownUntilItHasAsked(t *testing.T) {
	b := browser(t)
	in := serve(t, "--heartbeat", soon)
	b.setUpAccount(in)
	b.open(in.url + "/deploy")
	b.until(light("clear", "Clear", "○ 0 online – Rollcall"))
	level := b.eval(`(() => {
		const hide = (hidden) => {
			Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
			document.dispatchEvent(new Event('visibilitychange'));
		};
		hide(true);
		const { fetch, now = Date.now } = window;
		Date.now = () => now() + 60000;
		window.fetch = () => new Promise(() => {});
		hide(false);
		window.fetch = fetch;
		return document.querySelector('[data-gate]').dataset.level;
	})()`)
	if level != "unknown" {
		t.Errorf("a page whose answer is a minute old says %s", level)
	}
	b.until(light("clear", "Clear", "○ 0 online – Rollcall"))
}

// TestTheLightIsClearByTheGatesAnswerAlone has a list that says that nobody is there, which may
// have been under way for long, while the gate does not answer.
func TestTheLightIsClearByTheGatesAnswerAlone(t *testing.T) {
	b := browser(t)
	in := serve(t)
	backend := in.backend(t, "shop", "sessions,admin")
	b.setUpAccount(in)
	beat(t, backend, login(t, backend, "ada", "Ada").Token)
	b.until(light("hold", "Hold", "● 1 online – Rollcall"))
	level := b.eval(`(() => {
		document.dispatchEvent(new CustomEvent('rollcall:updated', { detail: { all: true, level: 'clear', counts: {} } }));
		return document.querySelector('[data-gate]').dataset.level;
	})()`)
	if level != "hold" {
		t.Errorf("the light is %s by a list's answer", level)
	}
}
