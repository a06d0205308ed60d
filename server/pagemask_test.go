package server

import (
	"strings"
	"testing"

	"rollcall/store/storetest"
)

func TestASecretInTheAddressOfAPageIsNotKept(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "sessions", "read")
	_, token := b.person(t, key, "ada")
	for page, want := range map[string]string{
		"/reset/MQ/c8h2kd-1a2b3c4d":                                "/reset/MQ/*",
		"/account/reset-password/550e8400-e29b-41d4-a716-4466":     "/account/reset-password/*",
		"/Invitations/7f3a9c21/accept":                             "/Invitations/*/accept",
		"/verify-email/eyJhbGciOi-J9.eyJzd1I6-Fx":                  "/verify-email/*",
		"/s/AbCdEfGhIjKlMnOpQrSt12":                                "/s/*",
		"/files/" + strings.Repeat("0123456789abcdef", 4) + "/raw": "/files/*/raw",
		"#/reset/1234567890":                                       "#/reset/*",
		"/reset":                                                   "/reset",
		"/reset/confirmation":                                      "/reset/confirmation",
		"/orders/550e8400-e29b-41d4-a716-446655440000":             "/orders/550e8400-e29b-41d4-a716-446655440000",
		"/blog/how-to-build-a-house-in-2024-with-your-own-hands":   "/blog/how-to-build-a-house-in-2024-with-your-own-hands",
		"/users/12345678/edit":                                     "/users/12345678/edit",
		"/orders/12345678901234567890":                             "/orders/12345678901234567890",
		"/Donaudampfschifffahrtsgesellschaft":                      "/Donaudampfschifffahrtsgesellschaft",
	} {
		do(t, b, "POST", "/admin/users/heartbeat", map[string]any{"page": page}, bearing(token)).wants(200)
		if got := b.people(t, key, "")["ada"]["page"]; got != want {
			t.Errorf("%s is shown as %v, want %s", page, got, want)
		}
	}
}
