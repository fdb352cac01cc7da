package web

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

// Mount opens a door for a foreign protocol under prefix ("/prometheus"), for
// whoever has the role, by session or by bearer token. The handler sees the path
// without the prefix and finds the principal in the context. How long it takes
// and how large bodies may be is for the handler to limit; one that takes more
// than half a minute to come needs a read deadline of the handler's.
func (s *Server) Mount(prefix string, role auth.Role, h http.Handler) {
	s.mount(prefix, access{role: role}, h)
}

// MountPublic opens a door for everybody. The handler finds the principal in the
// context, anonymous or not, and decides.
func (s *Server) MountPublic(prefix string, h http.Handler) {
	s.mount(prefix, access{public: true}, h)
}

// MountIngest opens a door for data that others send: for whoever may (a token
// with the scope ingest), and for anybody on this machine unless
// Config.RequireIngestToken is set. A method before the prefix ("POST /in")
// leaves the other methods to whoever has the prefix without one.
func (s *Server) MountIngest(prefix string, h http.Handler) {
	s.mount(prefix, access{ingest: true}, h)
}

// MountLocal opens a door for anybody on this machine, and for whoever has the
// role from elsewhere.
func (s *Server) MountLocal(prefix string, role auth.Role, h http.Handler) {
	s.mount(prefix, access{role: role, local: true}, h)
}

// MountOpen opens a door that does not even look who asks, so that it works while nobody can sign in.
func (s *Server) MountOpen(prefix string, h http.Handler) {
	_, prefix = split(prefix)
	s.opened(prefix)
	s.mux.Handle(prefix, http.StripPrefix(prefix, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" {
			r.URL.Path = "/"
		}
		h.ServeHTTP(w, r)
	})))
	s.mux.Handle(prefix+"/", http.StripPrefix(prefix, h))
}

func (s *Server) mount(prefix string, need access, h http.Handler) {
	method, prefix := split(prefix)
	if need.public || need.ingest || need.local {
		s.opened(prefix)
	}
	guarded := s.guard(need, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a test's recorder has none
		r = r.Clone(r.Context())
		r.URL.Path = strip(r.URL.Path, prefix)
		if r.URL.RawPath != "" {
			r.URL.RawPath = strip(r.URL.RawPath, prefix)
		}
		h.ServeHTTP(w, r)
	}))
	s.mux.Handle(method+prefix, guarded)
	s.mux.Handle(method+prefix+"/", guarded)
}

// Open lists the paths for which nobody has to sign in always, in order: each
// decides by itself whom it trusts. The UI's files are not among them.
func (s *Server) Open() []string { return slices.Clone(s.open) }

func (s *Server) opened(paths ...string) {
	for _, p := range paths {
		if at, known := slices.BinarySearch(s.open, p); !known {
			s.open = slices.Insert(s.open, at, p)
		}
	}
}

// split parts "POST /x/" into "POST " and "/x".
func split(pattern string) (method, prefix string) {
	if before, after, found := strings.Cut(pattern, " "); found {
		method, pattern = before+" ", after
	}
	return method, "/" + strings.Trim(pattern, "/")
}

func strip(path, prefix string) string {
	return "/" + strings.TrimPrefix(strings.TrimPrefix(path, prefix), "/")
}

func attachment(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}
