package api

import "rollcall/store"

// Audit is a page of the audit log.
type Audit struct {
	Entries    []AuditEntry `json:"entries"`
	NextCursor string       `json:"next_cursor"` // "" for none
}

// AuditEntry is what somebody did.
type AuditEntry struct {
	ID         string `json:"id"`
	At         Time   `json:"at"`
	Actor      string `json:"actor"`
	ActorName  string `json:"actor_name"`
	Action     string `json:"action"`
	Target     string `json:"target"`
	TargetName string `json:"target_name"`
	Detail     string `json:"detail"`
}

// AuditEntryOf is an entry for an answer.
func AuditEntryOf(e store.AuditEntry) AuditEntry {
	return AuditEntry{ID: ID(e.ID), At: At(e.At), Actor: e.Actor, ActorName: e.ActorName, Action: e.Action,
		Target: e.Target, TargetName: e.TargetName, Detail: e.Text()}
}
