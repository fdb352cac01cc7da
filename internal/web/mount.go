package web

import (
	"mime"
	"net/http"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

// Mount opens a door for a foreign protocol under prefix ("/prometheus"), for
// whoever has the role, by session or by bearer token. The handler sees the path
// without the prefix, finds the principal in the context, and limits the bodies
// it reads.
func (s *Server) Mount(prefix string, role auth.Role, h http.Handler) {
	s.mount(prefix, access{role: role}, h)
}

// MountPublic opens a door for everybody. The handler finds the principal in the
// context, anonymous or not, and decides.
func (s *Server) MountPublic(prefix string, h http.Handler) {
	s.mount(prefix, access{public: true}, h)
}

func (s *Server) mount(prefix string, need access, h http.Handler) {
	prefix = "/" + strings.Trim(prefix, "/")
	guarded := s.guard(need, http.StripPrefix(prefix, h))
	s.mux.Handle(prefix, guarded)
	s.mux.Handle(prefix+"/", guarded)
}

func attachment(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}
