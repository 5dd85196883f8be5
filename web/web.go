// Package web carries the built clients inside the binary: the residents' app
// (web/miniprogram, as H5) and the staff console (web/console).
//
// scripts/build-web.sh puts them into dist/, text files as .gz only. A
// program that was built without them serves the APIs alone.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// The clients.
const (
	Miniprogram = "miniprogram"
	Console     = "console"
)

// Built returns the files of a client; ok is false if the program was built
// without it.
func Built(client string) (files fs.ReadDirFS, ok bool) {
	sub, err := fs.Sub(dist, "dist/"+client)
	if err != nil {
		return nil, false
	}
	files, ok = sub.(fs.ReadDirFS)
	if !ok {
		return nil, false
	}
	for _, name := range []string{"index.html", "index.html.gz"} {
		if _, err := fs.Stat(files, name); err == nil {
			return files, true
		}
	}
	return nil, false
}
