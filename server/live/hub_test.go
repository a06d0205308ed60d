package live

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

func TestOfACrowdIsOnlyToldThatItMoves(t *testing.T) {
	withHub(t, func(h *Hub) { h.tracker.limit = 2 }, func(r *running) {
		ada := r.enter("ada")
		r.enter("bob")
		r.enter("cleo")
		list, _ := r.open("/list", ada)
		r.tells(list, "hello")
		r.enter("dan")
		r.tells(list, "reset")
		r.enter("eve")
		r.tells(list)
		time.Sleep(10 * time.Second)
		r.enter("fay")
		r.tells(list, "reset")
	})
}

func TestACrowdIsJudgedAnewAsItGrowsAndShrinks(t *testing.T) {
	withHub(t, func(h *Hub) { h.tracker.limit = 2 }, func(r *running) {
		list, _ := r.open("/list", r.enter("ada"))
		r.tells(list, "hello")
		r.enter("bob")
		r.tells(list, "online bob")
		r.enter("cleo")
		r.tells(list, "reset")
		if _, err := r.store.DeleteUser(r.Context(), r.now(), store.By{App: "shop", Grant: store.AccessAdmin}, "cleo"); err != nil {
			r.Fatal(err)
		}
		time.Sleep(judgeEvery)
		synctest.Wait()
		for len(list) > 0 { // the last of the crowd
			<-list
		}
		r.enter("bob") // with a second session
		r.tells(list, "updated bob")
		r.enter("dan")
		r.tells(list, "reset")
	})
}

func TestWhatWasNotToldInTimeIsTakenBackOnTheFeed(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		list, _ := r.open("/list", r.enter("ada"))
		r.tells(list, "hello")
		r.enter("bob")
		time.Sleep(tellEvery / 5)
		for _, status := range []presence.Status{presence.StatusBusy, ""} {
			var err error
			if status == "" {
				err = r.store.ClearStatus(r.Context(), "bob", "shop")
			} else {
				err = r.store.SetStatus(r.Context(), r.now(), "bob", presence.Claim{App: "shop", Status: status})
			}
			if err != nil {
				r.Fatal(err)
			}
			time.Sleep(tellEvery / 5) // in which somebody may read the list
		}
		r.tells(list, "online bob", "updated bob")
	})
}

func TestACrowdThatIsNotLookedAtOneByOneIsToldOfAllTheSame(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		var wg sync.WaitGroup
		for i := range maxChanges + 1 {
			wg.Go(func() { r.enter(fmt.Sprint("user", i)) })
		}
		ada := r.enter("ada")
		wg.Wait()
		list, _ := r.open("/list", ada)
		r.tells(list, "hello")
		r.enter("bob")
		r.enter("user7") // with a second session
		if _, err := r.store.DeleteUser(r.Context(), r.now(), store.By{App: "shop", Grant: store.AccessAdmin}, "user8"); err != nil {
			r.Fatal(err)
		}
		r.tells(list, "session_ended user8 user_deleted", "online bob", "updated user7", "offline user8 user_deleted")
		if n := r.tracker.counts.People(); n != maxChanges+2 {
			r.Errorf("it counts %d", n)
		}
	})
}

func TestWhileTheDatabaseIsAwayNobodyIsToldAnythingOrSentAway(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		ada := r.enter("ada")
		list, _ := r.open("/list", ada)
		own, _ := r.open("/own", ada)
		r.tells(list, "hello")
		r.tells(own, "notices")
		r.away.Store(true)
		r.readers.recheckAll() // as if somebody's rights had just changed: nobody knows whose now
		r.userSockets.recheckAll()
		time.Sleep(time.Minute)
		r.enter("bob")
		r.tells(list)
		r.away.Store(false)
		r.troubles.Recheck(r.Context(), func(context.Context) error { return nil })
		r.tells(list, "online bob")
		if _, err := r.store.PostNotice(r.Context(), r.now(), store.ActorCLI, store.NoticeInput{Message: "it is over", Level: store.LevelInfo}); err != nil {
			r.Fatal(err)
		}
		r.tells(own, "notices")
	})
}

func TestTheFeedForgetsWhoIsErased(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		list, _ := r.open("/list", r.enter("bob"))
		r.tells(list, "hello")
		r.enter("ada")
		r.tells(list, "online ada")
		if _, err := r.store.Erase(r.Context(), r.now(), store.ActorCLI, "ada"); err != nil {
			r.Fatal(err)
		}
		r.tells(list, "offline ada user_deleted")
		r.feed.mu.Lock()
		defer r.feed.mu.Unlock()
		for _, event := range r.feed.events {
			if strings.Contains(string(event), "Canary") {
				r.Errorf("the feed still tells %s", event)
			}
		}
	})
}

func TestWhoIsErasedWhileNobodyFollowsIsForgotten(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		bob := r.enter("bob")
		list, _ := r.open("/list", bob)
		r.tells(list, "hello")
		cursor := r.Cursor()
		r.enter("ada")
		r.tells(list, "online ada")
		r.readers.mu.Lock()
		clear(r.readers.all) // as if they had gone, to come back
		r.readers.mu.Unlock()
		if _, err := r.store.Erase(r.Context(), r.now(), store.ActorCLI, "ada"); err != nil {
			r.Fatal(err)
		}
		time.Sleep(pollEvery)
		again, _ := r.open("/list?since="+cursor, bob)
		r.tells(again, "hello", "reset")
	})
}

func TestWithoutSocketsTheLogIsNotRead(t *testing.T) {
	withHub(t, asItIs, func(r *running) {
		r.enter("bob")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if seq := r.tracker.lastSeq; seq != fromNow {
			r.Errorf("it was read up to %d", seq)
		}
		own, _ := r.open("/own", r.enter("ada"))
		r.tells(own, "notices")
		if p := &r.tracker; p.lastSeq < 1 || p.online != nil {
			r.Errorf("with one it is read up to %d; %d people are told apart", p.lastSeq, len(p.online))
		}
	})
}

func TestTheHubBeginsAgainOnAnotherTimeline(t *testing.T) {
	h := newHub(storetest.New(t))
	key, _, err := h.store.CreateKey(t.Context(), h.now(), store.ActorCLI, "panel", "", store.Scopes{store.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	w := h.readers.add(Follower{Key: &key})
	look := func() string {
		t.Helper()
		if err := h.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		return h.Cursor()
	}
	first := look()
	<-w.check // whoever follows when it begins is looked at once more
	if again := look(); again != first {
		t.Errorf("the feed went on from %s at %s", first, again)
	}
	h.tracker.timeline++ // as if what was read were of another one than the store's
	if other := look(); strings.Split(other, ".")[0] == strings.Split(first, ".")[0] {
		t.Errorf("the feed goes on from %s at %s", first, other)
	}
	select {
	case <-w.check:
	default:
		t.Error("nobody looked whether the reader may still follow")
	}
}
