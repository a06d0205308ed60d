//go:build postgres

package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

const (
	beatingSessions = 100_000
	beatingCallers  = 256
	beatingTime     = 3 * time.Second // of each turn
)

// BenchmarkHeartbeatsOnPostgres measures heartbeats by one replica and by two, and
// beside them the design that this one followed: an UPDATE and a transaction for
// each, from a pool of connections. All are on the disk of one server before they
// are answered. The turns alternate, so that a machine that slows down slows all.
func BenchmarkHeartbeatsOnPostgres(b *testing.B) {
	server := NewServer(b)
	tokens := make([]string, beatingSessions)
	for i := range tokens {
		tokens[i] = fmt.Sprintf("token-of-session-%08d", i)
	}
	one, two := beatingStores(b, server, tokens)
	Touch := func(s *store.Store) func(string) error {
		return func(token string) error {
			page := "/orders/2041"
			_, err := s.Touch(context.Background(), time.Now(), token, store.Beat{Idle: time.Second, Page: &page})
			return err
		}
	}
	kinds := []struct {
		name string
		beat []func(token string) error // of each replica
	}{
		{"one", []func(string) error{Touch(one)}},
		{"two", []func(string) error{Touch(one), Touch(two)}},
		{"each-of-10", []func(string) error{eachOf(b, server, 10, nil)}},
		{"each-of-50", []func(string) error{eachOf(b, server, 50, tokens)}},
	}
	rates := map[string][]float64{}
	rand.Shuffle(len(tokens), func(i, j int) { tokens[i], tokens[j] = tokens[j], tokens[i] })
	for _, k := range kinds {
		beatAll(b, tokens, k.beat, 2*time.Second) // as after the first minute
	}
	for b.Loop() {
		for _, k := range kinds {
			rates[k.name] = append(rates[k.name], beatAll(b, tokens, k.beat, beatingTime))
		}
	}
	for i := range rates["one"] {
		rates["times"] = append(rates["times"], rates["one"][i]/max(rates["each-of-10"][i], rates["each-of-50"][i]))
	}
	for name, all := range rates {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], name)
	}
}

// beatAll sends heartbeats for some time, of every session in turn, and returns how many in a second.
func beatAll(b *testing.B, tokens []string, beat []func(string) error, during time.Duration) float64 {
	b.Helper()
	counts := make([]int, beatingCallers)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range counts {
		wg.Go(func() {
			for k := i; time.Since(start) < during; k += beatingCallers {
				if err := beat[i%len(beat)](tokens[k%len(tokens)]); err != nil {
					b.Error(err)
					return
				}
				counts[i]++
			}
		})
	}
	wg.Wait()
	n := 0
	for _, c := range counts {
		n += c
	}
	return float64(n) / time.Since(start).Seconds()
}

// beatingStores opens two replicas on a database in which all are logged in.
func beatingStores(b *testing.B, server *Server, tokens []string) (one, two *store.Store) {
	b.Helper()
	db := benchSchema(b, server, "ours")
	one = OpenConfig(b, store.Config{Database: server.URL("ours"), Rules: presence.DefaultRules()})
	two = OpenConfig(b, store.Config{Database: server.URL("ours"), Rules: presence.DefaultRules()})
	ids, digests := make([]int64, len(tokens)), make([][]byte, len(tokens))
	for i, token := range tokens {
		ids[i], digests[i] = store.HandleOf(one, token)
	}
	ExecSQL(b, db, `INSERT INTO users (id, name, email, created_at, updated_at)
		SELECT 'u' || i, 'Person ' || i, 'person' || i || '@example.org', 0, 0 FROM generate_series(1, $1) i`, len(tokens))
	ExecSQL(b, db, `INSERT INTO user_agents (id, user_agent) VALUES (1, $1)`, userAgent)
	ExecSQL(b, db, `INSERT INTO user_sessions (id, user_id, app, token_sha256, ip_address, user_agent_id, page, last_activity_at, created_at, expires_at)
		SELECT id, 'u' || i, 'shop', digest, '192.0.2.7', 1, '/orders/2041', CAST($3 AS BIGINT), CAST($3 AS BIGINT), CAST($3 AS BIGINT) + 86400000
		FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY t(id, digest, i)`, ids, digests, time.Now().UnixMilli())
	return one, two
}

const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

func benchSchema(b *testing.B, server *Server, name string) *sql.DB {
	b.Helper()
	db, err := sql.Open("pgx", server.URL(name))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	ExecSQL(b, db, `CREATE SCHEMA IF NOT EXISTS `+name)
	return db
}

// eachOf returns a heartbeat as it was done before, over that many connections.
func eachOf(b *testing.B, server *Server, connections int, begin []string) func(string) error {
	b.Helper()
	each, err := OpenUpdateEach(b.Context(), server, connections)
	if err == nil {
		err = each.Begin(b.Context(), begin...)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { each.Close() })
	return func(token string) error {
		_, _, err := each.Beat(context.Background(), token)
		return err
	}
}
