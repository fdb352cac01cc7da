package web_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Who may what, by every road in: operation and door, session and token.
func TestRoles(t *testing.T) {
	r := newRig(t, nil, func(s *web.Server) {
		for role := auth.Viewer; role <= auth.Admin; role++ {
			o := op("need-" + role.String())
			o.Role = role
			web.Get(s, "/api/need/"+role.String(), o, nothing)
			s.Mount("/door/"+role.String(), role, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
		}
		o := op("need-nobody")
		o.Public = true
		web.Get(s, "/api/need/nobody", o, nothing)
	})
	ways := map[auth.Role][]call{}
	for role := auth.Viewer; role <= auth.Admin; role++ {
		_, c := r.signedIn(role.String(), role)
		ways[role] = []call{cookie(c), bearer(r.token(role))}
	}
	for need := auth.Viewer; need <= auth.Admin; need++ {
		for _, path := range []string{"/api/need/", "/door/"} {
			path += need.String()
			for have, calls := range ways {
				for _, c := range calls {
					a := r.do("GET", path, nil, c)
					if have >= need {
						a.ok(t, 204, nil)
						continue
					}
					p := a.problem(t, 403, problem.Forbidden)
					if !strings.Contains(p.Detail, need.String()) || !strings.Contains(p.Detail, have.String()) || p.Mend == "" {
						t.Errorf("%s by %s: %s", path, have, a.body)
					}
				}
			}
			a := r.do("GET", path, nil)
			p := a.problem(t, 401, problem.Unauthenticated)
			if !strings.Contains(p.Mend, "/sign-in") || !strings.Contains(p.Mend, "Bearer") || a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s by nobody: %s", path, a.body)
			}
			r.do("GET", path, nil, bearer("dt_invented")).problem(t, 401, problem.Unauthenticated)
			r.do("GET", path, nil, header("Cookie", "daytwo_session=invented")).problem(t, 401, problem.Unauthenticated)
			r.do("GET", path, nil, bearer(r.token(auth.Admin, auth.ScopeIngest))).problem(t, 403, problem.Forbidden)
		}
	}
	read := bearer(r.token(auth.Admin, auth.ScopeRead))
	r.do("GET", "/api/need/viewer", nil, read).ok(t, 204, nil)
	p := r.do("GET", "/api/need/responder", nil, read).problem(t, 403, problem.Forbidden)
	if !strings.Contains(p.Detail, "narrowed") {
		t.Errorf("%+v", p)
	}
	for _, c := range []call{func(*http.Request) {}, bearer("dt_invented"), header("Authorization", "Basic xxx"), asAdmin} {
		r.do("GET", "/api/need/nobody", nil, c).ok(t, 204, nil)
	}
	r.do("GET", "/api/need/viewer", nil, header("Authorization", "bearer  "+adminToken)).ok(t, 204, nil)
}

// Nobody is signed in because of where they are.
func TestLoopbackIsNoCredential(t *testing.T) {
	r := newRig(t, nil, nil)
	for _, path := range []string{"/api/users", "/api/tokens", "/api/audit", "/api/info"} {
		r.do("GET", path, nil).problem(t, 401, problem.Unauthenticated)
	}
}

func TestCrossSiteRequests(t *testing.T) {
	r := newRig(t, nil, func(s *web.Server) {
		o := op("change")
		o.Audit = "test.change"
		web.Post(s, "/api/change", o, nothing)
		web.Get(s, "/api/look", op("look"), nothing)
		s.Mount("/door", auth.Viewer, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	}, func(c *web.Config) { c.PublicURL = "https://ops.example.com/" })
	_, c := r.signedIn("ada", auth.Operator)
	session := cookie(c)
	crossSite := header("Sec-Fetch-Site", "cross-site")
	for _, path := range []string{"/api/change", "/door/x"} {
		for name, foreign := range map[string]call{
			"cross-site":   crossSite,
			"same-site":    header("Sec-Fetch-Site", "same-site"),
			"other origin": header("Origin", "https://evil.example"),
			"null origin":  header("Origin", "null"),
		} {
			p := r.do("POST", path, nil, session, foreign).problem(t, 403, problem.Forbidden)
			if !strings.Contains(p.Detail, "another site") || p.Mend == "" {
				t.Errorf("%s %s: %+v", path, name, p)
			}
		}
		for name, own := range map[string]call{
			"same-origin": header("Sec-Fetch-Site", "same-origin"),
			"none":        header("Sec-Fetch-Site", "none"),
			"own origin":  header("Origin", r.url),
			"public URL":  header("Origin", "https://ops.example.com"),
			"no browser":  func(*http.Request) {},
		} {
			if a := r.do("POST", path, nil, session, own); a.StatusCode != 204 {
				t.Errorf("%s %s: %d %s", path, name, a.StatusCode, a.body)
			}
		}
		r.do("POST", path, nil, asAdmin, crossSite).ok(t, 204, nil)
		// With a bearer token the cookie does not count.
		r.do("POST", path, nil, session, bearer("dt_invented"), crossSite).problem(t, 401, problem.Unauthenticated)
	}
	r.do("GET", "/api/look", nil, session, crossSite).ok(t, 204, nil)
	// Nobody is signed in as somebody else.
	r.do("POST", "/api/session", map[string]string{"name": "ada", "password": "correct horse"}, crossSite).problem(t, 403, problem.Forbidden)
}

func TestDoors(t *testing.T) {
	seen := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s?%s %s by %s", r.Method, r.URL.EscapedPath(), r.URL.RawQuery, body, auth.FromContext(r.Context()))
	})
	r := newRig(t, nil, func(s *web.Server) {
		s.Mount("/prometheus", auth.Viewer, seen)
		s.Mount("/prometheus/api/v1/admin/", auth.Admin, seen)
		s.MountPublic("/hook", seen)
	})
	viewer := bearer(r.token(auth.Viewer))
	for _, tt := range []struct {
		method, path, want string
		c                  call
	}{
		{"GET", "/prometheus", "GET /?  by token:viewer", viewer},
		{"GET", "/prometheus/", "GET /?  by token:viewer", viewer},
		{"GET", "/prometheus/api/v1/query?query=up", "GET /api/v1/query?query=up  by token:viewer", viewer},
		{"GET", "/prometheus/a%2Fb", "GET /a%2Fb?  by token:viewer", viewer},
		{"DELETE", "/prometheus/api/v1/admin/x", "DELETE /x?  by token:admin", asAdmin},
		{"POST", "/hook/in", "POST /in?  by anonymous", func(*http.Request) {}},
		{"POST", "/hook/in", "POST /in?  by anonymous", bearer("somebody else's token")},
		{"POST", "/hook/in", "POST /in?  by token:viewer", viewer},
	} {
		if a := r.do(tt.method, tt.path, nil, tt.c).ok(t, 200, nil); a.body != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.method, tt.path, a.body, tt.want)
		}
	}
	r.do("DELETE", "/prometheus/api/v1/admin/x", nil, viewer).problem(t, 403, problem.Forbidden)
	big := strings.Repeat("x", 1<<20) // doors set their own limits
	if a := r.do("POST", "/prometheus/write", big, viewer).ok(t, 200, nil); len(a.body) < len(big) {
		t.Errorf("a body of %d bytes did not arrive", len(big))
	}
}

func TestSecurityHeaders(t *testing.T) {
	r := newRig(t, nil, nil)
	for _, path := range []string{"/api/session", "/api/nothing", "/-/healthy"} {
		h := r.do("GET", path, nil).Header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
}

func TestMetricsAreForThisMachineAndViewers(t *testing.T) {
	for _, trust := range []bool{false, true} { // a trusted proxy is no nearer
		testMetricsAreForThisMachine(t, newRig(t, nil, nil, func(c *web.Config) { c.TrustProxy = trust }))
	}
}

func testMetricsAreForThisMachine(t *testing.T, r *rig) {
	t.Helper()
	for _, tt := range []struct {
		name, remote, host string
		want               int
		calls              []call
	}{
		{"here", "127.0.0.1:1000", "127.0.0.1:2020", 200, nil},
		{"here by name", "[::1]:1000", "localhost:2020", 200, nil},
		{"elsewhere", "192.0.2.1:1000", "192.0.2.2:2020", 401, nil},
		{"by a proxy here", "127.0.0.1:1000", "127.0.0.1:2020", 401, []call{header("X-Forwarded-For", "192.0.2.1")}},
		{"by a proxy that says it is here", "127.0.0.1:1000", "127.0.0.1:2020", 401, []call{header("X-Forwarded-For", "127.0.0.1")}},
		{"by a proxy that says little", "127.0.0.1:1000", "127.0.0.1:2020", 401, []call{header("X-Forwarded-Proto", "https")}},
		{"by a proxy that says nothing of the client", "127.0.0.1:1000", "localhost", 401, []call{header("X-Forwarded-For", "")}},
		{"by a standard proxy", "127.0.0.1:1000", "127.0.0.1:2020", 401, []call{header("Forwarded", "for=192.0.2.1")}},
		{"by a proxy of the old kind", "127.0.0.1:1000", "127.0.0.1:2020", 401, []call{header("Via", "1.1 gate")}},
		{"by nginx as many set it up", "127.0.0.1:1000", "127.0.0.1:2020", 401, []call{header("X-Real-IP", "192.0.2.1")}},
		{"here by the address of the network", "10.0.0.5:1000", "10.0.0.5:2020", 200, []call{func(r *http.Request) {
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 2020})))
		}}},
		{"by a foreign name", "127.0.0.1:1000", "evil.example:2020", 401, nil},
		{"elsewhere with a token", "192.0.2.1:1000", "ops.example", 200, []call{asAdmin}},
	} {
		req := httptest.NewRequest("GET", "/metrics", nil)
		req.RemoteAddr, req.Host = tt.remote, tt.host
		for _, c := range tt.calls {
			c(req)
		}
		w := httptest.NewRecorder()
		r.web.Handler().ServeHTTP(w, req)
		if w.Code != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.want)
		}
	}
}

// Sending data needs no token on this machine unless that is asked for; reading as /metrics does never.
func TestDoorsForThisMachine(t *testing.T) {
	for _, strict := range []bool{false, true} {
		r := newRig(t, nil, func(s *web.Server) {
			ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
			s.MountIngest("/in", ok)
			s.MountLocal("/out", auth.Viewer, ok)
		}, func(c *web.Config) { c.RequireIngestToken = strict })
		here := map[bool]int{false: 204, true: 401}[strict]
		viewer := r.token(auth.Viewer)
		for _, tt := range []struct {
			name, path, remote string
			call               call
			want               int
		}{
			{"nobody here", "/in/x", "127.0.0.1:1", nil, here},
			{"nobody elsewhere", "/in/x", "192.0.2.1:1", nil, 401},
			{"a wrong password here", "/in/x", "127.0.0.1:1", func(r *http.Request) { r.SetBasicAuth("ada", "x") }, 401},
			{"a wrong token elsewhere", "/in/x", "192.0.2.1:1", bearer("x"), 401},
			{"an admin elsewhere", "/in/x", "192.0.2.1:1", asAdmin, 204},
			{"an admin by basic authentication", "/in/x", "192.0.2.1:1", func(r *http.Request) { r.SetBasicAuth("any", adminToken) }, 204},
			{"a viewer elsewhere", "/in/x", "192.0.2.1:1", bearer(viewer), 403},
			{"another site's page here", "/in/x", "127.0.0.1:1", header("Sec-Fetch-Site", "cross-site"), 403},
			{"a proxy here", "/in/x", "127.0.0.1:1", header("X-Forwarded-For", "127.0.0.1"), 401},
			{"nobody reads here", "/out", "127.0.0.1:1", nil, 204},
			{"nobody reads elsewhere", "/out", "192.0.2.1:1", nil, 401},
			{"a viewer reads elsewhere", "/out", "192.0.2.1:1", bearer(viewer), 204},
		} {
			req := httptest.NewRequest("POST", tt.path, nil)
			req.RemoteAddr, req.Host = tt.remote, "127.0.0.1:2020"
			if tt.call != nil {
				tt.call(req)
			}
			w := httptest.NewRecorder()
			r.web.Handler().ServeHTTP(w, req)
			if w.Code != tt.want {
				t.Errorf("strict %v, %s: %d, want %d", strict, tt.name, w.Code, tt.want)
			}
		}
	}
}

func TestReadiness(t *testing.T) {
	r := newRig(t, nil, nil)
	r.do("GET", "/-/ready", nil).ok(t, 200, nil)
	r.web.SetReady("store", context.DeadlineExceeded)
	r.web.SetReady("alerts", fmt.Errorf("loading rules"))
	a := r.do("GET", "/-/ready", nil).ok(t, 503, nil)
	if !strings.HasPrefix(a.body, "not ready: alerts: loading rules\nnot ready: store: context") {
		t.Errorf("%q", a.body)
	}
	r.do("GET", "/-/healthy", nil).ok(t, 200, nil)
	r.web.SetReady("store", nil)
	r.web.SetReady("alerts", nil)
	r.do("GET", "/-/ready", nil).ok(t, 200, nil)
}
