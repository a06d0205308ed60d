package api

// Doctor is what may be wrong with how a server is set up.
type Doctor struct {
	Findings []Finding `json:"findings"`
}

// Finding is the answer to one question about how a server is set up.
type Finding struct {
	Check string       `json:"check"` // what was looked at, in a word
	State FindingState `json:"state"`
	Words string       `json:"words"` // one short line
	Fix   string       `json:"fix"`   // what to do, "" where there is nothing
	Paste []string     `json:"paste"` // flags or commands that do it
}

// FindingState is how bad it is.
type FindingState string

// The states. A warning may be as it should be; a problem is not.
const (
	FindingOK      FindingState = "ok"
	FindingWarning FindingState = "warning"
	FindingProblem FindingState = "problem"
)

// Fine is a finding that all is well.
func Fine(check, words string) Finding {
	return Finding{Check: check, State: FindingOK, Words: words, Paste: []string{}}
}

// Warning is a finding that may be as it should be.
func Warning(check, words, fix string, paste ...string) Finding {
	return Finding{Check: check, State: FindingWarning, Words: words, Fix: fix, Paste: append([]string{}, paste...)}
}

// Problem is a finding of what is wrong.
func Problem(check, words, fix string, paste ...string) Finding {
	f := Warning(check, words, fix, paste...)
	f.State = FindingProblem
	return f
}

// Settings is what a server was started with.
type Settings struct {
	Settings []Setting `json:"settings"`
}

// Setting is something that the operator chose, or could have, as text.
type Setting struct {
	Name    string `json:"name"` // of the flag, without its dashes
	Value   string `json:"value"`
	Default string `json:"default"`
	About   string `json:"about"`
}
