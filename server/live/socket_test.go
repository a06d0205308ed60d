package live

import (
	"net/http"
	"testing"

	"rollcall/server/web"
)

func FuzzFirstMessage(f *testing.F) {
	for _, message := range []string{"", "{}", "null", `{"token":"rcs_abc"}`, `{"token":""}`, `{"token":7}`, `{"token":"a","token":"b"}`, `[{"token":"a"}]`, "\xff"} {
		f.Add([]byte(message))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		token, err := firstToken(message)
		if (token == "") != (err != nil) {
			t.Errorf("the token %q and the error %v", token, err)
		}
		if err != nil && web.Explain(err).Status != http.StatusUnauthorized {
			t.Errorf("got %v", err)
		}
	})
}
