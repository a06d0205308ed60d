package store

// HandOver has nothing to do: on Windows a folder's permissions hold for new files.
func HandOver(string, ...string) error { return nil }
