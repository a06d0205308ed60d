package shortsleep

import (
	"testing"
	"time"
)

func TestItTakesTheTime(t *testing.T) {
	const d = 300 * time.Microsecond
	var longest time.Duration
	for range 10 { // a signal ends it sooner
		began := time.Now()
		For(d)
		longest = max(longest, time.Since(began))
	}
	if longest < d {
		t.Errorf("%v took %v", d, longest)
	}
}
