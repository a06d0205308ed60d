package server

import (
	"fmt"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/storetest"
)

func TestTokensThatNobodyHasAreLimitedPerNetwork(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s)
		key := b.key(t, "shop", "sessions")
		_, token := b.person(t, key, "ada")
		sent := 0
		beat := func(address string) result {
			sent++
			return do(t, b, "POST", heartbeatPath, nil, bearing(fmt.Sprintf("nobody-has-token-%06d", sent)), from(address))
		}
		for range 300 {
			beat("203.0.113.7").refuses(404, "session_ended")
		}
		answer := beat("203.0.113.8") // of the same network
		answer.refuses(429, "too_many_unknown_tokens")
		if wait := answer.Header().Get("Retry-After"); wait != "60" {
			t.Errorf("it is to come again in %s s", wait)
		}
		do(t, b, "POST", heartbeatPath, nil, bearing(token), from("203.0.113.7")).wants(200)
		beat("198.51.100.1").refuses(404, "session_ended")
		do(t, b, "POST", "/admin/sessions/end", map[string]any{"session_token": token}, bearing(key)).wants(200)
		do(t, b, "POST", heartbeatPath, nil, bearing(token), from("203.0.113.7")).refuses(404, "session_ended")
		b.clock.advance(time.Second)
		beat("203.0.113.7").refuses(404, "session_ended")
	})
}
