package api

// Heartbeat is what a browser says while a session is open.
type Heartbeat struct {
	SessionToken string  `json:"sessionToken,omitempty"` // where no header brings it
	IdleMS       int64   `json:"idle_ms,omitempty"`      // age of the last input, in milliseconds
	Visible      *bool   `json:"visible,omitempty"`      // informs nobody yet
	Page         *string `json:"page,omitempty"`
	Leaving      bool    `json:"leaving,omitempty"`

	Seen []string `json:"seen,omitempty"` // ids of notices that were shown
}

// HeartbeatAnswer is the server's to a heartbeat.
type HeartbeatAnswer struct {
	Session         Session       `json:"session"`
	Idle            bool          `json:"idle"`              // the next input is worth a heartbeat at once
	NextHeartbeatMS int64         `json:"next_heartbeat_ms"` // how long to wait, in milliseconds
	Notices         []ShownNotice `json:"notices"`
}
