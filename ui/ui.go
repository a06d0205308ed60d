// Package ui holds what browsers load: the panel's pages, the heartbeat script and the elements for host pages. All of
// it is plain HTML, CSS and JavaScript. Pages load the files in static/ as they are; what host pages load is written as
// modules in static/embed/ and sent as one script each, from static/built/. In clients/ are the files that an application
// drops in, for each framework.
package ui

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// What host pages load is built by `go generate ./ui`, and kept with its sources.
//
//go:generate go tool esbuild --bundle --minify --charset=utf8 --loader:.css=text --log-level=warning --outdir=static/built --format=iife static/embed/heartbeat.js static/embed/online-users-panel.js static/embed/online-users-badge.js
//go:generate go tool esbuild --bundle --minify --charset=utf8 --loader:.css=text --log-level=warning --outdir=static/built --format=esm heartbeat-notices=static/embed/heartbeat/notices.js heartbeat-live=static/embed/heartbeat/live.js heartbeat-renew=static/embed/heartbeat/renew.js heartbeat-explain=static/embed/heartbeat/explain.js heartbeat-status=static/embed/heartbeat/status.js heartbeat-source=static/embed/heartbeat/source.js online-users-panel-details=static/embed/panel/details.js
//go:generate go tool esbuild --bundle --minify --charset=utf8 --loader:.d.mts=copy --log-level=warning --outdir=static/built --format=esm --entry-names=[name] --out-extension:.js=.mjs static/embed/rollcall.mjs static/embed/rollcall.d.mts

//go:embed static/base static/lib static/pages static/built clients
var files embed.FS

// Static is the folder static, without the sources of what is built, and in it the folder clients.
var Static fs.FS = static{}

type static struct{}

func (static) Open(name string) (fs.File, error) { return files.Open(inFiles(name)) }

func (static) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := files.ReadDir(inFiles(name))
	if name != "." || err != nil {
		return entries, err
	}
	all, err := files.ReadDir(name)
	for _, entry := range all {
		if entry.Name() == "clients" {
			entries = append(entries, entry)
		}
	}
	return entries, err
}

func inFiles(name string) string {
	if name == "clients" || strings.HasPrefix(name, "clients/") {
		return name
	}
	return path.Join("static", name)
}
