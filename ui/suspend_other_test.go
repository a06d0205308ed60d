//go:build !unix

package ui_test

// suspend can not be had where processes are not stopped by a signal.
func (b *tab) suspend() (wake func()) {
	b.t.Skip("this system can not stop the browser's processes")
	return nil
}
