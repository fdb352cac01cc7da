package web

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// compressed sends what is worth it with gzip to clients that take it.
func compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.EnableZstd(false), gzhttp.CompressionLevel(5),
		gzhttp.ContentTypes([]string{
			"application/json", problemType, "application/yaml", "application/javascript", "application/manifest+json",
			"image/svg+xml", "text/css", "text/csv", "text/html", "text/javascript", "text/markdown", "text/plain",
		}))
	if err != nil {
		panic("web: " + err.Error()) // the options above are constant
	}
	return wrap(next)
}
