package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// In these tests time stands still unless every goroutine waits for it.

// pipes is a listener without a network, which such time needs.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// served is a bench whose server serves, by the clock of the test.
type served struct {
	*bench
	client *http.Client
	folder string
	stop   context.CancelFunc
	ended  chan error
}

// bubble runs f by a clock that stands still while anything happens. It would while
// anything waits for a server too, so what f opens is a file in every build.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { synctest.Test(t, f) })
}

func serving(t *testing.T, change ...func(*Config)) *served {
	return servingBy(t, presence.DefaultRules(), change...)
}

func servingBy(t *testing.T, rules presence.Rules, change ...func(*Config)) *served {
	folder := t.TempDir()
	run := servingOn(t, storetest.OpenFile(t, folder, rules), change...)
	run.folder = folder
	return run
}

func servingOn(t *testing.T, s *store.Store, change ...func(*Config)) *served {
	change = append([]func(*Config){func(c *Config) { c.Now = nil }}, change...)
	b, ln := newBench(t, s, change...), newPipes()
	run := &served{bench: b, ended: make(chan error, 1)}
	transport := &http.Transport{DialContext: ln.dial}
	t.Cleanup(transport.CloseIdleConnections)
	run.client = &http.Client{Transport: transport}
	var ctx context.Context
	ctx, run.stop = context.WithCancel(context.Background())
	go func() { run.ended <- b.Serve(ctx, ln) }()
	t.Cleanup(run.stop)
	return run
}

// get returns the status and body of a GET, or 0 where nobody answers.
func (s *served) get(t testing.TB, path string) (int, string) {
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

func (s *served) login(t *testing.T, at time.Time) {
	t.Helper()
	_, err := s.store.Login(t.Context(), at, store.By{App: "shop", Directory: "shop"}, store.Login{User: store.UserInput{ID: "ada"}})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *served) figures(t *testing.T) store.Stats {
	t.Helper()
	st, err := s.store.Stats(t.Context(), s.now())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestTheServerCleansUpOnceItsClockHasBeenSteadyAndEveryHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		time.Sleep(2*s.store.Rules().OnlineWindow - time.Second)
		synctest.Wait()
		if st := s.figures(t); st.LastCleanup != nil {
			t.Fatalf("there was a cleanup at %v", st.LastCleanup.At)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if st := s.figures(t); st.LastCleanup == nil || !st.LastCleanup.At.Equal(time.Now()) {
			t.Fatalf("the first cleanup: %v", st.LastCleanup)
		}
		s.login(t, time.Now().Add(-23*time.Hour-30*time.Minute)) // expires in half an hour
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		if st := s.figures(t); st.Expired != 1 {
			t.Errorf("before the hour: %d are expired, %d ended", st.Expired, st.Ended)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if st := s.figures(t); st.Expired != 0 || st.Ended != 1 || st.LastCleanup.Ended != 1 {
			t.Errorf("after the hour: %d are expired, %d ended, by %v", st.Expired, st.Ended, st.LastCleanup)
		}
		s.stop()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Hour)
		if st := s.figures(t); time.Since(st.LastCleanup.At) < 2*time.Hour {
			t.Error("a job ran after the end")
		}
	})
}

func TestTheServerSamplesThePeakEveryMinute(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		synctest.Wait()
		s.login(t, time.Now())
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if peak := s.figures(t).PeakToday; peak == nil || peak.People != 1 {
			t.Errorf("the peak is %v, want 1", peak)
		}
		s.stop()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestAJobThatFailsIsLoggedAndRunsAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		synctest.Wait()
		if err := s.store.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if got := strings.Count(s.logs.String(), `"message":"job failed"`); got < 2 { // of whichever job met an error first
			t.Errorf("%d failures of jobs are in the log: %s", got, s.logs)
		}
		s.stop()
		<-s.ended
	})
}

// waiting is a handler whose requests wait to be let go, or for their client.
func waiting(arrived chan<- struct{}, leave <-chan struct{}) func(*Config) {
	return func(c *Config) {
		c.Mount = map[string]http.Handler{"/slow/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			select {
			case <-leave:
				_, _ = io.WriteString(w, "done")
			case <-r.Context().Done():
			}
		})}
	}
}

func TestWhatIsUnderWayIsFinishedBeforeTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		arrived, leave := make(chan struct{}), make(chan struct{})
		s := serving(t, waiting(arrived, leave))
		done := make(chan string, 1)
		go func() {
			_, body := s.get(t, "/slow/")
			done <- body
		}()
		<-arrived
		s.stop()
		synctest.Wait()
		if status, _ := s.get(t, "/healthz"); status != 0 {
			t.Errorf("a new request is answered with %d", status)
		}
		select {
		case err := <-s.ended:
			t.Fatalf("the server ended before the request did: %v", err)
		default:
		}
		close(leave)
		if body := <-done; body != "done" {
			t.Errorf("the request under way: %s", body)
		}
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestNobodyHoldsUpTheEndForLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		arrived := make(chan struct{})
		s := serving(t, waiting(arrived, nil))
		done := make(chan struct{})
		go func() {
			s.get(t, "/slow/")
			close(done)
		}()
		<-arrived
		began := time.Now()
		s.stop()
		if err := <-s.ended; err != nil {
			t.Errorf("stopping as told is no failure: %v", err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		<-done
	})
}

func TestWhoSendsTooSlowlyIsCutOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		conn, err := s.client.Transport.(*http.Transport).DialContext(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		began := time.Now()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: local"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(conn)
		if took := time.Since(began); took > headerTimeout {
			t.Errorf("it took %v", took)
		}
		s.stop()
		<-s.ended
	})
}

func TestARouteMayTakeLongerThanOthers(t *testing.T) {
	for takes, want := range map[time.Duration]int{0: 0, time.Hour: 200} {
		bubble(t, func(t *testing.T) {
			var s *served
			slow := func(*http.Request) (any, error) {
				time.Sleep(web.WriteTimeout + time.Second)
				return api.Nothing{}, nil
			}
			s = serving(t, func(c *Config) {
				c.Mount = map[string]http.Handler{"/slow/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					s.adapt(route{who: auth.Anyone, answer: slow, takes: takes}).ServeHTTP(w, r)
				})}
			})
			if status, body := s.get(t, "/slow/"); status != want {
				t.Errorf("a route that may take %v: %d %s", takes, status, body)
			}
			s.stop()
			<-s.ended
		})
	}
}

type deaf struct{ *pipes }

var errDeaf = errors.New("the network is gone")

func (deaf) Accept() (net.Conn, error) { return nil, errDeaf }

func TestAServerThatCanNotListenSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, storetest.New(t))
		if err := b.Serve(t.Context(), deaf{newPipes()}); !errors.Is(err, errDeaf) {
			t.Errorf("got %v", err)
		}
	})
}
