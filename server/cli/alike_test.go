package cli_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// envelope is what an answer of the API has around its data.
var envelope = []string{"success", "error", "code"}

// alike expects the fields of the last command's JSON to be those of what the API answers
// to ADMIN, or of a member of that: alike PATH [MEMBER [BODY]]. With a body it is posted.
func alike(ts *testscript.TestScript, _ bool, args []string) {
	var printed, answer any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &printed))
	method, body := http.MethodGet, ""
	if len(args) > 2 {
		method, body = http.MethodPost, args[2]
	}
	req, err := http.NewRequest(method, ts.Getenv("URL")+args[0], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("ADMIN"))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(json.Unmarshal(raw, &answer))
	if len(args) > 1 && args[1] != "" {
		answer = answer.(map[string]any)[args[1]]
	}
	if diff := cmp.Diff(fieldsOf(answer), fieldsOf(printed)); diff != "" {
		ts.Fatalf("the API's fields (-), the command's (+):\n%s", diff)
	}
}

// fieldsOf keeps the names in a JSON value, without those of the envelope, and of a list
// the first entry.
func fieldsOf(value any) any {
	switch value := value.(type) {
	case map[string]any:
		fields := map[string]any{}
		for name, inner := range value {
			fields[name] = fieldsOf(inner)
		}
		for _, name := range envelope {
			delete(fields, name)
		}
		return fields
	case []any:
		if len(value) > 0 {
			return []any{fieldsOf(value[0])}
		}
		return []any{}
	}
	return nil
}
