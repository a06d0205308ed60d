package backup

// syncDir has nothing to do: NTFS journals its names, and Windows can not
// flush a folder.
func syncDir(string) error { return nil }

// canRenameOpen: a file may not be replaced while it is open.
const canRenameOpen = false
