//go:build unix

package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rollcall/store/storetest"
)

// TestACrowdThatHangsUpKeepsNobodyOut has 1,500 wrong passwords for the owner's account from 300 networks, whose clients hang
// up at once. The owner signs in meanwhile, from a known device. It prints what that took.
func TestACrowdThatHangsUpKeepsNobodyOut(t *testing.T) {
	const networks, each = 300, 5
	b := newBench(t, storetest.New(t))
	b.admin(t)
	device := with(b.signIn(t, "root", password).Result().Cookies()[1:]) // without the session
	var answers sync.Map                                                 // how many of each status
	var arrived atomic.Int64
	there := make(chan struct{})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = r.Header.Get("X-Test-Address")
		if arrived.Add(1) == 100 {
			close(there)
		}
		answer := httptest.NewRecorder()
		b.Handler().ServeHTTP(answer, r)
		n, _ := answers.LoadOrStore(answer.Code, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		w.WriteHeader(answer.Code)
	}))
	before, begun := processorTime(t), time.Now()
	var crowd sync.WaitGroup
	for network := range networks {
		crowd.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"name":"root","password":"a wrong password %d"}`, i)
				conn, err := net.Dial("tcp", strings.TrimPrefix(site.URL, "http://"))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = fmt.Fprintf(conn, "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nX-Test-Address: [2001:db8:%x::%x]:4711\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
					network, i+1, len(body), body)
				if err != nil {
					t.Error(err)
				}
				conn.Close()
			}
		})
	}
	<-there
	asked := time.Now()
	request, err := http.NewRequest("POST", site.URL+"/auth/login", strings.NewReader(`{"name":"root","password":"`+password+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "localhost:8080"
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Test-Address", "198.51.100.7:4711")
	device(request)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	waited := time.Since(asked)
	if answer.StatusCode != 200 {
		t.Errorf("the owner is answered %d", answer.StatusCode)
	}
	crowd.Wait()
	site.Close() // once all are answered
	var told strings.Builder
	hashed := int64(0)
	answers.Range(func(status, n any) bool {
		fmt.Fprintf(&told, " %d times %d,", n.(*atomic.Int64).Load(), status)
		if status == http.StatusUnauthorized {
			hashed = n.(*atomic.Int64).Load()
		}
		return true
	})
	t.Logf("the owner waited %v; all was over after %v and %v of processor;%s of %d that arrived", waited, time.Since(begun), processorTime(t)-before, told.String(), arrived.Load())
	if hashed > networks*each/10 {
		t.Errorf("%d passwords were hashed for who was gone", hashed)
	}
}

// processorTime is what this process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
