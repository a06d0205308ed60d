package server

import "net/http"

// Setting is something that the operator chose, or could have, as text.
type Setting struct {
	Name    string `json:"name"` // of the flag, without its dashes
	Value   string `json:"value"`
	Default string `json:"default"`
	About   string `json:"about"`
}

type settingsAnswer struct {
	success
	Settings []Setting `json:"settings"`
}

// settings answers with what the server was started with.
func (s *Server) settings(*http.Request) (any, error) {
	return &settingsAnswer{Settings: append([]Setting{}, s.cfg.Settings...)}, nil
}
