package sqldb

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
)

// released is the latest version of the schema that a release has.
const released = 6

// schemaHash is of schema.sql, postgres.sql and the steps of the upgrades of SQLite, as they are now.
const schemaHash = "4d7343e5a48aa2cc"

func TestTwoCommitsWithinOneSchemaVersionDoNotDiffer(t *testing.T) {
	sum := sha256.New()
	for _, file := range []string{"../../schema.sql", "postgres.sql"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sum, "%s\n%s\n", file, text)
	}
	for _, step := range steps {
		fmt.Fprintln(sum, step)
	}
	hash := fmt.Sprintf("%x", sum.Sum(nil)[:8])
	switch {
	case hash == schemaHash:
	case SchemaVersion() > released:
		t.Errorf("the schema has changed, and version %d is in no release yet: set schemaHash to %q. After a release set released to it instead", SchemaVersion(), hash)
	default:
		t.Errorf("the schema has changed, and version %d is in a release: add a step to version %d, so that databases of that release are upgraded, and then set schemaHash to %q",
			SchemaVersion(), SchemaVersion()+1, hash)
	}
}
