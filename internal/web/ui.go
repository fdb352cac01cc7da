package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// policy lets the UI run its own scripts and talk to its own server, nothing
// else. Inline styles are let through: component libraries set them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; frame-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// MountUI serves a built single-page application: its files, and index.html for
// every other path nobody has registered, since the application routes by
// itself. Files under assets/ have the hash of their content in their names.
func (s *Server) MountUI(files fs.FS) {
	ui := compressed(&app{s: s, files: files})
	s.mux.Handle("/", ui)
	s.mux.HandleFunc("/-/", s.noRoute)
}

type app struct {
	s     *Server
	files fs.FS
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		p := newProblem(problem.Invalid, http.StatusMethodNotAllowed)
		p.Detail = r.URL.Path + " can only be read"
		writeProblem(w, p)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	body, err := fs.ReadFile(a.files, name)
	if err != nil && strings.HasPrefix(name, "assets/") {
		a.s.Fail(w, r, problem.New(problem.NotFound, "there is no %s", r.URL.Path).WithMend("reload the page: the server has a newer version"))
		return
	}
	if err != nil {
		name = "index.html"
		if body, err = fs.ReadFile(a.files, name); err != nil {
			a.s.Fail(w, r, problem.New(problem.NotFound, "there is no %s", r.URL.Path).WithMend("the UI is not part of this build; see /api/openapi.json for the API"))
			return
		}
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if path.Ext(name) == ".webmanifest" { // few machines know that type
		h.Set("Content-Type", "application/manifest+json")
	}
	sum := sha256.Sum256(body)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}
