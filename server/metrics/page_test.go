package metrics

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server/web"
)

func TestAScrapeDoesNotWaitForEverForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New()
		p := NewPage(m, nil, "1", nil, &web.Responder{Now: time.Now, Log: zerolog.Nop(), Refused: m.Refused, Troubles: &web.Troubles{}})
		p.turn <- struct{}{} // another, that never ends
		began, w := time.Now(), httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code != http.StatusServiceUnavailable || time.Since(began) > scrapeTimeout {
			t.Errorf("%d after %v", w.Code, time.Since(began))
		}
	})
}
