//go:build !linux

package server

import "errors"

// DiskOf can not tell anything here.
func DiskOf(string) (Disk, error) { return Disk{}, errors.ErrUnsupported }
