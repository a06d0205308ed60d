package client

// Device is what a session is used on. Its fields are "" where that is not known.
type Device struct {
	Type    string `json:"type"` // desktop, mobile, tablet or bot
	OS      string `json:"os"`
	Browser string `json:"browser"` // with its major version
}

// String is the device in words, such as "Firefox 140 on Windows".
func (d Device) String() string {
	switch {
	case d.Browser == "" && d.OS == "":
		return d.Type
	case d.Browser == "":
		return d.OS
	case d.OS == "":
		return d.Browser
	}
	return d.Browser + " on " + d.OS
}
