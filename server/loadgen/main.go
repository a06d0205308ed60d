// Loadgen plays the browsers of many logged-in people against a server and
// prints how it did: answers per second, their times, errors, and the ratio to a
// handler that does nothing, on the same router in the same run.
//
//	go run ./server/loadgen -vs-noop
//	go run -tags postgres ./server/loadgen -postgres -vs-each
//	go run ./server/loadgen -sessions 1000000 -rate 16700 -duration 2m -list 5
//
// Without -url it starts a server of its own, in a second process, on an empty
// data folder; what it prints of memory and processors is that process alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"
)

type options struct {
	sessions    int
	connections int
	duration    time.Duration
	rate        int
	vsNoop      bool
	postgres    bool
	vsEach      bool
	rounds      int
	list        int
	panels      int
	stalled     int
	changes     int
	url, key    string
	data        string
}

func main() {
	if address := os.Getenv(subjectEnv); address != "" {
		exitOn(serveSubject(address))
		return
	}
	var o options
	flag.IntVar(&o.sessions, "sessions", 100_000, "people who are logged in")
	flag.IntVar(&o.connections, "connections", 256, "connections that heartbeats share")
	flag.DurationVar(&o.duration, "duration", 10*time.Second, "how long to play (with -vs-noop: each turn)")
	flag.IntVar(&o.rate, "rate", 0, "heartbeats per second; 0: as many as possible")
	flag.BoolVar(&o.vsNoop, "vs-noop", false, "take turns with a handler that does nothing and print the ratio")
	flag.BoolVar(&o.postgres, "postgres", false, "keep the sessions in a PostgreSQL of our own (needs -tags postgres)")
	flag.BoolVar(&o.vsEach, "vs-each", false, "with -postgres: take turns with a handler that does one UPDATE in a transaction of its own for each heartbeat")
	flag.IntVar(&o.rounds, "rounds", 5, "turns of each with -vs-noop or -vs-each")
	flag.IntVar(&o.list, "list", 0, "also read the first 50 people online this often per second")
	flag.IntVar(&o.panels, "panels", 0, "open this many live feeds and measure how soon all of them see a change")
	flag.IntVar(&o.stalled, "stalled", 0, "with -panels: open this many more that read nothing")
	flag.IntVar(&o.changes, "changes", 4, "with -panels: changes per second")
	flag.StringVar(&o.url, "url", "", "a running server; default: one of our own")
	flag.StringVar(&o.key, "key", "", "key of that server with the scopes sessions and read")
	flag.StringVar(&o.data, "data", "", "data folder of our own server; default: a temporary one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exitOn(run(ctx, o))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.sessions < o.connections || o.connections < 1 || o.duration <= 0 || o.rounds < 1 {
		return fmt.Errorf("there must be at least one connection, a session for each, one round and some time")
	}
	if o.url != "" && (o.key == "" || o.vsNoop || o.postgres) || o.vsEach && !o.postgres {
		return fmt.Errorf("-url needs -key, -vs-noop and -postgres need a server of our own, and -vs-each needs -postgres")
	}
	target := &subject{url: o.url, key: o.key}
	if o.url == "" {
		var err error
		if target, err = startSubject(ctx, o); err != nil {
			return err
		}
		defer target.stop()
	}
	fmt.Printf("%d sessions, %d connections, %d processors, %s\n", o.sessions, o.connections, runtime.NumCPU(), runtime.Version())
	tokens, err := logIn(ctx, target, o)
	if err != nil {
		return err
	}
	players := share(tokens, o.connections)
	// As after the first minute: everybody has beaten, in the order that stays.
	if err := showTurn("first beats", play(ctx, target, players, turn{path: heartbeat, once: true})); err != nil {
		return err
	}
	if o.vsNoop {
		return compare(ctx, target, players, o, rival{"nothing", "/noop", "a handler that does nothing"})
	}
	if o.vsEach {
		if err := showTurn("begun there", play(ctx, target, players, turn{path: "/each/begin", once: true})); err != nil {
			return err
		}
		return compare(ctx, target, players, o, rival{"each its own", "/each/beat", "a handler that does one UPDATE for each"})
	}
	if o.panels > 0 {
		return watch(ctx, target, players, o)
	}
	return sustain(ctx, target, players, o)
}

const heartbeat = "/admin/users/heartbeat"

// showTurn prints a turn and returns what went wrong in it.
func showTurn(name string, f figures) error {
	f.print(name)
	return f.problem()
}

// rival is another handler to take turns with.
type rival struct{ name, path, words string }

// compare takes turns between the heartbeat and another handler, so that a
// machine that slows down slows down both.
func compare(ctx context.Context, target *subject, players []*player, o options, r rival) error {
	var others, beats figures
	var ratios []float64
	for range o.rounds {
		other := play(ctx, target, players, turn{path: r.path, duration: o.duration})
		beat := play(ctx, target, players, turn{path: heartbeat, duration: o.duration})
		if err := ctx.Err(); err != nil {
			return err
		}
		other.print(r.name)
		beat.print("heartbeats")
		others.add(other)
		beats.add(beat)
		ratios = append(ratios, beat.rate()/other.rate())
	}
	fmt.Println("all rounds together:")
	others.print(r.name)
	beats.print("heartbeats")
	low, middle, high := spread(ratios)
	fmt.Printf("%-12s %.2f of %s (median of %d rounds; %.2f to %.2f)\n", "ratio", middle, r.words, o.rounds, low, high)
	target.printUse()
	return errors.Join(others.problem(), beats.problem())
}

// sustain plays at one rate, and reads the list meanwhile if asked to.
func sustain(ctx context.Context, target *subject, players []*player, o options) error {
	lists := make(chan figures, 1)
	listing, stop := context.WithCancel(ctx)
	go func() { lists <- readLists(listing, target, o) }()
	target.resetUse()
	beats := play(ctx, target, players, turn{path: heartbeat, duration: o.duration, rate: o.rate})
	stop()
	err := showTurn("heartbeats", beats)
	if list := <-lists; o.list > 0 {
		err = errors.Join(err, showTurn("list of 50", list))
	}
	target.printUse()
	return err
}
