package auth

import (
	"strconv"
	"strings"
	"testing"

	"rollcall/store/storetest"
)

func TestNamesOfAnyLengthAreCountedInBoundedMemory(t *testing.T) {
	l, long := newSignInLimits(), strings.Repeat("x", 60000)
	for i := range 3 * maxBuckets {
		_ = l.allow(storetest.Start, long+strconv.Itoa(i), []string{"10.0.0.0/" + strconv.Itoa(i)}, false)
	}
	size := 0
	for key := range l.all {
		size += len(key)
	}
	if len(l.all) > maxBuckets || size > 128*maxBuckets {
		t.Errorf("%d names with %d bytes are remembered", len(l.all), size)
	}
}
