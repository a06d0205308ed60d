package api

import (
	"rollcall/store"
	"rollcall/store/presence"
)

// ShownStatus is a person's status as every answer has it.
type ShownStatus struct {
	Status      presence.Status `json:"status"` // available, busy, away or offline
	StatusText  string          `json:"status_text"`
	StatusUntil *Time           `json:"status_until"` // null: until it is taken back
}

// StatusOf is what a person does now, all things considered.
func StatusOf(p store.OnlinePerson) ShownStatus {
	return ShownStatus{Status: p.Status, StatusText: p.StatusText, StatusUntil: AtOptional(p.StatusUntil)}
}

// StatusInput is what somebody says that a person does.
type StatusInput struct {
	Status presence.Status `json:"status"`           // busy, away, or available to take it back
	Text   string          `json:"text,omitempty"`   // at most 80 characters
	Until  *Time           `json:"until,omitempty"`  // nil: until it is taken back
	ForMS  *int64          `json:"for_ms,omitempty"` // instead of Until: how long from now, by the server's clock
}
