package origin

import "testing"

func TestWhatIsKeptOfAnAddress(t *testing.T) {
	for _, test := range []struct{ address, full, truncated string }{
		{"203.0.113.77", "203.0.113.77", "203.0.113.0"},
		{"203.0.113.0", "203.0.113.0", "203.0.113.0"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
		{"2001:DB8:1:0:0::6", "2001:db8:1::6", "2001:db8:1::"},
		{"::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0"},
		{"203.0.113.77:4711", "203.0.113.77", "203.0.113.0"},
		{"[2001:db8:1:2::6]:443", "2001:db8:1:2::6", "2001:db8:1::"},
		{"[2001:db8:1:2::6]", "2001:db8:1:2::6", "2001:db8:1::"},
		{"fe80::1:2%eth0", "fe80::1:2", "fe80::"},
		{" 203.0.113.77 ", "203.0.113.77", "203.0.113.0"},
		{"203.0.113.77, 10.0.0.1", "203.0.113.77", "203.0.113.0"},
		{"ada.example", "ada.example", ""},
		{"", "", ""},
	} {
		for rule, want := range map[AddressRule]string{"": test.full, FullAddresses: test.full, TruncatedAddresses: test.truncated, NoAddresses: ""} {
			if got := rule.Keep(test.address); got != want {
				t.Errorf("%s of %q: %q, want %q", rule, test.address, got, want)
			}
		}
	}
}

func TestWhatTheLogTellsOfAddresses(t *testing.T) {
	const text = "http: TLS handshake error from 203.0.113.77:52100: read tcp [2001:db8:1:2::5]:8443->[2001:db8:1:2::6]:4711: at 12:30:45, 999.1.1.1, then 2001:db8:1:2::7 and ::1"
	for rule, want := range map[AddressRule]string{
		FullAddresses:      text,
		TruncatedAddresses: "http: TLS handshake error from 203.0.113.0: read tcp 2001:db8:1::->2001:db8:1::: at 12:30:45, 999.1.1.1, then 2001:db8:1:: and ::",
		NoAddresses:        "http: TLS handshake error from (address): read tcp (address)->(address): at 12:30:45, 999.1.1.1, then (address) and (address)",
	} {
		if got := rule.InText(text); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", rule, got, want)
		}
	}
}
