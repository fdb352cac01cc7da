package test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const routedOps = `people: [{name: grace, webhook: "%[1]s/grace"}]
escalation_policies: [{name: shop, levels: [{targets: [grace], after: 0s}]}]
services:
  - {name: checkout, escalation_policy: shop}
  - {name: storefront, escalation_policy: shop}
`

const routedAlerts = `route:
  receiver: daytwo
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
    - {matchers: ['team="data"'], receiver: data}
receivers:
  - {name: daytwo}
  - {name: data, webhook_configs: [{url: "%[1]s/data"}]}
`

// outpost is a daytwo process with the operations above, and the servers that it tells.
type outpost struct {
	t    *testing.T
	bin  string
	ops  string
	data string
	addr string
	cmd  *exec.Cmd

	mu   sync.Mutex
	told map[string][]string // by path, what was posted
}

const outpostToken = "admin-token-of-the-outpost"

func newOutpost(t *testing.T) *outpost {
	o := &outpost{t: t, bin: buildBinary(t), ops: t.TempDir(), data: filepath.Join(t.TempDir(), "data"), addr: freeAddress(t), told: map[string][]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.told[r.URL.Path] = append(o.told[r.URL.Path], string(body))
	}))
	t.Cleanup(server.Close)
	o.write("daytwo.yml", fmt.Sprintf(routedOps, server.URL))
	o.write("alertmanager.yml", fmt.Sprintf(routedAlerts, server.URL))
	return o
}

func (o *outpost) write(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.ops, name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outpost) start() {
	o.t.Helper()
	o.cmd = exec.CommandContext(context.WithoutCancel(o.t.Context()), o.bin, "serve", "--config", o.ops, "--data", o.data, "--listen", o.addr, "--allow-private-webhooks")
	o.cmd.Env = append(os.Environ(), "DAYTWO_ADMIN_TOKEN="+outpostToken)
	o.cmd.Stderr = os.Stderr
	if err := o.cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(o.kill)
	o.until("ready", func() bool { code, _ := o.get("/-/ready"); return code == http.StatusOK })
}

// kill ends the process as a power cut does.
func (o *outpost) kill() {
	_ = o.cmd.Process.Kill() // it may be gone
	_ = o.cmd.Wait()
}

func (o *outpost) get(path string) (int, string) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+o.addr+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+outpostToken)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func (o *outpost) until(what string, ok func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(readyWithin); !ok(); time.Sleep(50 * time.Millisecond) { // polls a real process
		if time.Now().After(deadline) {
			_, alerts := o.get("/api/alerts")
			_, incidents := o.get("/api/incidents")
			o.t.Fatalf("%s never came\nalerts: %s\nincidents: %s", what, alerts, incidents)
		}
	}
}

// incidents are the titles of all.
func (o *outpost) incidents() (titles []string) {
	var list struct {
		Items []struct{ Title, Service string }
	}
	_, body := o.get("/api/incidents")
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		o.t.Errorf("%v: %s", err, body)
	}
	for _, i := range list.Items {
		titles = append(titles, i.Service+": "+i.Title)
	}
	return titles
}

func (o *outpost) heard(path string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string{}, o.told[path]...)
}

// buildAmtool builds Alertmanager's own client at the version that daytwo embeds; Go's cache has most of it.
func buildAmtool(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "amtool")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "github.com/prometheus/alertmanager/cmd/amtool")
	cmd.Dir, cmd.Env = "peers", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building amtool: %v\n%s", err, out)
	}
	return bin
}

// Alertmanager's own client adds alerts, silences and asks the way; what it said outlives kills, and nothing is told twice.
func TestAmtoolDrivesAlertmanager(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds amtool and starts processes")
	}
	t.Parallel()
	tool := buildAmtool(t)
	o := newOutpost(t)
	credentials := filepath.Join(t.TempDir(), "http.yml")
	if err := os.WriteFile(credentials, []byte("authorization: {credentials: "+outpostToken+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	amtool := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), tool, append([]string{"--alertmanager.url=http://" + o.addr + "/alertmanager"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("amtool %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	asResponder := func(args ...string) string {
		t.Helper()
		return amtool(append(args, "--http.config.file="+credentials)...)
	}
	o.start()

	amtool("alert", "add", "alertname=DiskFull", "service=checkout", "severity=critical", "--annotation=summary=no room left", "--end="+inAnHour())
	o.until("the page of the incident", func() bool { return len(o.heard("/grace")) == 1 })
	if got := o.incidents(); len(got) != 1 || got[0] != "checkout: no room left" {
		t.Errorf("incidents: %v", got)
	}
	amtool("alert", "add", "alertname=LateBatch", "team=data", "service=checkout", "--end="+inAnHour())
	o.until("Alertmanager's own notification", func() bool { return len(o.heard("/data")) == 1 })
	if told := o.heard("/data")[0]; !strings.Contains(told, `"receiver":"data"`) || !strings.Contains(told, `"alertname":"LateBatch"`) || !strings.Contains(told, `"version":"4"`) {
		t.Errorf("told: %s", told)
	}
	id := strings.TrimSpace(asResponder("silence", "add", "service=storefront", "--comment=a new disk", "--author=grace", "--duration=1h"))
	amtool("alert", "add", "alertname=Slow", "service=storefront", "--annotation=summary=slow pages", "--end="+inAnHour())
	o.until("the silenced alert", func() bool {
		_, body := o.get("/api/alerts?service=storefront")
		return strings.Contains(body, "silenced by grace")
	})

	for range 3 {
		o.kill()
		o.start()
	}
	if out := asResponder("silence", "query"); !strings.Contains(out, "a new disk") {
		t.Errorf("silences after the kills: %s", out)
	}
	o.until("all alerts after the kills", func() bool {
		out := asResponder("alert", "query")
		return strings.Contains(out, "DiskFull") && strings.Contains(out, "LateBatch") && !strings.Contains(out, "Slow")
	})
	if out := asResponder("config", "routes", "test", "team=data"); strings.TrimSpace(out) != "data" {
		t.Errorf("routes test: %s", out)
	}
	if out := asResponder("config", "routes", "show"); !strings.Contains(out, "daytwo") {
		t.Errorf("routes show: %s", out)
	}
	if out := amtool("check-config", filepath.Join(o.ops, "alertmanager.yml")); !strings.Contains(out, "SUCCESS") {
		t.Errorf("check-config: %s", out)
	}
	if got := o.incidents(); len(got) != 1 {
		t.Errorf("incidents while silenced: %v", got)
	}
	asResponder("silence", "expire", id)
	o.until("the incident of the alert that was silenced", func() bool { return len(o.incidents()) == 2 && len(o.heard("/grace")) == 2 })
	if told := o.heard("/data"); len(told) != 1 {
		t.Errorf("told %d times across the kills: %v", len(told), told)
	}
}

func inAnHour() string { return time.Now().UTC().Add(time.Hour).Format(time.RFC3339) }

// A real Prometheus evaluates its own rules and sends its alerts here; when it says that they are over, so is the incident.
func TestCompatPrometheusSendsItsAlerts(t *testing.T) {
	peers := os.Getenv("DAYTWO_COMPAT")
	if peers == "" {
		t.Skip("SKIPPED: it needs a real Prometheus, which make test-compat builds and names by DAYTWO_COMPAT")
	}
	t.Parallel()
	prometheus := filepath.Join(peers, "prometheus")
	o := newOutpost(t)
	o.start()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"prometheus.yml": "global: {evaluation_interval: 1s, external_labels: {site: east}}\nrule_files: [rules.yml]\n" +
			"alerting: {alertmanagers: [{path_prefix: /alertmanager, static_configs: [{targets: ['" + o.addr + "']}]}]}\n",
		"rules.yml": "groups: [{name: g, rules: [{alert: TooHot, expr: vector(1), labels: {service: checkout, severity: critical}, annotations: {summary: it burns}}]}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listen := freeAddress(t)
	cmd := exec.CommandContext(t.Context(), prometheus, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+listen, "--web.enable-lifecycle")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	o.until("the page", func() bool { return len(o.heard("/grace")) > 0 })
	if _, body := o.get("/api/alerts?state=firing"); !strings.Contains(body, `"site":"east"`) || !strings.Contains(body, `"source":"outside"`) {
		t.Errorf("alerts: %s", body)
	}
	if err := os.WriteFile(filepath.Join(dir, "rules.yml"), []byte("groups: [{name: g, rules: [{alert: TooHot, expr: vector(1) > 2, labels: {service: checkout, severity: critical}, annotations: {summary: it burns}}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	res, err := http.Post("http://"+listen+"/-/reload", "", nil) //nolint:noctx // a test against a local process
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	o.until("the end of the incident", func() bool {
		_, body := o.get("/api/incidents")
		return strings.Contains(body, `"status":"resolved"`)
	})
}
