package host_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/daytwo-dev/daytwo/internal/host"
)

// receiver is a server that takes remote write 2.0, after it has been down for
// the first requests.
type receiver struct {
	*httptest.Server
	down  atomic.Int32
	taken chan map[string]float64 // series, as name{labels}, to value
}

func newReceiver(t *testing.T, down int32) *receiver {
	t.Helper()
	r := &receiver{taken: make(chan map[string]float64, 100)}
	r.down.Store(down)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.URL.Path != "/prometheus/api/v1/write" || req.Header.Get("Authorization") != "Bearer secret":
			http.Error(w, "not here, or not you", http.StatusUnauthorized)
		case r.down.Add(-1) >= 0:
			http.Error(w, "later", http.StatusServiceUnavailable)
		default:
			r.taken <- decode(t, req)
			w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", "1")
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func decode(t *testing.T, req *http.Request) map[string]float64 {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Error(err)
	}
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		t.Error(err)
	}
	var message writev2.Request
	if err := message.UnmarshalVT(raw); err != nil {
		t.Error(err)
	}
	values := map[string]float64{}
	for _, s := range message.Timeseries {
		parts := writev2.DesymbolizeLabels(s.LabelsRefs, message.Symbols, nil)
		values[strings.Join(parts, " ")] = s.Samples[0].Value
	}
	return values
}

func run(t *testing.T, c host.Config) {
	t.Helper()
	h, err := host.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestHostIsMeasuredUnderNodeExporterNames(t *testing.T) {
	server := newReceiver(t, 1) // the first request fails and is sent again
	reg := prometheus.NewRegistry()
	run(t, host.Config{URL: server.URL, Token: "secret", Instance: "web-1", Interval: time.Minute, Logger: slog.New(slog.DiscardHandler), Registerer: reg})
	values := <-server.taken
	for name, want := range map[string]string{
		"__name__ node_memory_MemTotal_bytes instance web-1 job node": "positive",
		"__name__ node_load1 instance web-1 job node":                 "",
		"__name__ node_time_seconds instance web-1 job node":          "positive",
		"__name__ node_procs_running instance web-1 job node":         "positive",
		"__name__ up instance web-1 job node":                         "positive",
	} {
		v, there := values[name]
		if !there || want == "positive" && !(v > 0) {
			t.Errorf("%s is %v, there: %v", name, v, there)
		}
	}
	cpu := 0
	for name := range values {
		if strings.HasPrefix(name, "__name__ node_cpu_seconds_total cpu ") {
			cpu++
		}
	}
	if cpu == 0 {
		t.Error("no node_cpu_seconds_total")
	}
	if n, err := testutil.GatherAndCount(reg, "daytwo_host_measurements_sent_total"); err != nil || n != 1 {
		t.Errorf("%d counters of what was sent, %v", n, err)
	}
}

func TestRefusalsAreCountedAndSaid(t *testing.T) {
	server := newReceiver(t, 0)
	reg := prometheus.NewRegistry()
	said := make(chan string, 10)
	run(t, host.Config{URL: server.URL, Token: "wrong", Instance: "web-1", Interval: time.Minute,
		Logger: slog.New(slog.NewTextHandler(lines(said), nil)), Registerer: reg})
	if line := <-said; !strings.Contains(line, "is the token right?") || !strings.Contains(line, "401") {
		t.Errorf("the log says %s", line)
	}
}

type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestValidate(t *testing.T) {
	good := host.Config{URL: "http://127.0.0.1:2020", Instance: "a", Interval: time.Second}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, spoil := range map[string]func(*host.Config){
		"is not http://host:port": func(c *host.Config) { c.URL = "127.0.0.1:2020" },
		"the host has no name":    func(c *host.Config) { c.Instance = "" },
		"is too often":            func(c *host.Config) { c.Interval = time.Millisecond },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
