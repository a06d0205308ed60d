package server

import (
	"fmt"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/storetest"
)

func TestTheGate(t *testing.T) {
	b := newBench(t, storetest.New(t))
	shop, read := b.key(t, "shop", "sessions"), b.key(t, "shop", "read")
	asks := func(query string, status int) map[string]any {
		t.Helper()
		return do(t, b, "GET", "/admin/gate"+query, nil, bearing(read)).wants(status)
	}
	if got := asks("", 200); got["level"] != "clear" || got["success"] != true || fmt.Sprint(got["blocking"]) != "[]" {
		t.Errorf("with nobody online: %v", got)
	}
	_, ada := b.person(t, shop, "ada")
	held := asks("", 409)
	if held["success"] != false || held["code"] != "gate_hold" || held["error"] != "1 available" {
		t.Errorf("with one active: %v", held)
	}
	if got := asks("?max=1", 409); got["code"] != "gate_caution" {
		t.Errorf("where one may be disturbed: %v", got)
	}
	if got := asks("?max=1&allow=caution", 200); got["level"] != "caution" || got["success"] != true {
		t.Errorf("where caution is enough: %v", got)
	}
	crm := b.key(t, "crm", "sessions")
	if got := asks("?app=crm", 409); got["level"] != "caution" || got["never_reported"] != true || got["error"] != "nobody is online, and this application has never reported anybody" {
		t.Errorf("of an application that has never reported anybody: %v", got)
	}
	asks("?app=crm&unidentified=ignore", 200)
	b.person(t, crm, "cyd")
	do(t, b, "POST", "/admin/sessions/end", `{"user":"cyd"}`, bearing(crm)).wants(200)
	if got := asks("?app=crm", 200); got["level"] != "clear" || got["never_reported"] != false {
		t.Errorf("of one whose people have left: %v", got)
	}
	b.clock.advance(time.Second)
	do(t, b, "POST", "/admin/users/heartbeat", `{"idle_ms":600000,"page":"/orders"}`, bearing(ada)).wants(200)
	idle := asks("", 409)
	if first := idle["blocking"].([]any)[0].(map[string]any); idle["code"] != "gate_caution" || first["idle_since"] != api.At(b.clock.Now().Add(-10*time.Minute)).String() || first["page"] != "/orders" {
		t.Errorf("with one idle: %v", idle)
	}
	do(t, b, "PUT", "/admin/users/ada/status", `{"status":"busy","text":"Recording"}`, bearing(shop)).wants(200)
	busy := asks("?max=9&allow=caution", 409)
	if first := busy["blocking"].([]any)[0].(map[string]any); busy["error"] != "1 busy" || first["status_text"] != "Recording" {
		t.Errorf("with one busy: %v", busy)
	}
	for _, query := range []string{"?max=-1", "?max=many", "?max=1000001", "?allow=hold", "?max=1&max=2", "?tz=Nowhere", "?nothing=1"} {
		do(t, b, "GET", "/admin/gate"+query, nil, bearing(read)).refuses(400, "invalid_request")
	}
}

func TestTheFeedTellsWhenTheGateOpensAndCloses(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		r.gate = true
		ada := s.enter(t, "ada")
		r.tells("online ada", "gate hold")
		s.enter(t, "bob")
		r.tells("online bob") // and the gate says the same
		time.Sleep(time.Minute)
		s.beat(t, ada, store.Beat{Idle: 10 * time.Minute})
		r.tells("updated ada")
		time.Sleep(4*time.Minute - 3*time.Second)
		r.tells("offline bob timed_out", "gate caution")
		s.beat(t, ada, store.Beat{Leaving: true})
		time.Sleep(14 * time.Second)
		r.tells("offline ada left", "gate clear")
	})
}

func TestTheFeedTellsWhenTheGateOpensAfterAStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		r, _ := s.follow(t, "", bearing(s.key(t, "panel", "read")))
		r.gate = true
		time.Sleep(time.Minute)
		r.tells()
		time.Sleep(time.Minute + time.Second)
		r.tells("gate clear")
		s.stop()
		s.must(t, <-s.ended)
	})
}
