package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
)

// panels are open live feeds, all waiting for the same change.
type panels struct {
	feeds   []*client.Feed
	stalled []net.Conn // opened, and then never read
	live    figures    // of opening them

	changed atomic.Pointer[change]
	errors  atomic.Int64
}

// change is one change of the list, and when each panel saw it.
type change struct {
	page  string
	at    time.Time
	seen  sync.WaitGroup
	mu    sync.Mutex
	times []time.Duration
}

// openPanels follows the list n times, and stalled times more without reading.
func openPanels(ctx context.Context, target *subject, o options) (*panels, error) {
	p := &panels{}
	asked := client.New(target.URL, target.Key)
	start := time.Now()
	for range o.panels {
		if err := p.open(ctx, asked); err != nil {
			return nil, err
		}
	}
	p.live.took = time.Since(start)
	for range o.stalled {
		conn, err := stall(target, target.Key)
		if err != nil {
			return nil, err
		}
		p.stalled = append(p.stalled, conn)
	}
	for _, feed := range p.feeds {
		go p.read(ctx, feed)
	}
	return p, nil
}

// open opens one panel, which is live once it has heard hello, after which nothing is missed, and has read the list.
func (p *panels) open(ctx context.Context, asked *client.Client) error {
	start := time.Now()
	feed, err := asked.Live(ctx, nil)
	if err != nil {
		return fmt.Errorf("following the list: %w", err)
	}
	p.feeds = append(p.feeds, feed)
	if _, err := feed.Next(ctx); err != nil {
		return err
	}
	if _, err := asked.Online(ctx, client.OnlineFilter{Limit: 100}); err != nil {
		return err
	}
	p.live.times = append(p.live.times, time.Since(start))
	return nil
}

// stall opens a feed with the smallest buffer there is, and reads nothing of it.
func stall(target *subject, credential string) (net.Conn, error) {
	u, err := url.Parse(target.URL)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	_ = conn.(*net.TCPConn).SetReadBuffer(1)
	_, err = fmt.Fprintf(conn, "GET /admin/users/online/live HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", u.Host, credential)
	return conn, err
}

func (p *panels) read(ctx context.Context, feed *client.Feed) {
	for {
		event, err := feed.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				p.errors.Add(1)
			}
			return
		}
		c := p.changed.Load()
		if c == nil || event.User == nil || event.User.Page != c.page {
			continue
		}
		took := time.Since(c.at)
		c.mu.Lock()
		c.times = append(c.times, took)
		c.mu.Unlock()
		c.seen.Done()
	}
}

// watchChanges turns somebody's page o.changes times a second, everybody's in
// turn, and measures until every panel has seen it, from before the heartbeat was sent.
func watchChanges(ctx context.Context, target *subject, p *panels, people *player, o options) (f figures) {
	asked := client.New(target.URL, "")
	start := time.Now()
	tick := time.NewTicker(time.Second / time.Duration(o.changes))
	defer tick.Stop()
	for n := 0; time.Since(start) < o.duration && ctx.Err() == nil; n++ {
		c := &change{page: "/page/" + strconv.Itoa(n), at: time.Now()}
		c.seen.Add(len(p.feeds))
		p.changed.Store(c)
		if _, err := asked.Heartbeat(ctx, people.token(), api.Heartbeat{Page: &c.page}); err != nil {
			f.fail(err)
			break
		}
		if !waitFor(&c.seen, 10*time.Second) {
			f.fail(errors.New("a panel did not see a change within 10 s"))
			break
		}
		f.times = append(f.times, c.times...)
		<-tick.C
	}
	f.took = time.Since(start)
	f.errors += int(p.errors.Load())
	return f
}

func waitFor(wg *sync.WaitGroup, limit time.Duration) bool {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

// watch opens the panels and measures how soon they are live and see changes, while the
// sessions beat at their rate, if there is one.
func watch(ctx context.Context, target *subject, o options) error {
	if target.process != nil && !o.postgres { // the first panel asks a server that has just started
		if err := target.restart(); err != nil {
			return err
		}
	}
	target.resetUse()
	before := target.memory()
	turner := target.players[0]
	target.players = target.players[1:]
	beating, stop := context.WithCancel(ctx)
	defer stop()
	beats := make(chan figures, 1)
	go func() {
		if o.rate == 0 {
			beats <- figures{}
			return
		}
		beats <- play(beating, target, turn{duration: time.Hour, rate: o.rate})
	}()
	p, err := openPanels(ctx, target, o)
	if err != nil {
		return err
	}
	fmt.Printf("%-12s %d open, %d of them stalled; the server grew by %d MB\n", "panels", len(p.feeds)+len(p.stalled), len(p.stalled), target.memory()-before)
	fmt.Printf("%-12s the first after %s\n", "panel live", p.live.times[0].Round(time.Millisecond))
	p.live.print("panel live")
	slow, err := openSlow(ctx, target, person(o.sessions))
	if err != nil {
		return err
	}
	target.resetUse()
	seen := watchChanges(ctx, target, p, turner, o)
	used := target.processorEach(len(seen.times) / len(p.feeds))
	if slow != nil {
		err = slow.revoke(ctx, target)
	}
	stop()
	if beat := <-beats; o.rate > 0 {
		beat.print("heartbeats")
	}
	err = errors.Join(err, showTurn("changes seen", seen))
	fmt.Printf("%-12s %s CPU, heartbeats included\n", "each change", used)
	target.printUse()
	return err
}
