//go:build !windows

package backup

import (
	"errors"
	"os"
)

// syncDir makes a new name in a folder survive a power cut.
func syncDir(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// canRenameOpen: a file may be replaced while it is open.
const canRenameOpen = true
