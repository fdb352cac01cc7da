package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// sse is one event as a browser sees it; a comment has only that.
type sse struct{ id, event, data, comment, retry string }

// listen opens a stream and gives its events; the channel closes at its end.
func (r *rig) listen(path string, calls ...call) (<-chan sse, *http.Response, context.CancelFunc) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	r.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	for _, c := range calls {
		c(req)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	events := make(chan sse)
	go func() {
		defer close(events)
		defer res.Body.Close()
		var e sse
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			line := lines.Text()
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch {
			case line == "":
				select {
				case events <- e:
				case <-ctx.Done():
					return
				}
				e = sse{}
			case name == "":
				e.comment = value
			case name == "id":
				e.id = value
			case name == "event":
				e.event = value
			case name == "data":
				e.data = value
			case name == "retry":
				e.retry = value
			}
		}
	}()
	return events, res, cancel
}

func next(t *testing.T, events <-chan sse) sse {
	t.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			t.Fatal("the stream has ended")
		}
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no event within 10 s")
	}
	return sse{}
}

func ended(t *testing.T, events <-chan sse) {
	t.Helper()
	for {
		select {
		case _, ok := <-events:
			if !ok {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the stream does not end")
		}
	}
}

type tick struct {
	N    int      `json:"n"`
	Tags []string `json:"tags"`
}

// ticks sends the numbers after the last one seen, up to 5, and then waits.
func ticks(ctx context.Context, in *web.Resume, send func(string, tick) error) error {
	last := 0
	if id := in.LastID(); id != "" {
		var err error
		if last, err = strconv.Atoi(id); err != nil {
			return problem.New(problem.Invalid, "%q is no id", id).WithField("after")
		}
	}
	for n := last + 1; n <= 5; n++ {
		if err := send(strconv.Itoa(n), tick{N: n}); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestStream(t *testing.T) {
	r := newRig(t, nil, func(s *web.Server) { web.Stream(s, "/api/ticks", op("stream-ticks"), ticks) })
	viewer := bearer(r.token(auth.Viewer))
	events, res, cancel := r.listen("/api/ticks", viewer)
	if ct, enc := res.Header.Get("Content-Type"), res.Header.Get("Content-Encoding"); ct != "text/event-stream" || enc != "" || res.StatusCode != 200 {
		t.Errorf("%d %q %q", res.StatusCode, ct, enc)
	}
	if e := next(t, events); e.retry != "2000" {
		t.Errorf("first %+v", e)
	}
	for n := 1; n <= 5; n++ {
		want := sse{id: strconv.Itoa(n), event: "tick", data: fmt.Sprintf(`{"n":%d,"tags":[]}`, n)}
		if e := next(t, events); e != want {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
	cancel()
	for _, resume := range []struct {
		path string
		c    call
	}{{"/api/ticks", header("Last-Event-ID", "3")}, {"/api/ticks?after=3", viewer}, {"/api/ticks?after=1", header("Last-Event-ID", "3")}} {
		events, _, cancel := r.listen(resume.path, viewer, resume.c)
		next(t, events)
		if e := next(t, events); e.id != "4" {
			t.Errorf("%s goes on with %s", resume.path, e.id)
		}
		cancel()
	}
	r.do("GET", "/api/ticks?after=x", nil, viewer).problem(t, 400, problem.Invalid)
	r.do("GET", "/api/ticks?befor=x", nil, viewer).problem(t, 400, problem.Invalid)
	r.do("GET", "/api/ticks", nil).problem(t, 401, problem.Unauthenticated)
}

type line struct {
	Text string `json:"text"`
}

type lineOrTick struct {
	Line *line `json:"line,omitempty"`
	Tick *tick `json:"tick,omitempty"`
}

func TestStreamOfSeveralKindsAndItsEnds(t *testing.T) {
	began := make(chan struct{}, 1)
	r := newRig(t, nil, func(s *web.Server) {
		web.Stream(s, "/api/both", op("stream-both"), func(ctx context.Context, _ *none, send func(string, lineOrTick) error) error {
			return errors.Join(send("1", lineOrTick{Line: &line{"a\nb"}}), send("", lineOrTick{Tick: &tick{N: 1}}))
		})
		web.Stream(s, "/api/breaks", op("stream-breaks"), func(ctx context.Context, _ *none, send func(string, line) error) error {
			return errors.Join(send("1", line{"x"}), problem.New(problem.Unavailable, "it broke").WithMend("wait"))
		})
		web.Stream(s, "/api/empty", op("stream-empty"), func(context.Context, *none, func(string, line) error) error { return nil })
		web.Stream(s, "/api/bad-id", op("stream-bad-id"), func(_ context.Context, _ *none, send func(string, line) error) error {
			return send("1\nevent: forged", line{"x"})
		})
		web.Stream(s, "/api/panics", op("stream-panics"), func(context.Context, *none, func(string, line) error) error { panic("oh") })
		web.Stream(s, "/api/quiet", op("stream-quiet"), func(ctx context.Context, _ *none, _ func(string, line) error) error {
			began <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
	})
	r.web.TuneStreams(20*time.Millisecond, time.Second, 2)

	both := r.do("GET", "/api/both", nil, asAdmin).ok(t, 200, nil).body
	if both != "retry: 2000\n\nid: 1\nevent: line\ndata: {\"text\":\"a\\nb\"}\n\nevent: tick\ndata: {\"n\":1,\"tags\":[]}\n\n" {
		t.Errorf("%q", both)
	}
	broken := r.do("GET", "/api/breaks", nil, asAdmin).ok(t, 200, nil).body
	if !strings.Contains(broken, "event: problem\ndata: {") || !strings.Contains(broken, `"detail":"it broke"`) {
		t.Errorf("%q", broken)
	}
	if empty := r.do("GET", "/api/empty", nil, asAdmin).ok(t, 200, nil).body; empty != "retry: 2000\n\n" {
		t.Errorf("%q", empty)
	}
	r.do("GET", "/api/bad-id", nil, asAdmin).problem(t, 500, problem.Internal)
	r.do("GET", "/api/panics", nil, asAdmin).problem(t, 500, problem.Internal)

	// A quiet stream opens soon and shows that it is alive; there are not too many.
	one, _, stop := r.listen("/api/quiet", asAdmin)
	<-began
	two, _, _ := r.listen("/api/quiet", asAdmin)
	<-began
	r.do("GET", "/api/quiet", nil, asAdmin).problem(t, 429, problem.Exhausted)
	next(t, one)
	if e := next(t, one); e.comment != "alive" {
		t.Errorf("%+v", e)
	}
	stop()
	eventually(t, "a place for another", func() bool {
		events, res, cancel := r.listen("/api/quiet", asAdmin)
		if res.StatusCode != 200 {
			cancel()
			return false
		}
		<-began
		r.web.EndStreams()
		ended(t, events)
		return true
	})
	ended(t, two)
	r.do("GET", "/api/both", nil, asAdmin).ok(t, 200, nil)
}

// Signing out ends what is being listened to.
func TestStreamEndsWithTheSession(t *testing.T) {
	r := newRig(t, nil, func(s *web.Server) { web.Stream(s, "/api/ticks", op("stream-ticks"), ticks) })
	r.web.TuneStreams(20*time.Millisecond, time.Second, 10)
	_, c := r.signedIn("ada", auth.Viewer)
	events, _, _ := r.listen("/api/ticks?after=5", cookie(c))
	next(t, events)
	r.do("DELETE", "/api/session", nil, cookie(c)).ok(t, 204, nil)
	var last sse
	for e := range events {
		last = e
	}
	if last.event != "problem" || !strings.Contains(last.data, `"unauthenticated"`) {
		t.Errorf("the last event is %+v", last)
	}
}

// A client that does not read keeps nobody waiting for long.
func TestSlowClient(t *testing.T) {
	failed := make(chan error, 1)
	r := newRig(t, nil, func(s *web.Server) {
		web.Stream(s, "/api/flood", op("stream-flood"), func(ctx context.Context, _ *none, send func(string, line) error) error {
			text := strings.Repeat("x", 64<<10)
			for {
				if err := send("", line{text}); err != nil {
					failed <- err
					return err
				}
			}
		})
	})
	r.web.TuneStreams(time.Hour, 100*time.Millisecond, 10)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/flood HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", adminToken)
	select {
	case <-failed:
	case <-time.After(20 * time.Second):
		t.Fatal("send still waits for a client that does not read")
	}
}

func TestServe(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, nil, func(s *web.Server) {
		web.Stream(s, "/api/ticks", op("stream-ticks"), ticks)
		web.Get(s, "/api/slow", op("slow"), func(context.Context, *none) (*struct{}, error) {
			close(began)
			<-release
			return nil, nil
		})
	})
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- r.web.Serve(ctx, ln) }()
	r.url = "http://" + ln.Addr().String()

	events, _, _ := r.listen("/api/ticks", asAdmin)
	for range 6 {
		next(t, events)
	}
	slow := make(chan answer, 1)
	go func() { slow <- r.do("GET", "/api/slow", nil, asAdmin) }()
	<-began
	stop()
	ended(t, events) // at once, though a request is under way
	close(release)
	(<-slow).ok(t, 204, nil)
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if err := r.web.Serve(t.Context(), ln); err == nil {
		t.Error("serving a closed listener is no error")
	}
	http.DefaultClient.CloseIdleConnections()
}
