//go:build !linux

package freespace

// Of is not known here.
func Of(string) (free int64, ok bool) { return 0, false }
