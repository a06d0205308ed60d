package server

// static is where a file is that pages load.
func (b *bench) static(name string) string { return "/" + b.assets.Address(name) }
