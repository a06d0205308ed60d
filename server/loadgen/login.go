package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
)

// logIn begins all sessions through the API and returns their tokens.
func logIn(ctx context.Context, target *subject, o options) ([]string, error) {
	asked := client.New(target.URL, target.Key, client.WithConnections(o.connections))
	tokens := make([]string, o.sessions)
	failed := make(chan error, o.connections)
	start := time.Now()
	var wg sync.WaitGroup
	for first := range o.connections {
		wg.Go(func() {
			for i := first; i < o.sessions; i += o.connections {
				login, err := asked.Login(ctx, person(i))
				if err != nil {
					failed <- err
					return
				}
				tokens[i] = login.Session.Token
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return nil, fmt.Errorf("logging in: %w", err)
	default:
	}
	fmt.Printf("%-12s %.0f/s\n", "logins", float64(o.sessions)/time.Since(start).Seconds())
	return tokens, nil
}

func person(i int) api.LoginReport {
	name, organization := fmt.Sprintf("Person %d", i), fmt.Sprintf("Organization %d", i%50)
	email := fmt.Sprintf("person%d@example.org", i)
	return api.LoginReport{
		User:      api.UserInput{ID: fmt.Sprintf("user-%d", i), Name: &name, Email: &email, Organization: &organization},
		IPAddress: fmt.Sprintf("192.0.2.%d", i%256),
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
	}
}
