package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// peer is a real program, built by make test-compat.
func peer(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("DAYTWO_COMPAT")
	if dir == "" {
		t.Skip("needs the real peers: make test-compat")
	}
	return filepath.Join(dir, name)
}

// A real Prometheus writes to daytwo by both versions of remote write, reads from it, scrapes its federation, and sends
// daytwo's alerts on; the numbers are the same on both.
func TestCompatPrometheus(t *testing.T) {
	prometheus := peer(t, "prometheus")
	bin := buildBinary(t)
	ours := startServer(t, bin, t.TempDir())

	dir, address := t.TempDir(), freeAddress(t)
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf(`
global: {scrape_interval: 1s, external_labels: {from: prometheus}}
remote_write:
  - {url: %[1]s/prometheus/api/v1/write, write_relabel_configs: [{target_label: version, replacement: one}]}
  - {url: %[1]s/prometheus/api/v1/write, protobuf_message: io.prometheus.write.v2.Request, write_relabel_configs: [{target_label: version, replacement: two}]}
remote_read:
  - {url: %[1]s/prometheus/api/v1/read, read_recent: true, authorization: {credentials: admin}, required_matchers: {version: two}}
scrape_configs:
  - {job_name: prometheus, static_configs: [{targets: [%[2]q]}]}
  - {job_name: federated, honor_labels: true, metrics_path: /prometheus/federate, params: {'match[]': ['up{job="daytwo"}']}, authorization: {credentials: admin}, static_configs: [{targets: [%[3]q]}]}
`, ours.url, address, ours.url[len("http://"):])
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	theirs := &metricsServer{t: t, url: "http://" + address}
	theirs.wait("/-/ready", "Ready")

	for _, version := range []string{"one", "two"} {
		ours.wait(`/prometheus/api/v1/query?query=count(prometheus_build_info{version="`+version+`"})+or+count(go_goroutines{version="`+version+`",job="prometheus",from="prometheus"})>0`, `"value"`)
	}
	ours.wait(`/prometheus/api/v1/query?query=count_over_time(prometheus_http_request_duration_seconds_count{version="two",handler="/metrics"}[1m])>5`, `"value"`)
	theirs.wait(`/api/v1/query?query=up{job="daytwo"}`, `"value"`) // federated
	// The label version is only on what daytwo has: this is read from there, where it carries the external label too.
	theirs.wait(`/api/v1/query?query=go_goroutines{job="prometheus",version="two"}`, `"value"`)

	// At a time that both have, both say the same, once the queue has sent what was scraped by then.
	at := fmt.Sprint(time.Now().Unix())
	for _, expr := range []string{`sum(rate(prometheus_http_requests_total%s[10s]))`, `count(go_memstats_alloc_bytes%s)`, `max(prometheus_tsdb_head_series%s)`} {
		theirs := theirs.valueAt("", fmt.Sprintf(expr, `{job="prometheus"}`), at)
		for _, version := range []string{"one", "two"} {
			got := 0.0
			for deadline := time.Now().Add(readyWithin); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) { // between polls of a real process
				if got = ours.valueAt("/prometheus", fmt.Sprintf(expr, `{version="`+version+`",job="prometheus"}`), at); got == theirs {
					break
				}
			}
			if got != theirs {
				t.Errorf("%s at %s: %v by version %s, %v there", expr, at, got, version, theirs)
			}
		}
	}
}
