package store

import (
	"errors"
	"strings"
	"testing"

	"rollcall/store/sqldb"
)

func TestAPasswordThatOthersWouldTryIsRefused(t *testing.T) {
	for _, password := range []string{
		"passwordpassword", "Password1234567", "123456789012345", "1234567890qwertyuiop", "qwertyuiopasdfgh", "1qaz2wsx3edc4rfv", "aaaaaaaaaaaaaaaaa",
		"adminadminadmin", "iloveyouiloveyou", "RollcallRollcall1", "letmeinletmein!", "margaret@margaret@margaret", "margaretmargaret1", "P@ssw0rdP@ssw0rd", "abcdefghijklmnop",
		strings.Repeat("x1!", 20),
	} {
		if err := checkPassword(password, "margaret"); !errors.Is(err, sqldb.ErrInvalid) {
			t.Errorf("%q is taken: %v", password, err)
		}
	}
	for _, password := range []string{
		"correct horse battery staple", "a password that is long enough", "my dragon is a master of whatever", "äöüäöü und noch viel mehr", "9f86d081884c7d659f86d0",
		"margaret likes apple pie", "qwertyuiop and something else",
	} {
		if err := checkPassword(password, "margaret"); err != nil {
			t.Errorf("%q is refused: %v", password, err)
		}
	}
}
