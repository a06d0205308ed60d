package store

// syncFolder has nothing to do: NTFS journals its names, and Windows can not
// flush a folder.
func syncFolder(string) error { return nil }

// renamesOpen: a file may not be replaced while it is open.
const renamesOpen = false
