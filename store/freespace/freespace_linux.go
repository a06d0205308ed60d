package freespace

import "golang.org/x/sys/unix"

// Of returns how many bytes a folder's disk has left for this user.
func Of(folder string) (free int64, ok bool) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return 0, false
	}
	return int64(stat.Bavail) * stat.Bsize, true
}
