package service_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/service"
	"github.com/daytwo-dev/daytwo/stability"
)

// TestMain lets the test binary be the program of the drain test.
func TestMain(m *testing.M) {
	if os.Getenv("SERVICE_TEST_PROGRAM") != "" {
		service.Main("slow", slowProgram)
	}
	goleak.VerifyTestMain(m)
}

type none struct{}

// lines collects the log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a service in process and returns its URL, its log and what stops
// it and waits for its end.
func start[C any](t *testing.T, name string, setup service.Setup[C], env ...string) (url string, log *lines, stop func() error) {
	t.Helper()
	vars := map[string]string{"PORT": "0", "DRAIN_DELAY": "0s"}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		vars[k] = v
	}
	ctx, cancel := context.WithCancel(t.Context())
	addr, done := make(chan string, 1), make(chan error, 1)
	log = &lines{}
	p := service.Process{
		Stdout: log, Ready: func(a string) { addr <- a },
		Lookup: func(k string) (string, bool) { v, ok := vars[k]; return v, ok },
	}
	go func() { done <- service.Run(ctx, p, name, setup) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = stop() })
	select {
	case a := <-addr:
		return "http://" + a, log, stop
	case err := <-done:
		done <- err
		t.Fatalf("did not start: %v", err)
	}
	return "", nil, nil
}

func get(t *testing.T, url string, header ...string) (int, string, http.Header) {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), resp.Header
}

func TestRoutesAreMeasured(t *testing.T) {
	url, log, stop := start(t, "greeter", func(_ context.Context, s *service.Service, _ none) error {
		s.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hi "+r.PathValue("name")) })
		s.HandleFunc("GET /bad", func(http.ResponseWriter, *http.Request) { panic("boom") })
		s.HandleFunc("POST /big", func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); errors.As(err, new(*http.MaxBytesError)) {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
		})
		return nil
	}, "VERSION=v7", "MAX_BODY=10")

	if code, body, _ := get(t, url+"/hello/ada"); code != 200 || body != "hi ada" {
		t.Fatal(code, body)
	}
	get(t, url+"/hello/bob")
	if code, _, _ := get(t, url+"/bad"); code != 500 {
		t.Fatal("a panic must answer 500, got", code)
	}
	get(t, url+"/nowhere")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(post(t, url+"/big", strings.NewReader("more than ten bytes")))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	_, metrics, _ := get(t, url+"/metrics")
	for _, want := range []string{
		`http_server_requests_total{code="200",method="GET",route="/hello/{name}",service="greeter"} 2`,
		`http_server_requests_total{code="500",method="GET",route="/bad",service="greeter"} 1`,
		`http_server_requests_total{code="404",method="GET",route="unmatched",service="greeter"} 1`,
		`http_server_requests_total{code="413",method="POST",route="/big",service="greeter"} 1`,
		`http_server_request_duration_seconds_count{method="GET",route="/hello/{name}",service="greeter"} 2`,
		`service_build_info{revision="",service="greeter",version="v7"} 1`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("missing %s", want)
		}
	}
	for line := range strings.Lines(metrics) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, `service="greeter"`) {
			t.Errorf("without the service label: %s", line)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if l := log.String(); !strings.Contains(l, `"panic":"boom"`) || !strings.Contains(l, `"msg":"stopped","service":"greeter"`) {
		t.Errorf("log:\n%s", l)
	}
	for line := range strings.Lines(log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func post(t *testing.T, url string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestRequestIDTravels(t *testing.T) {
	back, backLog, _ := start(t, "back", func(_ context.Context, s *service.Service, _ none) error {
		s.HandleFunc("GET /id", func(w http.ResponseWriter, r *http.Request) {
			s.Log().InfoContext(r.Context(), "asked")
			fmt.Fprint(w, service.RequestID(r.Context()))
		})
		return nil
	})
	front, _, _ := start(t, "front", func(_ context.Context, s *service.Service, _ none) error {
		client := s.Client(stability.NewBreaker("back"))
		s.HandleFunc("GET /via", func(w http.ResponseWriter, r *http.Request) {
			req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, back+"/id", nil)
			resp, err := client.Do(req)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			defer resp.Body.Close()
			_, _ = io.Copy(w, resp.Body)
		})
		return nil
	})
	_, body, header := get(t, front+"/via", service.RequestIDHeader, "order-42")
	if body != "order-42" || header.Get(service.RequestIDHeader) != "order-42" || !strings.Contains(backLog.String(), `"requestId":"order-42"`) {
		t.Errorf("body %q, header %q, log %s", body, header.Get(service.RequestIDHeader), backLog)
	}
	for _, bad := range []string{"", "a b", `x"}`, strings.Repeat("a", 65)} {
		if _, body, _ := get(t, front+"/via", service.RequestIDHeader, bad); len(body) < 20 || len(body) > 64 || strings.Contains(body, "a b") {
			t.Errorf("id %q became %q", bad, body)
		}
	}
	if _, m, _ := get(t, front+"/metrics"); !strings.Contains(m, `stability_decisions_total{decision="success",name="back",policy="breaker",service="front"} 5`) ||
		!strings.Contains(m, `stability_breaker_open{name="back",service="front"} 0`) {
		t.Errorf("policy not observed:\n%s", m)
	}
}

func TestReadinessNamesReasons(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	url, _, _ := start(t, "x", func(_ context.Context, s *service.Service, _ none) error {
		s.Attach("database", service.Resource{Check: func(context.Context) error {
			if down.Load() {
				return errors.New("no route to host")
			}
			return nil
		}})
		return nil
	})
	if code, body, _ := get(t, url+"/readyz"); code != 503 || body != `{"ready":false,"reasons":{"database":"no route to host"}}`+"\n" {
		t.Error(code, body)
	}
	down.Store(false)
	if code, body, _ := get(t, url+"/readyz"); code != 200 || body != `{"ready":true,"reasons":{}}`+"\n" {
		t.Error(code, body)
	}
	if code, _, _ := get(t, url+"/healthz"); code != 200 {
		t.Error(code)
	}
}

func TestStopsInOrder(t *testing.T) {
	var order []string
	_, _, stop := start(t, "x", func(_ context.Context, s *service.Service, _ none) error {
		s.Attach("first", service.Resource{Close: func() error { order = append(order, "first"); return nil }})
		s.Attach("second", service.Resource{Close: func() error { order = append(order, "second"); return errors.New("stuck") }})
		s.Go("task", func(ctx context.Context) error { <-ctx.Done(); order = append(order, "task"); return ctx.Err() })
		return nil
	})
	if err := stop(); err == nil || err.Error() != "close second: stuck" {
		t.Error(err)
	}
	if got := fmt.Sprint(order); got != "[task second first]" {
		t.Error(got)
	}
}

func TestFailingTaskStopsTheService(t *testing.T) {
	fail := make(chan struct{})
	ctx := t.Context()
	p := service.Process{Stdout: io.Discard, Lookup: func(k string) (string, bool) {
		return map[string]string{"PORT": "0", "DRAIN_DELAY": "0s"}[k], true
	}, Ready: func(string) { close(fail) }}
	err := service.Run(ctx, p, "x", func(_ context.Context, s *service.Service, _ none) error {
		s.Go("sync", func(context.Context) error { <-fail; return errors.New("lost its lease") })
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "task sync crashed 4 times within 1m0s: lost its lease") {
		t.Error(err)
	}
}

func TestStartFailures(t *testing.T) {
	taken, _, _ := start(t, "x", func(context.Context, *service.Service, none) error { return nil })
	port := taken[strings.LastIndex(taken, ":")+1:]
	type config struct {
		Key string `env:"KEY,required" help:"for the door"`
	}
	ok := func(context.Context, *service.Service, config) error { return nil }
	for _, c := range []struct {
		name  string
		args  []string
		env   string
		setup service.Setup[config]
		code  int
		says  string
	}{
		{"missing variable", nil, "PORT=0", ok, 2, "KEY is required: for the door"},
		{"bad port", nil, "KEY=k PORT=99999", ok, 2, "PORT is not a valid unsigned int"},
		{"unknown argument", []string{"--prot"}, "KEY=k", ok, 2, `unknown argument "--prot"`},
		{"port in use", nil, "KEY=k PORT=" + port, ok, 1, "cannot listen (set PORT or BIND to another address)"},
		{"setup", nil, "KEY=k PORT=0", func(context.Context, *service.Service, config) error { return errors.New("no disk") }, 1, "start: no disk"},
		{"help", []string{"--help"}, "", ok, 0, ""},
	} {
		vars := map[string]string{}
		for e := range strings.FieldsSeq(c.env) {
			k, v, _ := strings.Cut(e, "=")
			vars[k] = v
		}
		var out bytes.Buffer
		err := service.Run(t.Context(), service.Process{Args: c.args, Stdout: &out,
			Lookup: func(k string) (string, bool) { v, ok := vars[k]; return v, ok }}, "shop", c.setup)
		if service.ExitCode(err) != c.code || c.says != "" && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: code %d, %v", c.name, service.ExitCode(err), err)
		}
		if c.name == "help" && !strings.Contains(strings.Join(strings.Fields(out.String()), " "), "KEY string for the door (required)") {
			t.Errorf("help:\n%s", out.String())
		}
	}
}

// slowProgram answers POST /work after a short while and GET /long when it is
// told to stop.
func slowProgram(ctx context.Context, s *service.Service, _ none) error {
	s.HandleFunc("POST /work", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * time.Millisecond)
		_, _ = io.Copy(w, r.Body)
	})
	s.HandleFunc("GET /long", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-ctx.Done()
		time.Sleep(400 * time.Millisecond) // longer than DRAIN_DELAY
		fmt.Fprint(w, "whole")
	})
	s.Attach("ledger", service.Resource{Close: func() error { s.Log().Info("ledger closed"); return nil }})
	return nil
}

// TestDrainUnderLoadLosesNothing sends SIGTERM to a real process under load.
// Clients behave as a load balancer's do: they leave when an answer asks to
// close the connection. Not one request may fail.
func TestDrainUnderLoadLosesNothing(t *testing.T) {
	for range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = []string{"SERVICE_TEST_PROGRAM=1", "PORT=0", "DRAIN_DELAY=250ms"}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		log := bufio.NewScanner(out)
		url := ""
		for url == "" && log.Scan() {
			var rec struct{ Msg, Address string }
			if json.Unmarshal(log.Bytes(), &rec) == nil && rec.Msg == "ready" {
				url = "http://" + rec.Address
			}
		}

		var answered, lost atomic.Int64
		var clients sync.WaitGroup
		tr := &http.Transport{MaxIdleConnsPerHost: 16}
		for range 8 {
			clients.Go(func() {
				for {
					resp, err := tr.RoundTrip(post(t, url+"/work", strings.NewReader("hello")))
					if err != nil {
						t.Error(err)
						lost.Add(1)
						return
					}
					body, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil || string(body) != "hello" || resp.StatusCode != 200 {
						t.Error(resp.StatusCode, string(body), err)
						lost.Add(1)
					}
					answered.Add(1)
					if resp.Close {
						return
					}
				}
			})
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/long", nil)
		long, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		for answered.Load() < 200 {
			time.Sleep(time.Millisecond) // real load from a real process
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(long.Body); string(body) != "whole" || err != nil {
			t.Errorf("the request on its way was cut: %q %v", body, err)
		}
		long.Body.Close()
		clients.Wait()
		var tail []string
		for log.Scan() {
			tail = append(tail, log.Text())
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("exit: %v", err)
		}
		if n := len(tail); n < 3 || !strings.Contains(tail[n-2], "ledger closed") || !strings.Contains(tail[n-1], "stopped") {
			t.Errorf("end of log: %q", tail)
		}
		if lost.Load() != 0 {
			t.Fatalf("%d of %d requests lost", lost.Load(), answered.Load())
		}
		tr.CloseIdleConnections()
	}
}
