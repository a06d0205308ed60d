package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"rollcall/server/client"
)

// player is one connection's share of the sessions. Like browsers with their
// interval, it beats for each of them in turn, always in the same order.
type player struct {
	tokens []string
	next   int // the token whose turn it is
}

func (p *player) token() string {
	token := p.tokens[p.next]
	p.next = (p.next + 1) % len(p.tokens)
	return token
}

// share deals the tokens out, shuffled: people do not beat in the order in which
// their rows lie on disk.
func share(tokens []string, n int) []*player {
	rand.Shuffle(len(tokens), func(a, b int) { tokens[a], tokens[b] = tokens[b], tokens[a] })
	players := make([]*player, n)
	for i := range players {
		players[i] = &player{tokens: tokens[i*len(tokens)/n : (i+1)*len(tokens)/n]}
	}
	return players
}

// again are the same players at the same sessions, from the first on.
func again(players []*player) []*player {
	all := make([]*player, len(players))
	for i, p := range players {
		all[i] = &player{tokens: p.tokens}
	}
	return all
}

// turn is one measurement: how much is sent, and until when.
type turn struct {
	duration time.Duration
	rate     int  // requests per second over all players; 0: as many as possible
	once     bool // every session once, however long that takes
}

// play has all players take a turn and measures it. At a fixed rate the time of
// an answer counts from when its request was due, not from when a busy
// connection got round to it.
func play(ctx context.Context, target *subject, t turn) figures {
	players := target.players
	each := make([]figures, len(players))
	written, _ := writtenTo(target.disk)
	start := time.Now()
	var wg sync.WaitGroup
	for i, p := range players {
		wg.Go(func() { each[i] = p.play(ctx, target, start, t, t.pace(i, len(players))) })
	}
	wg.Wait()
	total := figures{took: time.Since(start), written: -1}
	if now, err := writtenTo(target.disk); err == nil {
		total.written = now - written
	}
	for _, f := range each {
		total.times = append(total.times, f.times...)
		total.errors += f.errors
		if total.first == nil {
			total.first = f.first
		}
	}
	return total
}

// schedule says when the k-th request of a connection is due.
type schedule func(k int) time.Duration

// pace spreads a fixed rate evenly over n players; nil without one.
func (t turn) pace(i, n int) schedule {
	if t.rate == 0 {
		return nil
	}
	gap := time.Second * time.Duration(n) / time.Duration(t.rate)
	return func(k int) time.Duration { return gap*time.Duration(k) + gap*time.Duration(i)/time.Duration(n) }
}

func (p *player) play(ctx context.Context, target *subject, start time.Time, t turn, due schedule) (f figures) {
	c, err := dial(target.URL)
	if err != nil {
		return figures{errors: 1, first: err}
	}
	defer c.Close()
	for k := 0; ctx.Err() == nil; k++ {
		from := time.Now()
		if due != nil {
			from = start.Add(due(k))
		}
		if t.once && k == len(p.tokens) || !t.once && from.Sub(start) >= t.duration {
			break
		}
		time.Sleep(time.Until(from))
		if err := c.beat(p.token()); err != nil {
			f.fail(err)
			if c, err = dial(target.URL); err != nil {
				f.fail(err)
				return f
			}
			continue
		}
		f.times = append(f.times, time.Since(from))
	}
	return f
}

// conn is a kept-alive connection that speaks as much HTTP as a heartbeat needs.
// A whole HTTP client would take more of the processors than the server does.
type conn struct {
	net.Conn
	in   *bufio.Reader
	head string
	out  []byte
}

func dial(address string) (*conn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	head := "POST " + u.Path + heartbeat + " HTTP/1.1\r\nHost: " + u.Host + "\r\nContent-Type: application/json\r\nAuthorization: Bearer "
	return &conn{Conn: c, in: bufio.NewReader(c), head: head}, nil
}

const beatBody = `{"idle_ms":1200,"visible":true,"page":"/orders/2041"}`

var beatTail = "\r\nContent-Length: " + strconv.Itoa(len(beatBody)) + "\r\n\r\n" + beatBody

func (c *conn) beat(token string) error {
	c.out = append(append(append(c.out[:0], c.head...), token...), beatTail...)
	if _, err := c.Write(c.out); err != nil {
		return err
	}
	return c.answer()
}

// answer reads one answer, which must be a 200.
func (c *conn) answer() error {
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	wrong := ""
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		wrong = strings.TrimSpace(string(status))
	}
	length := 0
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if name := "Content-Length: "; len(line) > len(name) && string(line[:len(name)]) == name {
			length, _ = strconv.Atoi(strings.TrimSpace(string(line[len(name):])))
		}
	}
	body, err := c.in.Peek(length)
	if err == nil && wrong != "" {
		err = fmt.Errorf("%s: %s", wrong, body)
	}
	if _, skipErr := c.in.Discard(length); err == nil {
		err = skipErr
	}
	return err
}

// readLists reads the first page of the list at a fixed rate until ctx ends.
func readLists(ctx context.Context, target *subject, o options) (f figures) {
	if o.list == 0 {
		return f
	}
	asked := client.New(target.URL, target.Key, client.WithConnections(4))
	start := time.Now()
	gap := time.Second / time.Duration(o.list)
	for k := 0; ; k++ {
		due := start.Add(gap * time.Duration(k))
		select {
		case <-ctx.Done():
			f.took = time.Since(start)
			return f
		case <-time.After(time.Until(due)):
		}
		if _, err := asked.Online(ctx, client.OnlineFilter{Limit: 50}); err == nil {
			f.times = append(f.times, time.Since(due))
		} else if ctx.Err() == nil {
			f.fail(err)
		}
	}
}
