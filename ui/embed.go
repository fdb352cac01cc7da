// Package ui holds the built screen: the React app under src, built by `npm run build` into dist.
package ui

import (
	"embed"
	"io/fs"
)

// A build without index.html would serve dead links: naming it makes that build fail.
//
//go:embed dist/index.html all:dist
var files embed.FS

// Dist returns the built app, index.html at its root.
func Dist() fs.FS {
	dist, err := fs.Sub(files, "dist")
	if err != nil {
		panic(err) // The directory is embedded above: it cannot be missing.
	}
	return dist
}
