package web_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

var script = strings.Repeat("console.log('daytwo');\n", 200)

func mountUI(s *web.Server) {
	s.MountUI(fstest.MapFS{
		"index.html":               {Data: []byte("<!doctype html><title>daytwo</title>")},
		"favicon.svg":              {Data: []byte("<svg/>")},
		"manifest.webmanifest":     {Data: []byte(`{"name":"daytwo"}`)},
		"assets/index-B7Xq0aPz.js": {Data: []byte(script)},
	})
}

func TestUI(t *testing.T) {
	r := newRig(t, nil, mountUI)
	for _, path := range []string{"/", "/index.html", "/sign-in?token=x", "/services/checkout", "/assets"} {
		a := r.do("GET", path, nil).ok(t, 200, nil)
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.Contains(a.body, "<title>daytwo") || a.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(csp, "script-src 'self';") {
			t.Errorf("%s: %v %s", path, a.Header, a.body)
		}
	}
	a := r.do("GET", "/favicon.svg", nil).ok(t, 200, nil)
	if a.Header.Get("Content-Type") != "image/svg+xml" || a.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("favicon: %v", a.Header)
	}
	a = r.do("GET", "/manifest.webmanifest", nil).ok(t, 200, nil) // without signing in: the browser asks for it by itself
	if a.Header.Get("Content-Type") != "application/manifest+json" || a.body != `{"name":"daytwo"}` {
		t.Errorf("manifest: %v %s", a.Header, a.body)
	}
	a = r.do("GET", "/assets/index-B7Xq0aPz.js", nil, header("Accept-Encoding", "gzip")).ok(t, 200, nil)
	if h := a.Header; h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Content-Encoding") != "gzip" ||
		!strings.HasPrefix(h.Get("Content-Type"), "text/javascript") || len(a.body) > len(script)/5 {
		t.Errorf("script: %d bytes, %v", len(a.body), h)
	}
	etag := r.do("GET", "/", nil).Header.Get("ETag")
	if r.do("GET", "/", nil, header("If-None-Match", etag)).ok(t, 304, nil); etag == "" {
		t.Error("no ETag")
	}
	if head := r.do("HEAD", "/", nil).ok(t, 200, nil); head.body != "" {
		t.Errorf("HEAD answers %q", head.body)
	}
	r.do("GET", "/assets/index-OLD.js", nil).problem(t, 404, problem.NotFound)
	r.do("POST", "/services", nil).ok(t, 405, nil)
	r.do("GET", "/api/nothing", nil).problem(t, 404, problem.NotFound)
	r.do("GET", "/-/nothing", nil).problem(t, 404, problem.NotFound)
}

func TestUINotBuilt(t *testing.T) {
	r := newRig(t, nil, func(s *web.Server) { s.MountUI(fstest.MapFS{}) })
	p := r.do("GET", "/", nil).problem(t, 404, problem.NotFound)
	if !strings.Contains(p.Mend, "not part of this build") {
		t.Errorf("%+v", p)
	}
}

func TestCompression(t *testing.T) {
	r := newRig(t, nil, nil)
	gzip := header("Accept-Encoding", "gzip")
	for range 20 {
		r.token(auth.Viewer)
	}
	big := r.do("GET", "/api/tokens", nil, asAdmin, gzip).ok(t, 200, nil)
	small := r.do("GET", "/api/session", nil, gzip).ok(t, 200, nil)
	plain := r.do("GET", "/api/tokens", nil, asAdmin, header("Accept-Encoding", "identity")).ok(t, 200, nil)
	if big.Header.Get("Content-Encoding") != "gzip" || big.Header.Get("Vary") == "" || small.Header.Get("Content-Encoding") != "" || plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("big %v small %v plain %v", big.Header, small.Header, plain.Header)
	}
	if len(big.body) >= len(plain.body)/2 {
		t.Errorf("%d bytes of %d", len(big.body), len(plain.body))
	}
}
