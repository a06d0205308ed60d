package server

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server/origin"
	"rollcall/store/storetest"
)

func TestThePlaceIsThatOfTheLogin(t *testing.T) {
	places, err := origin.NewPlaces(networks("Office=203.0.113.0/24", "Branch=198.51.100.0/24"), "", zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, storetest.New(t), func(c *Config) { c.Origin.Places = places })
	key, viewer := b.key(t, "shop", "sessions"), b.key(t, "watch", "read")
	report(t, b, key, "ada", "203.0.113.9", firefox)
	b.clock.advance(time.Minute)
	report(t, b, key, "ada", "198.51.100.9", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1")
	phone, desk := map[string]any{"type": "mobile", "os": "iOS", "browser": "Safari 18"}, map[string]any{"type": "desktop", "os": "Windows", "browser": "Firefox 140"}
	ada := b.people(t, viewer, "")["ada"]
	b.looks(t, "the person, by the latest input", ada, phone, "Branch")
	explained := do(t, b, "GET", "/admin/users/ada/explain", nil, bearing(viewer)).wants(200)
	listed := do(t, b, "GET", "/admin/sessions?user=ada", nil, bearing(viewer)).wants(200)
	for what, sessions := range map[string]any{"a person's session": ada["sessions"], "an explained session": explained["sessions"], "a listed session": listed["sessions"]} {
		b.looks(t, what, sessions.([]any)[0].(map[string]any), phone, "Branch")
		b.looks(t, what, sessions.([]any)[1].(map[string]any), desk, "Office")
	}
	b.admin(t)
	b.clock.advance(time.Second)
	b.signIn(t, "root", password, from("203.0.113.77"), header("User-Agent", firefox)).wants(200)
	root := b.people(t, viewer, "?app=rollcall")["rollcall:root"]["sessions"].([]any)[0].(map[string]any)
	b.looks(t, "a sign-in to the panel", root, desk, "Office")
	ended := do(t, b, "POST", "/admin/sessions/revoke", `{"device": "mobile"}`, bearing(b.key(t, "ops", "admin"))).wants(200)
	if ended["count"] != 1.0 {
		t.Errorf("%v phones were logged out", ended["count"])
	}
}

// report is a login as a back end reports it.
func report(t testing.TB, b *bench, key, user, address, userAgent string) {
	t.Helper()
	do(t, b, "POST", "/admin/sessions", map[string]any{"user": map[string]any{"id": user}, "ip_address": address, "user_agent": userAgent}, bearing(key)).wants(201)
}

func (b *bench) looks(t testing.TB, what string, shown map[string]any, device map[string]any, location string) {
	t.Helper()
	got, _ := shown["device"].(map[string]any)
	if got["type"] != device["type"] || got["os"] != device["os"] || got["browser"] != device["browser"] || shown["location"] != location {
		t.Errorf("%s: %v in %v, want %v in %s", what, got, shown["location"], device, location)
	}
}

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

func networks(pairs ...string) (all []origin.Network) {
	for _, pair := range pairs {
		name, prefix, _ := strings.Cut(pair, "=")
		all = append(all, origin.Network{Name: name, Prefix: netip.MustParsePrefix(prefix)})
	}
	return all
}
