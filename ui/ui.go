// Package ui holds what browsers load: the panel's pages, the heartbeat script and the
// elements for host pages. All of it is plain HTML, CSS and JavaScript; there is no build step: the
// files in static/ are the files that are served, less their comment lines.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed static
var files embed.FS

// Static is the folder static: the pages (*.html, with head.html, bar.html and the texts
// of proxy/ where they say so), heartbeat.js, the online-users-*.js and device.js at its
// root, and beside them what the pages load from /static/.
var Static fs.FS = sub("static")

// sub cannot fail for a folder that the embed directive above names.
func sub(folder string) fs.FS {
	f, err := fs.Sub(files, folder)
	if err != nil {
		panic(err)
	}
	return f
}
