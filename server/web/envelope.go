package web

import (
	"time"

	"rollcall/store/presence"
)

// Success is in every answer that is not an error.
type Success struct {
	Success   bool   `json:"success"`
	Timestamp string `json:"timestamp"`
}

// Stamp completes an answer.
func (s *Success) Stamp(now time.Time) { s.Success, s.Timestamp = true, Timestamp(now) }

// Failure is every answer that is an error.
type Failure struct {
	Success   bool               `json:"success"`
	Error     string             `json:"error"`
	Code      string             `json:"code"`
	EndReason presence.EndReason `json:"end_reason,omitempty"`
	Sessions  any                `json:"sessions,omitempty"`
	Timestamp string             `json:"timestamp"`
}

// Timestamp is how every time is written: RFC 3339, UTC, milliseconds.
func Timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
