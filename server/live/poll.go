package live

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
)

const (
	maxChanges = 1000            // of the log in one look; more are read in the next
	maxTracked = 200_000         // people online, beyond which they are not told apart
	judgeEvery = 5 * time.Second // whether there are fewer again
	fromNow    = -1              // stands for no change: what there was before is of no interest
)

// poll finds and publishes what is new. After an error the next look does it all.
func (h *Hub) poll(ctx context.Context) error {
	now := h.now()
	up, err := h.readAnnouncements(ctx, now)
	if err != nil {
		return err
	}
	followed := h.isFollowed(now)
	if !followed && h.userSockets.count() == 0 {
		h.tracker.lastSeq = fromNow
		return nil
	}
	changes, err := h.readLog(ctx)
	if err != nil {
		return err
	}
	news := changesOf(changes)
	h.userSockets.recheckChanged(news)
	if followed {
		err = h.tellReaders(ctx, now, up, news)
	}
	if err != nil || len(changes) == 0 {
		return err
	}
	h.tracker.lastSeq = changes[len(changes)-1].Seq
	if len(changes) == maxChanges { // there are more
		signal(h.wake)
	}
	return nil
}

// isFollowed tells whether the list has readers. It has for a while after the last one
// went, who may come back; then everybody is forgotten.
func (h *Hub) isFollowed(now time.Time) bool {
	t := &h.tracker
	if h.readers.count() > 0 {
		t.lastFollowed = now
		return true
	}
	if t.online != nil && now.Sub(t.lastFollowed).Abs() <= releaseAfter {
		return true
	}
	t.online = nil
	h.feed.pause()
	return false
}

// readLog returns what is new in the log of changes. Where that can not be told, because
// the log is another one or has been trimmed, it goes on from the log's end, and whoever
// has a socket has to look for themselves.
func (h *Hub) readLog(ctx context.Context) ([]store.Change, error) {
	t := &h.tracker
	if timeline := h.store.DB().Timeline(); timeline != t.timeline {
		t.timeline, t.lastSeq = timeline, fromNow
	}
	if t.lastSeq != fromNow {
		changes, err := h.store.Changes(ctx, t.lastSeq, maxChanges)
		if !errors.Is(err, store.ErrTooLate) {
			return changes, err
		}
	}
	t.lastSeq, t.online = fromNow, nil
	last, err := h.store.LastChange(ctx)
	if err == nil {
		t.lastSeq = last
		h.userSockets.recheckAll()
	}
	return nil, err
}

// tellReaders publishes what is new for the readers of the list.
func (h *Hub) tellReaders(ctx context.Context, now time.Time, up *Announced, news changed) error {
	if h.restart.Swap(false) || h.tracker.online == nil {
		h.tracker.announced = up // whoever begins to follow reads what there is
		return h.begin(ctx, now)
	}
	h.publishAnnouncements(up, now)
	return h.catchUp(ctx, now, news)
}

// begin takes everybody who is online as known: at first, and after moments of which
// nobody can tell what happened. Whoever follows already reads the list again, and may
// have lost the right to. Who changes meanwhile is looked at again: the log is read from
// where it was before.
func (h *Hub) begin(ctx context.Context, now time.Time) error {
	err := h.load(ctx, now)
	if err == nil {
		h.start(now)
	}
	return err
}

// load takes everybody who is online as known, or as too many.
func (h *Hub) load(ctx context.Context, now time.Time) error {
	h.tracker.clear()
	err := errors.Join(h.loadOnline(ctx, now), h.countHidden(ctx, now))
	if err != nil {
		h.tracker.online = nil // so that the next look begins where this one fails
	}
	return err
}

// start has whoever follows go on from what was loaded.
func (h *Hub) start(now time.Time) {
	t := &h.tracker
	h.readers.recheckAll()
	t.lastSweep, t.level, t.hidden = now, t.gate(), t.counts.Hidden()
	h.feed.begin()
}

// loadOnline takes all who are online as told, as far as they can be known. Of many people only their status is read:
// whoever changes then is told of, even where that is by nothing that is shown.
func (h *Hub) loadOnline(ctx context.Context, now time.Time) error {
	t := &h.tracker
	err := h.store.EachOnline(ctx, now, func(key string, status presence.Status) {
		if !t.tooMany() {
			t.remember(key, published{status: status, at: now.Add(-tellEvery).UnixMilli()})
		}
	})
	if errors.Is(err, store.ErrTooManyOnline) {
		t.giveUp()
		err = nil
	}
	switch {
	case t.tooMany():
		t.lastJudged = now
	case err == nil && len(t.online) <= maxChanges:
		err = h.lookAtAll(ctx, now)
	}
	return err
}

// lookAtAll remembers how everybody looks.
func (h *Hub) lookAtAll(ctx context.Context, now time.Time) error {
	t := &h.tracker
	people, err := h.store.People(ctx, now, slices.Collect(maps.Keys(t.online)))
	for _, person := range people {
		if person.Status != presence.StatusOffline { // else they just went, as the log says
			t.remember(person.Key(), t.look(person, now.Add(-tellEvery)))
		}
	}
	return err
}

// judgeCrowd begins anew where there are few enough people again to tell them apart, and not only just.
func (h *Hub) judgeCrowd(ctx context.Context, now time.Time) (began bool, err error) {
	t := &h.tracker
	counts, err := h.store.CountOnline(ctx, now)
	if err != nil {
		return false, err
	}
	t.lastJudged = now
	if counts.People() > t.limit-t.limit/10 {
		return false, nil
	}
	if err := h.load(ctx, now); err != nil || t.overLimit { // the store judges it anew in its own time
		return false, err
	}
	h.start(now)
	return true, nil
}

// catchUp publishes what the log and the clock say is new.
func (h *Hub) catchUp(ctx context.Context, now time.Time, news changed) error {
	t := &h.tracker
	if t.sweepDue {
		due, err := h.store.Due(ctx, t.lastSweep, now)
		if err != nil {
			return err
		}
		news.add(due...)
		news.add(slices.Collect(maps.Keys(t.waiting))...)
	}
	if news.erasure { // the log does not say whose: nothing may be left of them
		if t.overLimit || len(t.online) > maxChanges {
			return h.begin(ctx, now)
		}
		h.feed.forget()
		news.add(slices.Collect(maps.Keys(t.online))...)
	}
	h.readers.recheckChanged(news) // before anything is published that they may no longer be told
	if t.overLimit && t.sweepDue && now.Sub(t.lastJudged).Abs() >= judgeEvery {
		if began, err := h.judgeCrowd(ctx, now); began || err != nil {
			return err
		}
	}
	if err := h.publishChanged(ctx, now, news); err != nil {
		return err
	}
	if t.sweepDue {
		if err := h.countHidden(ctx, now); err != nil {
			return err
		}
		if !t.overLimit {
			h.publishLevel(now)
		}
		t.sweepDue, t.lastSweep = false, now
	}
	return nil
}

// countHidden finds who is in no list, but the gate knows them.
func (h *Hub) countHidden(ctx context.Context, now time.Time) error {
	stillThere, unidentified, err := h.store.CountHidden(ctx, now)
	if err == nil {
		h.tracker.counts.StillThere, h.tracker.counts.Unidentified = stillThere, unidentified
	}
	return err
}
