package metrics_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/metrics"
)

// vector waits for an expression to have n samples and returns them.
func (r *running) vector(t *testing.T, expr string, n int) (v promql.Vector) {
	t.Helper()
	eventually(t, expr, func() (bool, string) {
		var err error
		v, err = r.Query(t.Context(), expr, time.Now())
		return err == nil && len(v) == n, fmt.Sprint(v, err)
	})
	return v
}

// service is the catalog's, whatever a program calls itself; what it says of others is kept.
func TestServiceIsTheServiceOfTheTarget(t *testing.T) {
	url := exposition(t, `said_itself{service="check-out"} 1
said_nothing 1
said_other{service="payments"} 1
said_odd{service="a \"b\" ${1} π"} 1
`)
	r := start(t, metrics.Config{TargetInterval: 100 * time.Millisecond})
	if err := r.AddTargets("workloads", []metrics.Target{{URL: url, Labels: event.Labels{"service": "check-out", "workload": "w"}}}); err != nil {
		t.Fatal(err)
	}
	for name, exported := range map[string]string{"said_itself": "", "said_nothing": "", "said_other": "payments", "said_odd": `a "b" ${1} π`} {
		got := r.vector(t, name, 1)[0].Metric
		if got.Get("service") != "check-out" || got.Get("exported_service") != exported || strings.Contains(got.String(), "__said") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// plain serves metrics without saying what they are.
func plain(t *testing.T, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestTargetsThatDoNotSayWhatTheySend(t *testing.T) {
	theirs := plain(t, "theirs 1\n")
	log := &logged{}
	r := start(t, metrics.Config{
		TargetInterval: 50 * time.Millisecond,
		Logger:         slog.New(slog.NewTextHandler(log, nil)),
		ConfigFile: configFile(t, fmt.Sprintf("global: {scrape_interval: 50ms, scrape_timeout: 50ms}\nscrape_configs: [{job_name: theirs, static_configs: [{targets: [%q]}]}]\n",
			host(theirs))),
	})
	// A workload's are taken for text, as a file can ask for its own jobs.
	if err := r.AddTargets("workloads", []metrics.Target{{URL: plain(t, "ours 1\n")}}); err != nil {
		t.Fatal(err)
	}
	r.value(t, "ours")
	// In a job of the file it is a failure, as in Prometheus, but the log says so once, not at every scrape.
	eventually(t, "many failed scrapes", func() (bool, string) {
		v, err := r.Query(t.Context(), `count_over_time(up{job="theirs"}[1m]) > 5`, time.Now())
		return err == nil && len(v) == 1, fmt.Sprint(v, err)
	})
	if got := r.value(t, `up{job="theirs"}`); got != 0 {
		t.Errorf("up = %v, want 0", got)
	}
	if n := strings.Count(log.String(), "Failed to determine correct type of scrape target."); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, log)
	}
}

func TestLogOfAFailingTargetIsSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logged{}
		base := slog.New(metrics.NewSeldom(slog.NewTextHandler(log, nil)))
		one, two := base.With("target", "one"), base.With("target", "two")
		for range 7 {
			one.Warn("failed")
			one.Error("worse")
			two.Warn("failed")
			one.Info("as often as it is")
			time.Sleep(2 * time.Minute)
		}
		for text, want := range map[string]int{
			"msg=failed target=one": 2, "msg=worse target=one": 2, "msg=failed target=two": 2, "withheld=4": 3, "as often": 7,
		} {
			if got := strings.Count(log.String(), text); got != want {
				t.Errorf("%q: %d times, want %d", text, got, want)
			}
		}
		if t.Failed() {
			t.Log(log)
		}
	})
}

// daytwo scrapes itself once: by its own job, or by the file's if it has one.
func TestSelfStepsBackForAJobOfTheFile(t *testing.T) {
	url := exposition(t, "own 1\n")
	const without = "global: {scrape_interval: 100ms}\n"
	path := configFile(t, without)
	r := start(t, metrics.Config{TargetInterval: 100 * time.Millisecond, Self: url + "/metrics", ConfigFile: path})
	pools := func(want string) {
		t.Helper()
		eventually(t, "targets "+want, func() (bool, string) {
			targets, err := r.client.Targets(t.Context())
			if err != nil {
				return false, err.Error()
			}
			var got []string
			for _, a := range targets.Active {
				got = append(got, a.ScrapePool+" as "+string(a.Labels["job"]))
			}
			return strings.Join(got, ", ") == want, strings.Join(got, ", ")
		})
	}
	pools("daytwo/targets as daytwo")
	r.value(t, `own{job="daytwo"}`)

	for _, job := range []string{"daytwo", "me"} {
		write(t, path, without+fmt.Sprintf("scrape_configs: [{job_name: %s, static_configs: [{targets: [%q]}]}]\n", job, strings.Replace(host(url), "127.0.0.1", "localhost", 1)))
		if err := r.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		pools(job + " as " + job)
	}
	write(t, path, without+"rule_files: [absent.yml]\n")
	if err := r.Reload(t.Context()); err == nil {
		t.Fatal("a broken file is in force")
	}
	pools("me as me")
	write(t, path, without)
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	pools("daytwo/targets as daytwo")
}
