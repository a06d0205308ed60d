package store_test

import (
	"fmt"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// BenchmarkLogins has 256 callers log in 20,000 people, in 300 browsers:
//
//	go test ./store -run XXX -bench 'BenchmarkLogins$' -benchtime 60000x
func BenchmarkLogins(b *testing.B) {
	const callers, people = 256, 20_000
	s := Open(b, b.TempDir(), presence.DefaultRules())
	byCallers(b, callers, func(i int) {
		from := store.Origin{IPAddress: fmt.Sprint("192.0.2.", i%200), Device: store.Device{Type: "desktop", OS: "Linux", Browser: fmt.Sprint("Chrome ", i%300)},
			UserAgent: fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", i%300)}
		in := store.Login{User: store.UserInput{ID: fmt.Sprint("user", i%people)}, Origin: from}
		if _, err := s.Login(b.Context(), Start, Shop, in); err != nil {
			b.Error(err)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
}
