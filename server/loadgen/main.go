// Loadgen plays the browsers of many logged-in people against a server and
// prints how it did: answers per second, their times, errors, and what they cost.
// Beside it, in turns of the same run, it can play them against others: a handler
// that does nothing, the design that Rollcall grew out of, and Redis.
//
//	go run ./server/loadgen -vs-noop -vs-redis
//	go run -tags postgres ./server/loadgen -vs-noop -vs-original -vs-redis
//	go run ./server/loadgen -sessions 1000000 -rate 16700 -duration 2m -list 5
//
// Without -url it starts a server on an empty data folder. That and each of the
// others are processes of their own: what is printed of processors and memory is
// theirs, and not the load generator's. What is printed of the disk is all that
// reached the device in somebody's turns, from everybody on the machine: what the
// handler that does nothing has there was written by others.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
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
	vsOriginal  bool
	vsRedis     bool
	postgres    bool
	rounds      int
	list        int
	panels      int
	stalled     int
	changes     int
	url, key    string
	data        string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" { // how this program starts itself; see start
		exitOn(serve(os.Args[2:]))
		return
	}
	var o options
	flag.IntVar(&o.sessions, "sessions", 100_000, "people who are logged in")
	flag.IntVar(&o.connections, "connections", 256, "connections that heartbeats share")
	flag.DurationVar(&o.duration, "duration", 10*time.Second, "how long to play (with -vs-...: each turn)")
	flag.IntVar(&o.rate, "rate", 0, "heartbeats per second; 0: as many as possible")
	flag.BoolVar(&o.vsNoop, "vs-noop", false, "take turns with a bare router that does nothing, and print the ratio")
	flag.BoolVar(&o.vsOriginal, "vs-original", false, "take turns with an UPDATE, its trigger and a transaction for each heartbeat, in PostgreSQL (needs -tags postgres)")
	flag.BoolVar(&o.vsRedis, "vs-redis", false, "take turns with a ZADD for each heartbeat in a Redis that syncs always (needs redis-server)")
	flag.BoolVar(&o.postgres, "postgres", false, "keep the sessions in a PostgreSQL of our own (needs -tags postgres)")
	flag.IntVar(&o.rounds, "rounds", 5, "turns of each with -vs-...")
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

// check says what is wrong with the options, or missing for them, before anything takes its time.
func (o options) check() error {
	if o.sessions < o.connections || o.connections < 1 || o.duration <= 0 || o.rounds < 1 || o.rate < 0 {
		return errors.New("there must be at least one connection, a session for each, one round and some time")
	}
	if o.url != "" && (o.key == "" || o.postgres || len(o.rivals()) > 0) {
		return errors.New("-url needs -key; -vs-... and -postgres need a server of our own")
	}
	if (o.postgres || o.vsOriginal) && !knowsPostgres {
		return errNoPostgres
	}
	if o.vsRedis {
		if _, err := exec.LookPath("redis-server"); err != nil {
			return errNoRedis
		}
	}
	return nil
}

// rivals are who takes turns with our server.
func (o options) rivals() (names []string) {
	if o.vsNoop {
		names = append(names, nothing)
	}
	if o.vsOriginal {
		names = append(names, original)
	}
	if o.vsRedis {
		names = append(names, redis)
	}
	return names
}

func run(ctx context.Context, o options) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	target := &subject{ready: ready{URL: o.url, Key: o.key}}
	if o.url == "" {
		if target, err = startRollcall(o); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, target.stop()) }()
	}
	fmt.Printf("%d sessions, %d connections, %d processors, %s\n", o.sessions, o.connections, runtime.NumCPU(), runtime.Version())
	tokens, err := logIn(ctx, target, o)
	if err != nil {
		return err
	}
	target.players = share(tokens, o.connections)
	// As after the first minute: everybody has beaten, in the order that stays.
	if err := showTurn("first beats", play(ctx, target, turn{once: true})); err != nil {
		return err
	}
	if names := o.rivals(); len(names) > 0 {
		return compareWith(ctx, target, names, tokens, o)
	}
	if o.panels > 0 {
		return watch(ctx, target, o)
	}
	return sustain(ctx, target, o)
}

const heartbeat = "/admin/users/heartbeat"

// showTurn prints a turn and returns what went wrong in it.
func showTurn(name string, f figures) error {
	f.print(name)
	return f.problem()
}

// sustain plays at one rate, and reads the list meanwhile if asked to.
func sustain(ctx context.Context, target *subject, o options) error {
	lists := make(chan figures, 1)
	listing, stop := context.WithCancel(ctx)
	go func() { lists <- readLists(listing, target, o) }()
	target.resetUse()
	beats := play(ctx, target, turn{duration: o.duration, rate: o.rate})
	processor := target.processorEach(len(beats.times))
	stop()
	err := showTurn("heartbeats", beats)
	if list := <-lists; o.list > 0 {
		err = errors.Join(err, showTurn("list of 50", list))
	}
	target.printUse()
	fmt.Printf("%-12s %s CPU, %s to the disk\n", "each", processor, beats.writtenEach())
	return err
}
