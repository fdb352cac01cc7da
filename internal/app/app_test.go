package app_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/app"
)

// server is a whole daytwo on an empty data directory.
type server struct {
	*app.App
	url  string
	stop func() error
}

func start(t *testing.T, ops string, change func(*app.Config)) *server {
	t.Helper()
	c := app.Config{
		Listen: "127.0.0.1:0", DataDir: filepath.Join(t.TempDir(), "data"), ConfigDir: ops,
		Retention: time.Hour, Runs: 1, Grace: 20 * time.Second,
	}
	if change != nil {
		change(&c)
	}
	ln, err := app.Listen(t.Context(), c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), c, app.Options{Logger: slog.New(slog.DiscardHandler), Listener: ln})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	s := &server{App: a, url: app.URL(ln), stop: func() error { cancel(); return <-ended }}
	s.eventually(t, "ready", func() bool { return s.do(t, http.MethodGet, "/-/ready", "").StatusCode == http.StatusOK })
	return s
}

type answer struct {
	*http.Response
	body string
}

func (s *server) do(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, string(b)}
}

// The setting reaches who decides: what a proxy says of TLS makes the session's cookie.
func TestTrustProxy(t *testing.T) {
	for _, trust := range []bool{false, true} {
		s := start(t, "", func(c *app.Config) { c.TrustProxy = trust })
		_, token, _ := strings.Cut(s.FirstLink(), "token=")
		a := s.do(t, http.MethodPost, "/api/session/redeem", `{"token":"`+token+`"}`, "X-Forwarded-Proto", "https")
		if a.StatusCode != 200 || len(a.Cookies()) != 1 || a.Cookies()[0].Secure != trust {
			t.Errorf("trust %v: %d %s, cookies %v", trust, a.StatusCode, a.body, a.Cookies())
		}
		if a := s.do(t, http.MethodGet, "/metrics", "", "X-Forwarded-For", "127.0.0.1"); a.StatusCode != 401 {
			t.Errorf("trust %v: metrics through a proxy: %d", trust, a.StatusCode)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}
}
