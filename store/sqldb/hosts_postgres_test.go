//go:build postgres

package sqldb

import "testing"

func TestOfSeveralServersTheOneThatTakesWritesIsUsed(t *testing.T) {
	for address, want := range map[string]bool{
		"postgres://u@h1:5432,h2:5433/db":                          true,
		"postgres://u@h1:5432/db":                                  false,
		"postgres://u@h1:5432,h2:5433/db?target_session_attrs=any": false,
	} {
		config, err := PostgresConfig(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := config.ValidateConnect != nil; got != want {
			t.Errorf("%s: it is looked at: %t", address, got)
		}
	}
}
