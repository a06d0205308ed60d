//go:build !linux

package doctor

import "errors"

// diskOf can not tell anything here.
func diskOf(string) (disk, error) { return disk{}, errors.ErrUnsupported }
