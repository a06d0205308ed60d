// Package api is the JSON that goes over the wire: what the server answers and what it is sent,
// as types that the server and its clients share. Beside a shape stands what makes it of a value
// of the store. It knows no request, no server and no permission.
package api

import (
	"encoding/json"
	"strconv"
	"time"

	"rollcall/store/presence"
)

// Success encodes an answer that is no error: its envelope, which is success and the time now,
// and then the fields of body, a struct. Shapes with a field Timestamp leave it zero here; who
// reads the answer finds the envelope's time in it.
func Success(now time.Time, body any) ([]byte, error) {
	if beat, ok := body.(HeartbeatAnswer); ok && beat.isUsual() {
		return beat.append(append(envelope(now, usualLength), ',')), nil
	}
	fields, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	text := envelope(now, len(fields))
	if len(fields) > len("{}") {
		text = append(text, ',')
	}
	return append(text, fields[1:]...), nil
}

// envelope is the beginning of an answer with room for its fields.
func envelope(now time.Time, length int) []byte {
	text := append(make([]byte, 0, length+64), `{"success":true,"timestamp":`...)
	return At(now).append(text)
}

// Nothing is the body of an answer that says only that it is done.
type Nothing struct{}

// Failure is every answer that is an error, but for a closed gate's.
type Failure struct {
	Success         bool               `json:"success"` // false
	Error           string             `json:"error"`   // for people
	Code            string             `json:"code"`    // for programs
	EndReason       presence.EndReason `json:"end_reason,omitempty"`
	Sessions        []ListedSession    `json:"sessions,omitempty"`          // in the way of a login
	NextHeartbeatMS int64              `json:"next_heartbeat_ms,omitempty"` // of a page whose session has ended
	Timestamp       Time               `json:"timestamp"`
}

// ID is the id of a session, notice, key or entry as the API writes it: JavaScript would round
// the number.
func ID(id int64) string { return strconv.FormatInt(id, 10) }
