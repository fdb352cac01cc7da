package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/daytwo-dev/daytwo/internal/host"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// AgentConfig is everything that differs between two agents.
type AgentConfig struct {
	URL      string        // the server
	Token    string        // a token of the server with the right to send; empty: none
	Name     string        // of the host, the label instance; empty: the machine's own
	Interval time.Duration // between two measurements
	Listen   string        // host:port that shows the metrics to whoever scrapes; empty: none

	Tail      []string // patterns of log files whose lines are sent; empty: none
	Service   string   // of the lines that do not say theirs
	Multiline string   // regular expression of a line that begins an entry; empty: each line is one
	DataDir   string   // where the agent notes how far it has read each file
}

// Validate says what is wrong with c, naming the setting and the mend.
func (c AgentConfig) Validate() error {
	if err := c.measures().Validate(); err != nil {
		return err
	}
	if len(c.Tail) == 0 {
		return nil
	}
	return c.tails().Validate()
}

// measures is what measuring this host needs.
func (c AgentConfig) measures() host.Config {
	return host.Config{URL: c.URL, Token: c.Token, Instance: cmp.Or(c.Name, hostName()), Interval: c.Interval}
}

// tails is what following its log files needs.
func (c AgentConfig) tails() logs.TailerConfig {
	return logs.TailerConfig{
		Paths: c.Tail, Service: c.Service, Multiline: c.Multiline, Host: cmp.Or(c.Name, hostName()),
		Positions: filepath.Join(c.DataDir, "positions.json"), URL: c.URL, Token: c.Token,
	}
}

// Agent is the process on other hosts: it connects to the server, never the
// other way, and keeps nothing that the server cannot do without.
type Agent struct {
	log   *slog.Logger
	parts []part
}

// NewAgent prepares an agent and takes its address, if it has one.
func NewAgent(ctx context.Context, c AgentConfig, log *slog.Logger) (*Agent, error) {
	registry := prometheus.NewRegistry()
	measuring := c.measures()
	measuring.Logger, measuring.Registerer = log, registry
	measured, err := host.New(measuring)
	if err != nil {
		return nil, err
	}
	a := &Agent{log: log, parts: []part{{"host metrics", measured.Run}}}
	if len(c.Tail) > 0 {
		files, err := tailer(c, log)
		if err != nil {
			return nil, err
		}
		a.parts = append(a.parts, part{"log files", files.Run})
	}
	if c.Listen == "" {
		return a, nil
	}
	listener, err := Listen(ctx, c.Listen)
	if err != nil {
		return nil, err
	}
	machine, err := host.Gatherer()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	own := prometheus.Gatherers{registry, prometheus.DefaultGatherer}
	a.parts = append(a.parts, part{"web", func(ctx context.Context) error { return show(ctx, listener, own, machine) }})
	return a, nil
}

// tailer follows an agent's log files, from where the last agent on the same
// data directory stopped.
func tailer(c AgentConfig, log *slog.Logger) (*logs.Tailer, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, problem.New(problem.Invalid, "the agent has no place to note how far it has read: %w", err).
			WithField("data").WithMend("give a directory with --data or DAYTWO_AGENT_DATA")
	}
	tailing := c.tails()
	tailing.Logger = log
	return logs.NewTailer(tailing)
}

// agentGrace is how long an agent's stop may take.
const agentGrace = 5 * time.Second

// Run measures, reads and sends until ctx ends.
func (a *Agent) Run(ctx context.Context) error {
	return runParts(ctx, a.log, agentGrace, a.parts)
}

// show serves an agent's health and metrics: the machine's where node_exporter
// has them, so that a scrape config made for it works, and its own beside them.
func show(ctx context.Context, l net.Listener, own, machine prometheus.Gatherer) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{machine, own}, promhttp.HandlerOpts{}))
	mux.Handle("GET "+hostMetrics, promhttp.HandlerFor(machine, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("healthy\n")) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
