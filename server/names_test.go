package server

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"rollcall/store/storetest"
)

// TestAMisspeltNameIsNotTakenForOneWhereNobodyIs asks every question of the document that takes a name.
func TestAMisspeltNameIsNotTakenForOneWhereNobodyIs(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key, shop := b.key(t, "ops", "read"), b.key(t, "shop", "sessions")
	admin := b.key(t, "ops", "admin")
	do(t, b, "GET", "/admin/gate?organization=x", nil, bearing(key)).refuses(400, "invalid_request")
	if got := do(t, b, "GET", "/admin/gate?ignore_role=support", nil, bearing(key)).refuses(400, "invalid_request")["error"]; got != `there is no role "support"; none is known yet` {
		t.Error(got)
	}
	do(t, b, "GET", "/admin/gate?app=shop", nil, bearing(key)).refuses(409, "gate_caution") // it is known, and has reported nobody
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada","role":"Editor","team":"Core","organization":"Acme"}}`, bearing(shop)).wants(201)
	known := map[string]string{"app": `application "NAME"; known: "ops", "shop"`, "organization": `organization "NAME"; known: "Acme"`,
		"team": `team "NAME"; known: "Core"`, "role": `role "NAME"; known: "Editor"`, "ignore_role": `role "NAME"; known: "Editor"`}
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	refused := func(call, name string, answer map[string]any, kind string) {
		t.Helper()
		asked++
		if want := "there is no " + strings.Replace(known[kind], "NAME", name, 1); answer["error"] != want {
			t.Errorf("%s: %v, want %s", call, answer["error"], want)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		if operation := doc.Paths.Value(path).Get; operation != nil {
			for _, parameter := range operation.Parameters {
				kind := parameter.Value.Name
				for _, name := range map[bool][]string{true: {"shpo", "Shop", " shop", "shop "}}[known[kind] != ""] {
					call := path + "?" + kind + "=" + strings.ReplaceAll(name, " ", "%20")
					refused(call, name, do(t, b, "GET", call, nil, bearing(key)).refuses(400, "invalid_request"), kind)
				}
			}
		}
	}
	for _, kind := range []string{"app", "organization"} {
		for call, body := range map[string]map[string]any{"/admin/notices": {"message": "m"}, "/admin/sessions/revoke": {"dry_run": true}} {
			body[kind] = "shpo"
			refused(call, "shpo", do(t, b, "POST", call, body, bearing(admin)).refuses(400, "invalid_request"), kind)
		}
	}
	if asked != 4*12+4 {
		t.Errorf("%d questions were asked", asked)
	}
}
