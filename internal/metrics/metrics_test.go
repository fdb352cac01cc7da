package metrics_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/tsdb"
	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/metrics"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop")) // idle connections of http.DefaultTransport
}

// eventually polls until ok, and fails with the last answer of what it waits for.
func eventually(t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		good, last := ok()
		if good {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s; last: %s", what, last)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// running is an engine with its API served as it is in the product.
type running struct {
	*metrics.Metrics
	client promv1.API
	url    string
	stop   func()
}

func start(t *testing.T, c metrics.Config) *running {
	t.Helper()
	registry := prometheus.NewRegistry()
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	c.Registerer, c.Gatherer, c.Version = registry, registry, "test"
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	m, err := metrics.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix("/prometheus", m.Handler()))
	client, err := api.NewClient(api.Config{Address: server.URL + "/prometheus"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	var stopped atomic.Bool
	stop := func() {
		if stopped.Swap(true) {
			return
		}
		server.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	select {
	case <-m.Opened():
	case <-time.After(20 * time.Second):
		t.Fatalf("not opened: %v", m.Ready())
	}
	return &running{m, promv1.NewAPI(client), server.URL + "/prometheus", stop}
}

// exposition is a target that serves what it is told.
func exposition(t *testing.T, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
	t.Cleanup(s.Close)
	return s.URL
}

func host(url string) string { return strings.TrimPrefix(url, "http://") }

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prometheus.yml")
	write(t, path, text)
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// value waits for an expression to have one sample and returns it.
func (r *running) value(t *testing.T, expr string) (value float64) {
	t.Helper()
	eventually(t, expr, func() (bool, string) {
		v, err := r.Query(t.Context(), expr, time.Now())
		if err != nil || len(v) != 1 {
			return false, fmt.Sprint(v, err)
		}
		value = v[0].F
		return true, ""
	})
	return value
}

const shopMetrics = `# HELP orders_total Orders taken.
# TYPE orders_total counter
orders_total{plan="free"} 3
orders_total{plan="paid"} 4
`

func TestPrometheusClientReadsWhatWasScraped(t *testing.T) {
	target := exposition(t, shopMetrics)
	r := start(t, metrics.Config{ConfigFile: configFile(t, `
global: {scrape_interval: 100ms, evaluation_interval: 1s}
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ["`+host(target)+`"], labels: {service: checkout}}]
    metric_relabel_configs:
      - {source_labels: [plan], target_label: tier}
`)})
	if got := r.value(t, `sum(orders_total{service="checkout",tier=~"free|paid"})`); got != 7 {
		t.Errorf("sum of orders = %v, want 7", got)
	}
	ctx, now := t.Context(), time.Now()
	if v, warnings, _, err := r.client.Query(ctx, `orders_total{plan="paid"}`, now); err != nil || len(warnings) > 0 || len(v.(model.Vector)) != 1 {
		t.Errorf("query: %v, %v, %v", v, warnings, err)
	}
	span := promv1.Range{Start: now.Add(-time.Minute), End: now, Step: time.Second}
	if v, _, _, err := r.client.QueryRange(ctx, `rate(orders_total[30s])`, span); err != nil || v.Type() != model.ValMatrix {
		t.Errorf("query_range: %v, %v", v, err)
	}
	if series, _, _, err := r.client.Series(ctx, []string{`orders_total`}, span.Start, now); err != nil || len(series) != 2 {
		t.Errorf("series: %v, %v", series, err)
	}
	if names, _, _, err := r.client.LabelNames(ctx, nil, span.Start, now); err != nil || len(names) < 4 {
		t.Errorf("labels: %v, %v", names, err)
	}
	if values, _, _, err := r.client.LabelValues(ctx, "plan", nil, span.Start, now); err != nil || fmt.Sprint(values) != "[free paid]" {
		t.Errorf("label values: %v, %v", values, err)
	}
	if meta, err := r.client.Metadata(ctx, "orders_total", "1"); err != nil || len(meta["orders_total"]) != 1 {
		t.Errorf("metadata: %v, %v", meta, err)
	}
	if targets, err := r.client.Targets(ctx); err != nil || len(targets.Active) != 1 || targets.Active[0].Health != "up" {
		t.Errorf("targets: %+v, %v", targets, err)
	}
	if rules, err := r.client.Rules(ctx, nil); err != nil || len(rules.Groups) != 0 {
		t.Errorf("rules: %v, %v", rules, err)
	}
	if alerts, err := r.client.Alerts(ctx); err != nil || len(alerts.Alerts) != 0 {
		t.Errorf("alerts: %v, %v", alerts, err)
	}
	status(t, r)
}

func status(t *testing.T, r *running) {
	t.Helper()
	ctx := t.Context()
	if c, err := r.client.Config(ctx); err != nil || !strings.Contains(c.YAML, "job_name: shop") || strings.Contains(c.YAML, "daytwo/targets") {
		t.Errorf("status/config: %v, %v", c, err)
	}
	if info, err := r.client.Runtimeinfo(ctx); err != nil || !info.ReloadConfigSuccess || info.StorageRetention != "15d" {
		t.Errorf("status/runtimeinfo: %+v, %v", info, err)
	}
	if b, err := r.client.Buildinfo(ctx); err != nil || !strings.HasPrefix(b.Version, "3.") && b.Version != "test" {
		t.Errorf("status/buildinfo: %v, %v", b, err)
	}
	if flags, err := r.client.Flags(ctx); err != nil || flags["query.timeout"] != "2m" || flags["web.enable-remote-write-receiver"] != "true" {
		t.Errorf("status/flags: %v, %v", flags, err)
	}
	if stats, err := r.client.TSDB(ctx); err != nil || stats.HeadStats.NumSeries == 0 {
		t.Errorf("status/tsdb: %+v, %v", stats, err)
	}
	if _, err := r.client.WalReplay(ctx); err != nil {
		t.Errorf("status/walreplay: %v", err)
	}
	document, err := http.Get(r.url + "/api/v1/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer document.Body.Close()
	if text, err := io.ReadAll(document.Body); err != nil || !strings.Contains(string(text), "/query_range:") {
		t.Errorf("openapi.yaml: %.100s, %v", text, err)
	}
}

func TestAddTargetsReplacesTheTargetsOfAJob(t *testing.T) {
	first, second := exposition(t, "version_info 1\n"), exposition(t, "version_info 2\n")
	r := start(t, metrics.Config{TargetInterval: 100 * time.Millisecond})
	target := func(url string) []metrics.Target {
		return []metrics.Target{{URL: url, Labels: event.Labels{"service": "checkout"}}}
	}
	if err := r.AddTargets("workloads", target(first+"/any/path?format=prometheus")); err != nil {
		t.Fatal(err)
	}
	if got := r.value(t, `version_info{job="workloads",service="checkout"}`); got != 1 {
		t.Errorf("version_info = %v, want 1", got)
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.AddTargets("workloads", target(second)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "only the second target", func() (bool, string) {
		v, err := r.Query(t.Context(), `version_info`, time.Now())
		return err == nil && len(v) == 1 && v[0].F == 2, fmt.Sprint(v, err)
	})
	if err := r.AddTargets("workloads", nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no targets", func() (bool, string) {
		targets, err := r.client.Targets(t.Context())
		return err == nil && len(targets.Active) == 0, fmt.Sprint(targets, err)
	})
	if err := r.AddTargets("workloads", []metrics.Target{{URL: "localhost:80"}}); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("URL without a scheme: %v, want it refused", err)
	}
}

func TestBadTargetsHarmNobodyElse(t *testing.T) {
	never := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "begun 1")
		w.(http.Flusher).Flush()
		select {
		case <-never:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(never); stuck.Close() })
	jobs := map[string]string{
		"good":      exposition(t, shopMetrics),
		"malformed": exposition(t, "orders_total{plan=\"free\" 3\n"),
		"bomb":      exposition(t, "big{"+strings.Repeat(`l="v",`, 1)+`payload="`+strings.Repeat("x", 300)+"\"} 1\n"),
		"stuck":     stuck.URL,
	}
	text := "global: {scrape_interval: 200ms, scrape_timeout: 200ms, label_value_length_limit: 200}\nscrape_configs:\n"
	for job, url := range jobs {
		text += fmt.Sprintf("  - {job_name: %s, static_configs: [{targets: [%q]}]}\n", job, host(url))
	}
	r := start(t, metrics.Config{ConfigFile: configFile(t, text)})
	reasons := map[string]string{"malformed": "expected", "bomb": "label_value_length_limit", "stuck": "deadline exceeded"}
	eventually(t, "a reason for each bad target", func() (bool, string) {
		targets, err := r.client.Targets(t.Context())
		seen := 0
		for _, target := range targets.Active {
			if reason := reasons[string(target.Labels["job"])]; reason != "" && strings.Contains(target.LastError, reason) {
				seen++
			}
		}
		return seen == len(reasons), fmt.Sprintf("%+v %v", targets.Active, err)
	})
	if got := r.value(t, `sum(orders_total{job="good"})`); got != 7 {
		t.Errorf("the good target reads %v, want 7", got)
	}
	if got := r.value(t, `up{job="stuck"}`); got != 0 {
		t.Errorf("up of the stuck target = %v, want 0", got)
	}
}

func TestReloadIsAllOrNothing(t *testing.T) {
	one, two := exposition(t, "one 1\n"), exposition(t, "two 2\n")
	job := func(name, url string) string {
		return fmt.Sprintf("global: {scrape_interval: 100ms}\nscrape_configs:\n  - {job_name: %s, static_configs: [{targets: [%q]}]}\n", name, host(url))
	}
	path := configFile(t, job("one", one))
	r := start(t, metrics.Config{ConfigFile: path})
	r.value(t, "one")

	for name, c := range map[string]struct{ text, want string }{
		"yaml":          {"global:\n  scrape_interval: [\n", path + ":"},
		"unknown field": {job("two", two) + "nonsense: 1\n", path + ":4:1: field nonsense not found"},
		"kubernetes":    {"scrape_configs:\n  - job_name: pods\n    kubernetes_sd_configs: [{role: pod}]\n", path + ":3:5: kubernetes_sd_configs is not built into daytwo"},
		"no rule file":  {job("two", two) + "rule_files: [absent.yml]\n", path + ":4:14: rule file"},
		"no CA file":    {job("two", two) + "  - {job_name: tls, tls_config: {ca_file: absent.pem}, static_configs: [{targets: ['a:1']}]}\n", "absent.pem"},
	} {
		write(t, path, c.text)
		if err := r.Reload(t.Context()); problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a refusal with %q", name, err, c.want)
		}
		if in, err := r.client.Config(t.Context()); err != nil || !strings.Contains(in.YAML, "job_name: one") {
			t.Errorf("%s: in force: %v, %v; want the previous file", name, in, err)
		}
	}
	write(t, path, strings.Replace(job("two", two), "{scrape", "{query_log_file: absent/queries.log, scrape", 1))
	if err := r.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "query engine") {
		t.Errorf("a file that cannot be applied: %v", err)
	}
	if targets, err := r.client.Targets(t.Context()); err != nil || len(targets.Active) != 1 || targets.Active[0].ScrapePool != "one" {
		t.Errorf("targets after refused reloads: %+v, %v", targets, err)
	}

	write(t, path, job("two", two))
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.value(t, "two"); got != 2 {
		t.Errorf("two = %v", got)
	}
}

func TestSamplesSurviveARestartAndACrash(t *testing.T) {
	target := exposition(t, "kept 42\n")
	dir := t.TempDir()
	r := start(t, metrics.Config{Dir: dir, TargetInterval: 100 * time.Millisecond})
	if err := r.AddTargets("shop", []metrics.Target{{URL: target}}); err != nil {
		t.Fatal(err)
	}
	r.value(t, "kept")
	since, ok := r.Since()
	if !ok || time.Since(since) > time.Minute {
		t.Errorf("samples since %v, %v", since, ok)
	}
	crashed := t.TempDir() // what a kill would leave: the files as they are now, without a clean close
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	r.stop()
	if _, err := r.Query(t.Context(), "kept", time.Now()); !errors.Is(err, tsdb.ErrNotReady) {
		t.Errorf("query after Run ended: %v, want %v", err, tsdb.ErrNotReady)
	}
	for name, dir := range map[string]string{"restart": dir, "crash": crashed} {
		again := start(t, metrics.Config{Dir: dir})
		if got := again.value(t, "last_over_time(kept[5m])"); got != 42 {
			t.Errorf("after a %s: kept = %v, want 42", name, got)
		}
		if got, ok := again.Since(); !ok || !got.Equal(since) {
			t.Errorf("after a %s: samples since %v, want %v", name, got, since)
		}
		again.stop()
	}
}

func TestQueriesHaveLimits(t *testing.T) {
	target := exposition(t, shopMetrics)
	r := start(t, metrics.Config{TargetInterval: 100 * time.Millisecond, QuerySamples: 2, QueryTimeout: time.Minute})
	if err := r.AddTargets("shop", []metrics.Target{{URL: target}}); err != nil {
		t.Fatal(err)
	}
	r.value(t, `orders_total{plan="free"}`)
	if _, _, _, err := r.client.Query(t.Context(), `{__name__!=""}`, time.Now()); err == nil || !strings.Contains(err.Error(), "too many samples") {
		t.Errorf("query over everything: %v, want a refusal", err)
	}
	if _, err := r.Query(t.Context(), `sum(`, time.Now()); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("PromQL that does not parse: %v, want %s", err, problem.Invalid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Query(ctx, `up`, time.Now()); err == nil {
		t.Error("a query whose context ended succeeded")
	}
}

func TestBeforeTheDatabaseIsOpen(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := metrics.New(t.Context(), metrics.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), Registerer: registry, Gatherer: registry})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Ready(); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("Ready: %v", err)
	}
	if since, ok := m.Since(); ok {
		t.Errorf("samples since %v", since)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/query?query=up", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"status":"error"`) {
		t.Errorf("query: %d %s", w.Code, w.Body)
	}
	if err := m.Reload(t.Context()); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("Reload: %v", err)
	}
	if err := m.AppenderV2(t.Context()).Commit(); !errors.Is(err, tsdb.ErrNotReady) {
		t.Errorf("append: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Run(ctx); err != nil {
		t.Errorf("Run with an ended context: %v", err)
	}
}

func TestStartStop(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		start(t, metrics.Config{Dir: dir}).stop()
	}
}
