package server

import (
	"fmt"
	"strings"
	"testing"

	"rollcall/store/sqldb"
)

func TestADamagedDatabaseIsNotBlamedOnTheDisk(t *testing.T) {
	words := brokenBy(fmt.Errorf("writing: %w: page 7", sqldb.ErrDamaged)).Error()
	if !strings.Contains(words, "rollcall restore") || strings.Contains(words, "disk") {
		t.Error(words)
	}
}
