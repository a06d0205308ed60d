package server

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

// occupies reads for long, as one who asks for much does, until the test or release ends it.
func (b *bench) occupies(t testing.TB, caller string) (release func()) {
	t.Helper()
	reading, over, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		err := b.store.DB().HeavySnapshot(sqldb.WithCaller(context.Background(), caller), func(*sql.Tx) error {
			close(reading)
			<-over
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}()
	<-reading
	release = sync.OnceFunc(func() { close(over); <-done })
	t.Cleanup(release)
	return release
}

func TestTheGateAndHeartbeatsDoNotWaitForTheQuestionsOfOthers(t *testing.T) {
	b := newBench(t, storetest.New(t))
	shop, read := b.key(t, "shop", "sessions"), b.key(t, "ops", "read")
	_, ada := b.person(t, shop, "ada")
	first, second := b.occupies(t, "somebody"), b.occupies(t, "somebody else")
	begun := time.Now()
	held := do(t, b, "GET", "/admin/gate", nil, bearing(read)).wants(409)
	if held["level"] != "hold" || held["quietest"] != nil {
		t.Errorf("the gate says %v, quiet %v", held["level"], held["quietest"])
	}
	do(t, b, "GET", "/admin/gate?tz=Nowhere", nil, bearing(read)).refuses(400, "invalid_request")
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(ada)).wants(200)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("they took %v", took)
	}
	first()
	second()
}

func TestAScrapeDoesNotWaitForTheQuestionsOfOthers(t *testing.T) {
	b := newBench(t, storetest.New(t))
	first, second := b.occupies(t, "somebody"), b.occupies(t, "somebody else")
	page := b.askMetrics("GET", "/metrics", "localhost").Body.String()
	if !strings.Contains(page, "\nrollcall_database_up 1\n") || !strings.Contains(page, "\nrollcall_sessions{") {
		t.Errorf("while others ask, a scrape is:\n%s", page)
	}
	first()
	second()
}

func TestACredentialHasOneQuestionThatTakesLongAnsweredAtATime(t *testing.T) {
	b := newBench(t, storetest.New(t))
	busy, other := b.key(t, "shop", "admin"), b.key(t, "ops", "admin")
	keys, err := b.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shop := slices.IndexFunc(keys, func(key store.Key) bool { return key.App == "shop" })
	release := b.occupies(t, fmt.Sprint("key:", keys[shop].ID))
	questions := []string{"/admin/users/online", "/admin/sessions?q=a", "/admin/sessions?app=shop&format=csv", "/admin/stats", "/admin/stats/activity", "/admin/stats/heatmap?weeks=5",
		"/admin/audit", "/admin/notices", "/admin/doctor"}
	var asking sync.WaitGroup
	for _, question := range questions {
		asking.Go(func() {
			refused := do(t, b, "GET", question, nil, bearing(busy))
			if refused.refuses(429, "too_many_questions"); refused.Header().Get("Retry-After") != "2" {
				t.Errorf("%s is to be asked again after %q", question, refused.Header().Get("Retry-After"))
			}
		})
	}
	for _, question := range questions {
		question = strings.Replace(question, "weeks=5", "weeks=3", 1) // whose answer is nobody else's to share
		do(t, b, "GET", question, nil, bearing(other)).wants(200)
	}
	do(t, b, "GET", "/admin/gate", nil, bearing(busy)).wants(200)
	asking.Wait()
	release()
	for _, question := range questions {
		do(t, b, "GET", question, nil, bearing(busy)).wants(200)
	}
}
