// Package demo is a server with people in it, to look at: a temporary database, and somebody for
// each of about forty desks who logs in, works, pauses and goes home. They do so through the HTTP
// API, with keys, as the back ends and browsers of real applications would. Only the past from
// before the demo is made up and written into the database.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server"
	"rollcall/server/assets"
	"rollcall/server/client"
	"rollcall/server/origin"
	"rollcall/store"
	"rollcall/store/presence"
)

// Config says what a demo needs.
type Config struct {
	Schema   string
	Assets   fs.FS // pages and scripts, with the sample page
	Listener net.Listener
	URL      string // at which Listener is reached from this machine
	People   int
	Seed     uint64 // the same seed, the same people and habits
	Version  string
	Log      zerolog.Logger
	Ready    func(Links) // is told once how to get in
}

// Links are what to open in a browser.
type Links struct {
	SignIn            string // opens the panel signed in, once
	App               string // the sample page of an application
	Account, Password string // to sign in again
}

const accountName = "demo"

// Run serves the demo until ctx ends, and leaves nothing behind.
func Run(ctx context.Context, cfg Config) (err error) {
	folder, err := os.MkdirTemp("", "rollcall-demo-")
	if err != nil {
		return fmt.Errorf("creating a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	opened, err := store.Open(ctx, store.Config{Path: folder, Schema: cfg.Schema, Rules: presence.DefaultRules()})
	if err != nil {
		return fmt.Errorf("opening the temporary database: %w", err)
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	return cfg.run(ctx, opened, folder)
}

func (cfg Config) run(ctx context.Context, opened *store.Store, folder string) error {
	links := Links{App: cfg.URL + "/demo/app", Account: accountName, Password: rand.Text()}
	account, err := opened.CreateAccount(ctx, time.Now(), store.ActorSystem, store.AccountInput{Name: accountName, Password: links.Password, Access: store.AccessAdmin})
	if err != nil {
		return fmt.Errorf("creating the demo's account: %w", err)
	}
	apps, err := cfg.applications(ctx, opened)
	if err != nil {
		return err
	}
	defer apps.close()
	company := newCast(cfg.Seed, cfg.People)
	places, err := origin.NewPlaces(networks, "", cfg.Log)
	if err != nil {
		return fmt.Errorf("naming the networks: %w", err)
	}
	pages, err := assets.Load(cfg.Assets)
	if err != nil {
		return fmt.Errorf("loading the sample page: %w", err)
	}
	sample := App(pages.Page("pages/demo-app/demo-app.html"), apps[sampleApp], company.visitors)
	from := origin.Resolver{Places: places}
	srv, err := server.New(cfg.server(opened, from, sample))
	if err != nil {
		return err
	}
	for _, l := range company.lives {
		l.origin = from.Of(l.address, l.userAgent)
	}
	if err := company.pretend(ctx, opened, folder, cfg.Seed, time.Now()); err != nil {
		return err
	}
	links.SignIn = cfg.URL + "/login#" + srv.SignInCode(account.ID)
	return cfg.play(ctx, srv, apps, company, links)
}

func (cfg Config) server(opened *store.Store, from origin.Resolver, sample http.Handler) server.Config {
	return server.Config{
		Store:     opened,
		Assets:    cfg.Assets,
		Heartbeat: time.Minute,
		Version:   cfg.Version,
		Log:       cfg.Log,
		Origin:    from,
		Mount:     map[string]http.Handler{"/demo/": sample},
	}
}

// play runs the server and the people. The people stop first: they should not see it go.
func (cfg Config) play(ctx context.Context, srv *server.Server, apps applications, company cast, links Links) error {
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	living, stopLiving := context.WithCancel(ctx)
	defer stopLiving()

	served := make(chan error, 1)
	go func() {
		served <- srv.Serve(serving, cfg.Listener)
		stopLiving() // whatever ended it, nobody is left to talk to
	}()
	cfg.Ready(links)
	var people sync.WaitGroup
	for _, life := range company.lives {
		people.Go(func() { life.live(living, apps[life.app], cfg.Log) })
	}
	people.Wait()
	stopServing()
	return <-served
}

// applications are clients with each application's own key.
type applications map[string]*client.Client

func (cfg Config) applications(ctx context.Context, opened *store.Store) (applications, error) {
	apps := applications{}
	for _, app := range appNames() {
		_, secret, err := opened.CreateKey(ctx, time.Now(), store.ActorSystem, app, directory, store.Scopes{store.ScopeSessions})
		if err != nil {
			return nil, fmt.Errorf("creating the key of %s: %w", app, err)
		}
		apps[app] = client.New(cfg.URL, secret, client.WithConnections(16))
	}
	return apps, nil
}

func (a applications) close() {
	for _, app := range a {
		app.Close()
	}
}
