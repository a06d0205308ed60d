package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
)

// slow is somebody whose panel reads nothing.
type slow struct {
	net.Conn
	session string // id
}

// openSlow logs somebody in who may follow the list, and follows it. Only of a server of our own there is a key that may:
// of others there is nobody.
func openSlow(ctx context.Context, target *subject, report api.LoginReport) (*slow, error) {
	if target.process == nil {
		return nil, nil
	}
	report.User.Access = new(store.AccessViewer)
	login, err := client.New(target.URL, target.Key).Login(ctx, report)
	if err != nil {
		return nil, fmt.Errorf("logging in who reads nothing: %w", err)
	}
	conn, err := stall(target, login.Session.Token)
	return &slow{conn, login.Session.ID}, err
}

// pong is what a client may send at any time (RFC 6455, section 5.5.3).
var pong = []byte{0x8a, 0x80, 0, 0, 0, 0}

// revoke ends the session and prints when the server has closed the connection: from then on it takes nothing any more.
func (s *slow) revoke(ctx context.Context, target *subject) error {
	defer s.Close()
	if _, err := s.Write(pong); err != nil {
		return fmt.Errorf("who reads nothing was cut off before: %w", err)
	}
	start := time.Now()
	if err := client.New(target.URL, target.Key).Revoke(ctx, s.session); err != nil {
		return fmt.Errorf("revoking: %w", err)
	}
	for range 2000 {
		time.Sleep(5 * time.Millisecond)
		if _, err := s.Write(pong); err != nil {
			fmt.Printf("%-12s socket closed after %s, of which nothing was read\n", "revoked user", time.Since(start).Round(time.Millisecond))
			return nil
		}
	}
	return errors.New("a revoked user's socket is still open after 10 s")
}
