package backup_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/gofrs/flock"

	"rollcall/store"
	"rollcall/store/backup"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

func TestABackupUnderWritesIsWholeAndOpens(t *testing.T) {
	data := t.TempDir()
	s := OpenFile(t, data, presence.DefaultRules())
	var wg sync.WaitGroup
	started := make(chan struct{}, 4)
	for w := range 4 {
		wg.Go(func() {
			for i := range 300 {
				_, err := s.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: fmt.Sprint(w, "-", i)}})
				if err != nil {
					t.Error(err)
				}
				if i == 20 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "rollcall.db")
	if err := backup.Write(t.Context(), data, file); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	restored := OpenFile(t, folder, presence.Rules{})
	if counts, err := restored.CountOnline(t.Context(), Start); err != nil || counts.People() < 80 || counts.People() > 1200 {
		t.Errorf("%d people in the backup (%v), at least the first 80 were there", counts.People(), err)
	}
}

func TestABackupReplacesNothingAndLeavesNothingBehind(t *testing.T) {
	data := t.TempDir()
	OpenFile(t, data, presence.DefaultRules())
	folder := t.TempDir()
	file := filepath.Join(folder, "backup.db")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := backup.Write(t.Context(), data, file); !errors.Is(err, os.ErrExist) {
		t.Fatalf("got %v", err)
	}
	if err := backup.Write(t.Context(), data, filepath.Join(folder, "no", "such", "folder.db")); err == nil {
		t.Fatal("no error for a missing folder")
	}
	if content, _ := os.ReadFile(file); string(content) != "precious" {
		t.Error("the file was replaced")
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestABackupSweepsWhatKilledOnesLeftAndNothingThatIsUnderWay(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	OpenFile(t, data, presence.DefaultRules())
	for _, name := range []string{".rollcall-backup-1", ".rollcall-restore-2", ".rollcall-backup-live", ".rollcall-else"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name, "rollcall.db"), []byte("somebody's data"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	live := flock.New(filepath.Join(folder, ".rollcall-backup-live", "lock"))
	if locked, err := live.TryLock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	defer live.Unlock()
	if err := backup.Write(t.Context(), data, filepath.Join(folder, "backup.db")); err != nil {
		t.Fatal(err)
	}
	var names []string
	left, err := os.ReadDir(folder)
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	if want := []string{".rollcall-backup-live", ".rollcall-else", "backup.db"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("the folder holds %v, want %v: %v", names, want, err)
	}
}
