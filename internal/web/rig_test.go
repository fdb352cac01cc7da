package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

const adminToken = "the admin token of these tests"

// rig is a server on a real store, with a clock for its sessions.
type rig struct {
	t    *testing.T
	auth *auth.Auth
	web  *web.Server
	reg  *prometheus.Registry
	log  *syncBuffer
	url  string

	mu  sync.Mutex
	now time.Time
}

// newRig serves what register adds. config may change the Config first.
func newRig(t *testing.T, db *store.DB, register func(*web.Server), config ...func(*web.Config)) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), reg: prometheus.NewRegistry(), log: &syncBuffer{}}
	if db == nil {
		db = storetest.New(t)
	}
	logger := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if r.auth, err = auth.New(t.Context(), auth.Config{DB: db, AdminToken: adminToken, Now: r.clock, Logger: logger}); err != nil {
		t.Fatal(err)
	}
	c := web.Config{Auth: r.auth, Logger: logger, Registerer: r.reg, Gatherer: r.reg, MaxBody: 64 << 10, Version: "v1.2.3"}
	for _, f := range config {
		f(&c)
	}
	r.web = web.New(c)
	if register != nil {
		register(r.web)
	}
	srv := httptest.NewServer(r.web.Handler())
	t.Cleanup(func() {
		r.web.EndStreams()
		srv.Close()
	})
	r.url = srv.URL
	return r
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// answer is a response read to its end.
type answer struct {
	*http.Response
	body string
}

// call is a request under construction.
type call func(*http.Request)

func bearer(token string) call {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func header(name, value string) call {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func cookie(c *http.Cookie) call { return func(r *http.Request) { r.AddCookie(c) } }

func asAdmin(r *http.Request) { bearer(adminToken)(r) }

// do sends a request; a body of a string goes as it is, anything else as JSON.
func (r *rig) do(method, path string, body any, calls ...call) answer {
	r.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			r.t.Fatal(err)
		}
		reader = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, reader)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range calls {
		c(req)
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return answer{res, string(b)}
}

// ok checks the status and decodes the body.
func (a answer) ok(t *testing.T, status int, into any) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			t.Fatalf("%s: %v", a.body, err)
		}
	}
	return a
}

// problem checks that the answer is a whole problem of the code.
func (a answer) problem(t *testing.T, status int, code problem.Code) web.Problem {
	t.Helper()
	var p web.Problem
	a.ok(t, status, &p)
	if ct := a.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("%s: content type %q", a.Request.URL.Path, ct)
	}
	if p.Code != code || p.Status != status || p.Type != "urn:daytwo:problem:"+string(code) || p.Title != http.StatusText(status) {
		t.Errorf("%s: %s", a.Request.URL.Path, a.body)
	}
	if p.Detail == "" || p.RequestID == "" || p.RequestID != a.Header.Get("X-Request-Id") {
		t.Errorf("%s: detail or request id is missing: %s", a.Request.URL.Path, a.body)
	}
	return p
}

// session is the cookie an answer sets.
func (a answer) session(t *testing.T) *http.Cookie {
	t.Helper()
	for _, c := range a.Cookies() {
		if strings.HasPrefix(c.Name, "daytwo_session") {
			return c
		}
	}
	t.Fatalf("no session cookie: %v", a.Header)
	return nil
}

// token makes an API token with that role.
func (r *rig) token(role auth.Role, scopes ...auth.Scope) string {
	r.t.Helper()
	_, secret, err := r.auth.CreateToken(r.t.Context(), auth.System("test"), auth.NewToken{Name: role.String(), Role: role, Scopes: scopes})
	if err != nil {
		r.t.Fatal(err)
	}
	return secret
}

// signedIn adds a user and signs them in.
func (r *rig) signedIn(name string, role auth.Role) (auth.User, *http.Cookie) {
	r.t.Helper()
	u, err := r.auth.CreateUser(r.t.Context(), auth.NewUser{Name: name, Role: role, Password: "correct horse"})
	if err != nil {
		r.t.Fatal(err)
	}
	a := r.do("POST", "/api/session", map[string]string{"name": name, "password": "correct horse"})
	a.ok(r.t, 200, nil)
	return u, a.session(r.t)
}

func (r *rig) audit(action string) []auth.Entry {
	r.t.Helper()
	entries, _, err := r.auth.AuditLog(r.t.Context(), auth.AuditFilter{Action: action})
	if err != nil {
		r.t.Fatal(err)
	}
	return entries
}

// op is an operation for tests.
func op(id string) web.Op { return web.Op{ID: id, Summary: "A test", Tag: "test"} }

type none struct{}

func nothing(context.Context, *none) (*struct{}, error) { return nil, nil }

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// eventually waits until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
		<-tick.C
	}
}
