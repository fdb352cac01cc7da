package web

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// access says who may pass.
type access struct {
	role   auth.Role
	public bool // anybody, but whoever signed in is still known
	ingest bool // who may send data, instead of the role
	local  bool // anybody on this machine, and from elsewhere the role
}

// guard lets pass who may: it finds out who asks, refuses requests that another
// site made a browser send, and puts the principal in the context.
func (s *Server) guard(need access, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := s.admit(need, r)
		if err != nil {
			s.Fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(auth.WithPrincipal(r.Context(), p)))
	})
}

// admit finds out who asks and whether they may. Where anybody may, wrong
// credentials are none. Where this machine may, they are refused: whoever sends a
// token means it, and has to hear that it works nowhere else.
func (s *Server) admit(need access, r *http.Request) (auth.Principal, error) {
	p, err := s.authenticate(r)
	here := need.local || need.ingest && !s.cfg.RequireIngestToken
	switch {
	case need.public && problem.CodeOf(err) == problem.Unauthenticated:
		return auth.Principal{}, nil
	case here && err == nil && p.Anonymous() && Local(r):
		return auth.Principal{}, nil
	case err != nil || need.public:
		return p, err
	case need.ingest:
		return p, p.AllowsIngest()
	}
	return p, p.Allows(need.role)
}

// authenticate finds out who asks: by a bearer token, or else by the session
// cookie. A wrong token is refused; a session that has ended is nobody.
func (s *Server) authenticate(r *http.Request) (auth.Principal, error) {
	if token, ok := bearer(r); ok {
		return s.auth.Bearer(r.Context(), token)
	}
	if err := s.cop.Check(r); err != nil {
		return auth.Principal{}, problem.New(problem.Forbidden, "the request comes from another site: %w", err).
			WithMend("use the UI at its own address (set the public URL when a proxy changes it), or an API token")
	}
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return auth.Principal{}, nil // no cookie: nobody
	}
	p, err := s.auth.Session(r.Context(), c.Value)
	if problem.CodeOf(err) == problem.Unauthenticated {
		return auth.Principal{}, nil
	}
	return p, err
}

// bearer is the API token of a request: as bearer, or as the password of basic
// authentication, which is all that some clients can send.
func bearer(r *http.Request) (token string, ok bool) {
	if _, password, basic := r.BasicAuth(); basic {
		return password, true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if value, is := strings.CutPrefix(strings.TrimSpace(token), "token="); is && strings.EqualFold(scheme, "Token") {
		return strings.Trim(value, `"`), true // as PagerDuty's clients send it
	}
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// https says whether the browser came over TLS, as far as can be known.
func (s *Server) https(r *http.Request) bool {
	return r.TLS != nil || s.secure || s.cfg.TrustProxy && r.Header.Get("X-Forwarded-Proto") == "https"
}

// clientAddr is the address of the client: behind a trusted proxy the one that
// the proxy appended last.
func (s *Server) clientAddr(r *http.Request) string {
	if s.cfg.TrustProxy {
		if hops := strings.Join(r.Header.Values("X-Forwarded-For"), ","); hops != "" {
			return strings.TrimSpace(hops[strings.LastIndex(hops, ",")+1:])
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// exchange is what web keeps about one request.
type exchange struct {
	id string // of the request
	w  http.ResponseWriter
	r  *http.Request

	// What a handler adds to the audit entry of its operation.
	actor          string
	target, detail string
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// exchangeOf never returns nil, so that handlers can be called without a server.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// RequestID returns the id of the request a handler answers, for its log lines.
func RequestID(ctx context.Context) string { return exchangeOf(ctx).id }
