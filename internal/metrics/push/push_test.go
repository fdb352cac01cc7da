package push_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	client "github.com/prometheus/client_golang/prometheus/push"

	"github.com/daytwo-dev/daytwo/internal/metrics/push"
)

// gateway serves one on a directory, at a time that stands still.
func gateway(t *testing.T, dir string) (url string, firsts *int) {
	t.Helper()
	firsts = new(int)
	g, err := push.New(push.Config{
		Dir: dir, Version: "v1", Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
		Now: func() time.Time { return time.Unix(1000, 0) }, OnFirst: func() { *firsts++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	return s.URL, firsts
}

func do(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

// exposed is what a scrape sees, comments left out.
func exposed(t *testing.T, url string) string {
	t.Helper()
	status, text := do(t, "GET", url+"/metrics", "")
	if status != 200 {
		t.Fatalf("scrape: %d %s", status, text)
	}
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestPushes(t *testing.T) {
	url, firsts := gateway(t, filepath.Join(t.TempDir(), "pushed"))
	group := url + "/metrics/job/backup/instance/db1"
	push := func(method, url, body string, want int, header ...string) string {
		t.Helper()
		status, answer := do(t, method, url, body, header...)
		if status != want {
			t.Errorf("%s %s %q: %d %s, want %d", method, url, body, status, answer, want)
		}
		return answer
	}
	push("PUT", group, "# TYPE size gauge\n# HELP size Bytes.\nsize{job=\"liar\",disk=\"a\"} 3\nruns 1\n", 200)
	push("POST", group, "# TYPE size gauge\nsize{disk=\"b\"} 4\n", 200) // replaces the family, keeps runs
	if got, want := exposed(t, url), `push_failure_time_seconds{instance="db1",job="backup"} 0
push_time_seconds{instance="db1",job="backup"} 1000
runs{instance="db1",job="backup"} 1
size{disk="b",instance="db1",job="backup"} 4
`; got != want {
		t.Errorf("exposed:\n%swant:\n%s", got, want)
	}
	push("PUT", group, "runs 2\n", 200) // replaces the group
	push("PUT", url+"/metrics/job@base64/L2EvYg==/path@base64/L3Zhcg/empty@base64/=", "runs 7\n", 200)
	push("POST", url+"/metrics/job/plain", "runs 8\n", 200, "Content-Encoding", "identity")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprintln(z, "runs 9")
	z.Close()
	push("POST", url+"/metrics/job/zipped", zipped.String(), 200, "Content-Encoding", "gzip")
	push("POST", url+"/metrics/job/utf8/U__b_fc_ro/1", "{\"größe\"} 1\n", 200)
	got := exposed(t, url)
	for _, want := range []string{
		`runs{instance="db1",job="backup"} 2`, `runs{empty="",instance="",job="/a/b",path="/var"} 7`,
		`runs{instance="",job="plain"} 8`, `runs{instance="",job="zipped"} 9`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "size{") || *firsts != 1 {
		t.Errorf("size is left over, or %d firsts:\n%s", *firsts, got)
	}

	// What is wrong with a push is said, and what was there stays. The group says that a push failed.
	for body, want := range map[string]string{
		"runs 1 1234\n":                 "must not have timestamps",
		"runs{ 1\n":                     "text format parsing error",
		"# TYPE runs counter\nruns 3\n": "runs is counter here and untyped in the group",
		"a 1\na 2\n":                    "inconsistent",
		"a{x=\"1\",x=\"2\"} 2\n":        "x",
	} {
		if answer := push("PUT", group, body, 400); !strings.Contains(answer, want) {
			t.Errorf("%q: %s, want %q", body, answer, want)
		}
	}
	for path, want := range map[string]string{
		"/metrics/job/": "job name is required", "/metrics/job/a/b": "odd number", "/metrics/job/a/__x/1": "improper label name",
		"/metrics/job/a/b-c/1": "improper label name", "/metrics/job@base64/a$": "base64",
	} {
		if answer := push("PUT", url+path, "a 1\n", 400); !strings.Contains(answer, want) {
			t.Errorf("%s: %s, want %q", path, answer, want)
		}
	}
	if got := exposed(t, url); !strings.Contains(got, `push_failure_time_seconds{instance="db1",job="backup"} 1000`) || !strings.Contains(got, `runs{instance="db1",job="backup"} 2`) {
		t.Errorf("after failures:\n%s", got)
	}
	push("PUT", group, strings.Repeat("x", 17<<20), 413)
	push("GET", group, "", 405)
	push("DELETE", url+"/metrics/job/plain", "", 202)
	push("DELETE", url+"/metrics/job/plain", "", 202)
	if got := exposed(t, url); strings.Contains(got, "plain") {
		t.Errorf("after a delete:\n%s", got)
	}
	push("PUT", url+"/api/v1/admin/wipe", "", 202)
	if got := exposed(t, url); got != "" {
		t.Errorf("after a wipe:\n%s", got)
	}
}

func TestAPI(t *testing.T) {
	url, _ := gateway(t, t.TempDir())
	do(t, "PUT", url+"/metrics/job/a", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n# TYPE g gauge\ng{x=\"y\"} 1.5\n")
	var answer struct {
		Status string
		Data   []map[string]json.RawMessage
	}
	_, text := do(t, "GET", url+"/api/v1/metrics", "")
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Status != "success" || len(answer.Data) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	for key, want := range map[string]string{
		"labels": `{"job":"a"}`, "last_push_successful": `true`,
		"g": `{"time_stamp":"1970-01-01T00:16:40Z","type":"GAUGE","metrics":[{"labels":{"instance":"","job":"a","x":"y"},"value":"1.5"}]}`,
		"h": `{"time_stamp":"1970-01-01T00:16:40Z","type":"HISTOGRAM","metrics":[{"buckets":{"+Inf":"2","1":"1"},"count":"2","labels":{"instance":"","job":"a"},"sum":"3"}]}`,
	} {
		if got := string(answer.Data[0][key]); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	if status, text := do(t, "GET", url+"/api/v1/status", ""); status != 200 || !strings.Contains(text, "start_time") {
		t.Errorf("status: %d %s", status, text)
	}
	if status, _ := do(t, "GET", url+"/-/ready", ""); status != 200 {
		t.Errorf("ready: %d", status)
	}
}

// The official client, protobuf and all; what it pushed is there after a restart, also if files are damaged beside it.
func TestClientAndRestart(t *testing.T) {
	dir := t.TempDir()
	url, _ := gateway(t, dir)
	last := prometheus.NewGauge(prometheus.GaugeOpts{Name: "last_run", Help: "When."})
	last.Set(42)
	took := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "took", Help: "How long.", NativeHistogramBucketFactor: 1.1})
	took.Observe(3)
	pusher := client.New(url, "job/with/slashes").Grouping("instance", "").Grouping("env", "test").Collector(last).Collector(took)
	if err := pusher.Push(); err != nil {
		t.Fatal(err)
	}
	if err := pusher.Add(); err != nil {
		t.Fatal(err)
	}
	want := exposed(t, url)
	if !strings.Contains(want, `last_run{env="test",instance="",job="job/with/slashes"} 42`) {
		t.Errorf("exposed:\n%s", want)
	}
	if err := os.WriteFile(filepath.Join(dir, "00.group"), []byte("{\"labels\":{\"job\":\"x\"},\"families\":[\"2020-01-01T00:00:00Z\"]}\nxx"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, firsts := gateway(t, dir)
	if got := exposed(t, again); got != want || *firsts != 1 {
		t.Errorf("after a restart, %d firsts:\n%swant:\n%s", *firsts, got, want)
	}
	if err := client.New(again, "job/with/slashes").Grouping("instance", "").Grouping("env", "test").Delete(); err != nil {
		t.Fatal(err)
	}
	third, firsts := gateway(t, dir)
	if got := exposed(t, third); got != "" || *firsts != 0 {
		t.Errorf("after a delete and a restart:\n%s", got)
	}
}

func TestConcurrentPushes(t *testing.T) {
	url, _ := gateway(t, t.TempDir())
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 10 {
				if status, answer := do(t, "POST", fmt.Sprintf("%s/metrics/job/j%d", url, i%3), fmt.Sprintf("a_%d %d\n", i, n)); status != 200 {
					t.Errorf("%d %s", status, answer)
				}
				exposed(t, url)
			}
		})
	}
	group.Wait()
	if n := strings.Count("\n"+exposed(t, url), "\na_"); n != 8 {
		t.Errorf("%d series, want 8", n)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{"/metrics/job/a", "/metrics/job@base64/YQ==/b/c%2Fd", "/metrics/job/a/U___fc_/1", "/metrics/job/%zz", "/metrics/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		labels, err := push.ParseKey(path)
		if err == nil && labels["job"] == "" {
			t.Errorf("%q: no job and no error", path)
		}
	})
}

func FuzzPush(f *testing.F) {
	f.Add("a 1\n", "")
	f.Add("# TYPE a histogram\na_bucket{le=\"1\"} 1\n", "text/plain")
	f.Add("\x0a\x0a\x01a", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
	g, err := push.New(push.Config{Dir: f.TempDir(), Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, kind string) {
		req := httptest.NewRequest("PUT", "/metrics/job/a", strings.NewReader(body))
		req.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		g.ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		w = httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code != 200 {
			t.Errorf("scrape after %q: %d %s", body, w.Code, w.Body)
		}
	})
}
