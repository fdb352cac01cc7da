package test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// metricsServer is a daytwo to be killed, on a data directory.
type metricsServer struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	done chan error
}

func startServer(t *testing.T, bin, data string, args ...string) *metricsServer {
	t.Helper()
	address := freeAddress(t)
	s := &metricsServer{t: t, url: "http://" + address, done: make(chan error, 1)}
	s.cmd = exec.Command(bin, append([]string{"serve", "--listen", address, "--data", data}, args...)...)
	s.cmd.Env = append(os.Environ(), "DAYTWO_ADMIN_TOKEN=admin")
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.kill()
		}
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s said:\n%s", filepath.Base(bin), text)
		}
	})
	s.wait("/-/ready", "ready")
	return s
}

func (s *metricsServer) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.done
}

// ask makes one request as the administrator.
func (s *metricsServer) ask(method, path, kind, body string) (int, string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer admin")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, string(answer), err
}

// wait repeats a GET until the answer contains a text.
func (s *metricsServer) wait(path, text string) string {
	s.t.Helper()
	deadline := time.Now().Add(readyWithin)
	for {
		status, answer, err := s.ask(http.MethodGet, path, "", "")
		if err == nil && status == http.StatusOK && strings.Contains(answer, text) {
			return answer
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s has no %q: %d %s %v", path, text, status, answer, err)
		}
		time.Sleep(50 * time.Millisecond) // between polls of a real process
	}
}

// value is the one value of an expression now.
func (s *metricsServer) value(expr string) float64 {
	s.t.Helper()
	_, answer, err := s.ask(http.MethodGet, "/prometheus/api/v1/query?query="+url.QueryEscape(expr), "", "")
	if err != nil {
		s.t.Fatal(err)
	}
	return valueOf(s.t, answer)
}

// valueAt is the one value of an expression at a time in Unix seconds, where a prefix leads to the API.
func (s *metricsServer) valueAt(prefix, expr, at string) float64 {
	s.t.Helper()
	_, answer, err := s.ask(http.MethodGet, prefix+"/api/v1/query?"+url.Values{"query": {expr}, "time": {at}}.Encode(), "", "")
	if err != nil {
		s.t.Fatal(err)
	}
	return valueOf(s.t, answer)
}

func valueOf(t *testing.T, answer string) float64 {
	t.Helper()
	var got struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || len(got.Data.Result) != 1 {
		t.Fatalf("no single value: %s, %v", answer, err)
	}
	v, err := strconv.ParseFloat(got.Data.Result[0].Value[1].(string), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// otlpGauge is one point of a gauge as OTLP in JSON.
func otlpGauge(name string, value int, at time.Time) string {
	return fmt.Sprintf(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"killed"}}]},
		"scopeMetrics":[{"metrics":[{"name":%q,"gauge":{"dataPoints":[{"asDouble":%d,"timeUnixNano":"%d"}]}}]}]}]}`, name, value, at.UnixNano())
}

// A kill in the middle of ingest loses no sample that was acknowledged, of OTLP or pushed; three times on the same data.
func TestKillDuringIngest(t *testing.T) {
	bin, data := buildBinary(t), t.TempDir()
	acknowledged := 0
	for round := range 3 {
		s := startServer(t, bin, data)
		if round > 0 {
			if got := s.value(`max_over_time(counted[1h])`); int(got) < acknowledged {
				t.Errorf("round %d: the last sample is %v, %d was acknowledged", round, got, acknowledged)
			}
			if got := s.value(`count_over_time(counted[1h])`); int(got) < acknowledged {
				t.Errorf("round %d: %v samples, %d were acknowledged", round, got, acknowledged)
			}
			_, pushed, err := s.ask(http.MethodGet, "/pushgateway/metrics", "", "")
			if err != nil || !strings.Contains(pushed, fmt.Sprintf(`pushed{instance="",job="kill"} %d`, acknowledged)) && !strings.Contains(pushed, fmt.Sprintf(`pushed{instance="",job="kill"} %d`, acknowledged+1)) {
				t.Errorf("round %d: pushed %s, %v; %d was acknowledged", round, pushed, err, acknowledged)
			}
		}
		sent := make(chan int, 1000)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for n := acknowledged + 1; ; n++ {
				status, answer, err := s.ask(http.MethodPost, "/v1/metrics", "application/json", otlpGauge("counted", n, time.Now()))
				if err != nil {
					return // killed
				}
				if status != http.StatusOK {
					t.Errorf("sample %d: %d %s", n, status, answer)
					return
				}
				if status, answer, err = s.ask(http.MethodPut, "/pushgateway/metrics/job/kill", "", fmt.Sprintf("pushed %d\n", n)); err != nil {
					return
				}
				if status != http.StatusOK {
					t.Errorf("push %d: %d %s", n, status, answer)
					return
				}
				sent <- n
			}
		}()
		for n := range sent {
			acknowledged = n
			if n%40 == 0 {
				break
			}
		}
		s.kill()
		<-ended
		for len(sent) > 0 {
			acknowledged = <-sent
		}
	}
}
