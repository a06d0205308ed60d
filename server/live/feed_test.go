package live

import "testing"

func TestAReaderTooFarBehindIsNotCaughtUp(t *testing.T) {
	f := newFeed()
	f.begin()
	slow, _, _ := f.enter("")
	quick := slow
	for n := range 5 * keptEvents {
		f.publish(func(cursor string) []byte { return []byte(cursor) })
		events, _, ok := f.after(&quick)
		if !ok || len(events) != 1 || string(events[0]) != quick.String() {
			t.Fatalf("event %d: %q, %v", n, events, ok)
		}
		if n == keptEvents-1 {
			late := slow
			if events, _, ok := f.after(&late); !ok || len(events) != keptEvents {
				t.Fatalf("%d events, %v, of those that are kept", len(events), ok)
			}
		}
	}
	if _, _, ok := f.after(&slow); ok || slow.seen != 0 {
		t.Error("a reader who misses events does not notice")
	}
	f.begin()
	if _, _, ok := f.after(&quick); ok || quick.seen != 0 {
		t.Error("a reader of the epoch before does not notice")
	}
	if events, _, ok := f.after(&quick); !ok || len(events) != 0 {
		t.Error("nor can it go on")
	}
}

func FuzzCursor(f *testing.F) {
	feed := newFeed()
	feed.begin()
	for range 3 {
		feed.publish(func(cursor string) []byte { return []byte(cursor) })
	}
	for _, cursor := range []string{"", ".", feed.cursor(), feed.epoch + ".0", feed.epoch + ".4", feed.epoch + ".-1", feed.epoch + ".1e0", "x.1", feed.epoch + ".99999999999999999999"} {
		f.Add(cursor)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		at, known, _ := feed.enter(cursor)
		if !known && at.String() != feed.cursor() {
			t.Errorf("%q is not known, and leads to %v", cursor, at)
		}
		if events, _, ok := feed.after(&at); !ok || len(events) > 3 || !known && len(events) > 0 {
			t.Errorf("%q leads to %d events, %v", cursor, len(events), ok)
		}
	})
}
