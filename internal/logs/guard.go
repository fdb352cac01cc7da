package logs

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// guard says who may send logs and who may read them at the doors. From this
// machine sending needs no token; from elsewhere, and always if that is asked
// for, it needs one with the scope "ingest". A token comes as a bearer token, as
// the password of Basic authentication, as an API key of Elasticsearch, or in the
// header X-Api-Key.
type guard struct {
	tokens Tokens
	always bool // also from this machine
}

// who is the principal of a request: the one that the session or the token gave
// it already, or the one of another kind of credentials.
func (g guard) who(r *http.Request) (auth.Principal, error) {
	if p := auth.FromContext(r.Context()); !p.Anonymous() {
		return p, nil
	}
	secret := secretOf(r)
	if secret == "" {
		return auth.Principal{}, nil
	}
	return g.tokens.Bearer(r.Context(), secret)
}

// secretOf is the token in the headers of a request.
func secretOf(r *http.Request) string {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer":
		return rest
	case "basic":
		_, password, _ := r.BasicAuth()
		return password
	case "apikey":
		if data, err := base64.StdEncoding.DecodeString(rest); err == nil {
			if _, key, ok := strings.Cut(string(data), ":"); ok {
				return key
			}
		}
		return rest
	}
	return r.Header.Get("X-Api-Key")
}

// mayIngest is nil if the request may send data.
func (g guard) mayIngest(r *http.Request) error {
	p, err := g.who(r)
	if err != nil {
		return err
	}
	if p.Anonymous() && !g.always && local(r) {
		return nil
	}
	return p.AllowsIngest()
}

// mayRead is nil if the request may see logs.
func (g guard) mayRead(r *http.Request) error {
	p, err := g.who(r)
	if err != nil {
		return err
	}
	return p.Allows(auth.Viewer)
}

// local tells whether a request surely comes from this machine, and from no web
// page that a browser on it has open.
func local(r *http.Request) bool {
	if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" && r.Header.Get("Sec-Fetch-Site") != "none" {
		return false
	}
	return web.Local(r)
}

// ingestOnly lets pass to a door what may send data; refuse writes the error.
func (l *Logs) ingestOnly(door string, next http.Handler, refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := l.guard.mayIngest(r); err != nil {
			l.counts.Refused(door, string(problem.CodeOf(err)), 1)
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

var errMethod = problem.New(problem.Invalid, "this door takes POST only")
