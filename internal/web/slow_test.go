package web_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// pipes is a listener whose connections live in memory, under the clock of the test.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2020} }

// serveInMemory serves until the returned function is called, which says what Serve did.
func serveInMemory(t *testing.T, register func(*web.Server), grace time.Duration) (dial func() net.Conn, stop func() error) {
	t.Helper()
	accounts, err := auth.New(t.Context(), auth.Config{DB: storetest.New(t), AdminToken: adminToken})
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{Auth: accounts, Grace: grace})
	register(s)
	ln := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	dial = func() net.Conn {
		here, there := net.Pipe()
		ln.accepted <- there
		t.Cleanup(func() { here.Close() })
		return here
	}
	return dial, func() error { cancel(); return <-served }
}

// drip sends text one byte a second until the server has had enough.
func drip(c net.Conn, text string) {
	for i := range len(text) {
		if _, err := c.Write([]byte{text[i]}); err != nil {
			return
		}
		<-time.After(time.Second)
	}
}

// Whoever sends slowly, signed in or not, is let go of in time, whether or not somebody reads the body.
func TestSlowSenders(t *testing.T) {
	long := strings.Repeat("x", 3000)
	for name, tt := range map[string]struct {
		head   string
		within time.Duration
	}{
		"headers":                  {"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: ", 11 * time.Second},
		"sign-in":                  {"POST /api/session HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n", 32 * time.Second},
		"sign-in, chunked":         {"POST /api/session HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n", 32 * time.Second},
		"not signed in":            {"POST /api/users HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n", 32 * time.Second},
		"a door that reads":        {"POST /reads HTTP/1.1\r\nHost: here\r\nContent-Length: 2000\r\n\r\n", 32 * time.Second},
		"a door that does not":     {"POST /ignores HTTP/1.1\r\nHost: here\r\nContent-Length: 2000\r\n\r\n", 32 * time.Second},
		"a door that gives longer": {"POST /patient HTTP/1.1\r\nHost: here\r\nContent-Length: 2000\r\n\r\n", 62 * time.Second},
		"nothing there":            {"POST /api/nothing HTTP/1.1\r\nHost: here\r\nContent-Length: 2000\r\n\r\n", 32 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial, stop := serveInMemory(t, func(s *web.Server) {
					read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); w.WriteHeader(204) })
					s.MountPublic("/reads", read)
					s.MountPublic("/ignores", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
					s.MountPublic("/patient", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Minute))
						read(w, r)
					}))
				}, 0)
				c, began := dial(), time.Now()
				var sending sync.WaitGroup
				sending.Go(func() {
					if _, err := io.WriteString(c, tt.head); err == nil {
						drip(c, long)
					}
				})
				_, _ = io.Copy(io.Discard, c) // until the server closes the connection
				if took := time.Since(began); took > tt.within {
					t.Errorf("held for %s", took)
				}
				c.Close()
				sending.Wait()
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What the deadline is not for: a stream, and a request whose body came in time but whose answer takes long.
func TestLongRequestsAreNotSlowSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serveInMemory(t, func(s *web.Server) {
			web.Stream(s, "/api/hours", op("stream-hours"), func(ctx context.Context, _ *none, send func(string, tick) error) error {
				for n := range 3 {
					select {
					case <-time.After(time.Hour):
					case <-ctx.Done():
						return ctx.Err()
					}
					if err := send("", tick{N: n}); err != nil {
						return err
					}
				}
				return nil
			})
			s.Mount("/query", auth.Viewer, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				select {
				case <-time.After(time.Hour):
					_, _ = w.Write(body)
				case <-r.Context().Done():
				}
			}))
		}, 0)
		for request, want := range map[string]string{
			"GET /api/hours HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer " + adminToken + "\r\nConnection: close\r\n\r\n":                       `"n":2`,
			"POST /query HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer " + adminToken + "\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody": "body",
		} {
			c := dial()
			go func() { _, _ = io.WriteString(c, request) }()
			answer, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			said, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || answer.StatusCode != 200 || !strings.Contains(string(said), want) {
				t.Errorf("%d %q, %v", answer.StatusCode, said, err)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A stop waits for requests under way as long as it is told to.
func TestGrace(t *testing.T) {
	for grace, want := range map[time.Duration]time.Duration{0: 10 * time.Second, 3 * time.Second: 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			began := make(chan struct{})
			dial, stop := serveInMemory(t, func(s *web.Server) {
				s.MountPublic("/stuck", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					close(began)
					<-r.Context().Done()
				}))
			}, grace)
			c := dial()
			go func() { _, _ = io.WriteString(c, "GET /stuck HTTP/1.1\r\nHost: here\r\n\r\n") }()
			<-began
			at := time.Now()
			if err := stop(); err != nil {
				t.Error(err)
			}
			if took := time.Since(at); took < want || took > want+time.Second {
				t.Errorf("grace %s: stopped after %s", grace, took)
			}
		})
	}
}

// A connection that is kept open hears of the stop with its next answer rather than be closed under its next request.
func TestStopTellsClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serveInMemory(t, func(s *web.Server) {
			s.MountPublic("/hello", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		}, 0)
		c := dial()
		answers := bufio.NewReader(c)
		ask := func() *http.Response {
			t.Helper()
			go func() { _, _ = io.WriteString(c, "GET /hello HTTP/1.1\r\nHost: here\r\n\r\n") }()
			res, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			return res
		}
		if ask().Close {
			t.Error("closed although nobody stops")
		}
		ended := make(chan error, 1)
		go func() { ended <- stop() }()
		time.Sleep(100 * time.Millisecond) // virtual: in the middle of the farewell
		if res := ask(); res.StatusCode != http.StatusOK || !res.Close {
			t.Errorf("while stopping: %s, close %t", res.Status, res.Close)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
