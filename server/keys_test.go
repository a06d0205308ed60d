package server

import (
	"testing"

	"rollcall/store/storetest"
)

// TestALeakedKeyIsNoUseOnceItIsDeleted has somebody with a key of an administrator name a person and a token of their choice.
func TestALeakedKeyIsNoUseOnceItIsDeleted(t *testing.T) {
	b := newBench(t, storetest.New(t))
	root, leaked := cookied(b, b.admin(t)), b.key(t, "shop", "admin")
	const chosen = "3b9f0c1e7a5d4862b0e1f7c95a3d8e64"
	do(t, b, "POST", "/admin/sessions", `{"session_token":"`+chosen+`","user":{"id":"backdoor","access":"admin"}}`, bearing(leaked)).wants(201)
	b.person(t, leaked, "ada")
	do(t, b, "GET", "/admin/keys", nil, bearing(chosen)).wants(200)

	id := do(t, b, "GET", "/admin/keys", nil, root).wants(200)["keys"].([]any)[0].(map[string]any)["id"].(string)
	for query, want := range map[string]float64{"?dry_run=true": 1, "?dry_run=true&sessions=all": 2} {
		if got := do(t, b, "DELETE", "/admin/keys/"+id+query, nil, root).wants(200); got["sessions"] != want || got["dry_run"] != true {
			t.Errorf("%s: %v", query, got)
		}
	}
	for _, query := range []string{"?sessions=none", "?dry_run=1", "?all=true"} {
		do(t, b, "DELETE", "/admin/keys/"+id+query, nil, root).refuses(400, "invalid_request")
	}
	if got := do(t, b, "DELETE", "/admin/keys/"+id, nil, root).wants(200); got["sessions"] != 1.0 || got["dry_run"] != false {
		t.Errorf("deleting it: %v", got)
	}
	for _, call := range [][2]string{{"GET", "/admin/keys"}, {"GET", "/admin/users/online"}, {"GET", "/auth/me"}} {
		do(t, b, call[0], call[1], nil, bearing(chosen)).refuses(401, "unauthenticated")
	}
	do(t, b, "POST", "/admin/accounts", `{"name":"mallory","password":"correct horse battery staple","access":"admin"}`, bearing(chosen)).refuses(401, "unauthenticated")
	do(t, b, "GET", "/admin/keys", nil, root).wants(200)
}
