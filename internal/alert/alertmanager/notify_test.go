package alertmanager_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/alert/alertmanager"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an Alertmanager whose receivers are servers of this test.
type world struct {
	t        *testing.T
	dir      string
	db       *store.DB
	manager  *alertmanager.Manager
	stop     func()
	firing   []*alertmanager.Alert // on record at the start
	webhooks chan notification
	slacks   chan string
	mails    chan string
}

type notification struct {
	Status, Receiver, GroupKey string
	GroupLabels                map[string]string
	ExternalURL                string
	Alerts                     []struct {
		Status       string
		Labels       map[string]string
		GeneratorURL string
	}
}

const receivers = `global: {smtp_smarthost: "%[2]s", smtp_from: alerts@example.com, smtp_require_tls: false}
route:
  receiver: everything
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 1s
templates: [own.tmpl]
receivers:
  - name: everything
    webhook_configs: [{url: "%[1]s/webhook"}]
    slack_configs: [{api_url: "%[1]s/slack", channel: "#ops", send_resolved: false, text: '{{ template "own" . }}'}]
    email_configs: [{to: oncall@example.com}]
`

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), webhooks: make(chan notification, 20), slacks: make(chan string, 20), mails: make(chan string, 20)}
	mux := http.NewServeMux()
	mux.HandleFunc("/webhook", func(_ http.ResponseWriter, r *http.Request) {
		var n notification
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Error(err)
		}
		w.webhooks <- n
	})
	mux.HandleFunc("/slack", func(out http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.slacks <- string(body)
		fmt.Fprint(out, "ok")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mail := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{w}, nil }))
	go func() { _ = mail.Serve(l) }()
	t.Cleanup(func() { mail.Close() })
	write(t, w.dir, "own.tmpl", `{{ define "own" }}{{ len .Alerts.Firing }} fire of {{ .GroupLabels.alertname }}{{ end }}`)
	write(t, w.dir, "alertmanager.yml", fmt.Sprintf(receivers, server.URL, l.Addr()))
	if w.db, err = store.Open(t.Context(), store.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	if err := w.db.Migrate(t.Context(), "alert", os.DirFS("../migrations")); err != nil {
		t.Fatal(err)
	}
	return w
}

// session takes one mail.
type session struct{ w *world }

func (session) Mail(string, *smtp.MailOptions) error { return nil }
func (session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (session) Reset()                               {}
func (session) Logout() error                        { return nil }
func (s session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.w.mails <- string(text)
	return err
}

func (w *world) start() {
	w.t.Helper()
	logger := slog.New(slog.DiscardHandler)
	routing, findings := alertmanager.Load(w.dir, "http://daytwo.example", logger)
	if problem.Broken(findings) {
		w.t.Fatal(findings)
	}
	var err error
	w.manager, err = alertmanager.New(w.t.Context(), alertmanager.Config{
		DB: w.db, Routing: routing, URL: "http://daytwo.example", Logger: logger, Registerer: prometheus.NewRegistry(),
		Firing: func() []*alertmanager.Alert { return w.firing },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.manager.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	<-w.manager.Ready()
	w.stop = func() { cancel(); running.Wait() }
}

func (w *world) publish(ends time.Time, instances ...string) {
	var all []*alertmanager.Alert
	for _, instance := range instances {
		all = append(all, alertmanager.NewAlert(map[string]string{"alertname": "Down", "instance": instance}, map[string]string{"summary": instance + " is down"},
			time.Now(), ends, "http://daytwo.example/alerts/1"))
	}
	w.manager.Publish(w.t.Context(), all)
}

// onRecord waits until so many notifications are: one that arrived and is not yet may be sent again after a restart.
func (w *world) onRecord(want int) {
	w.t.Helper()
	for end, n := time.Now().Add(30*time.Second), 0; n < want; time.Sleep(10 * time.Millisecond) { // real servers answer first
		err := w.db.Read(w.t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(w.t.Context(), `SELECT COUNT(*) FROM alert_kept WHERE kind = 'notification'`).Scan(&n)
		})
		if err != nil || time.Now().After(end) {
			w.t.Fatalf("%d of %d notifications are on record, %v", n, want, err)
		}
	}
}

func next[T any](t *testing.T, c <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-c:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came")
	}
	return got
}

// Alertmanager's own notifications reach real servers, grouped, and a restart does not say again what was said.
func TestNotifications(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.publish(time.Time{}, "a", "b")
	first := next(t, w.webhooks)
	if first.Status != "firing" || len(first.Alerts) != 2 || first.Receiver != "everything" || first.GroupLabels["alertname"] != "Down" ||
		first.GroupKey != `{}:{alertname="Down"}` || first.ExternalURL != "http://daytwo.example/alerts" ||
		first.Alerts[0].GeneratorURL != "http://daytwo.example/alerts/1" {
		t.Errorf("webhook: %+v", first)
	}
	if slack := next(t, w.slacks); !strings.Contains(slack, `"channel":"#ops"`) || !strings.Contains(slack, "2 fire of Down") {
		t.Errorf("slack: %s", slack)
	}
	if mail := next(t, w.mails); !strings.Contains(mail, "To: oncall@example.com") || !strings.Contains(mail, "[FIRING:2]") {
		t.Errorf("mail: %.300s", mail)
	}
	w.onRecord(3)
	w.stop()

	w.start()
	w.publish(time.Time{}, "a") // as it is read back after a restart; the other has ended
	w.publish(time.Now(), "b")
	resolved := next(t, w.webhooks)
	for len(resolved.Alerts) == 2 && resolved.Alerts[0].Status == resolved.Alerts[1].Status {
		t.Fatalf("said again after the restart: %+v", resolved)
	}
	w.stop()
	select {
	case slack := <-w.slacks:
		t.Errorf("slack was told again: %s", slack)
	default:
	}
}

// What a notification came to is told of its alert: also why it failed.
func TestOutcomes(t *testing.T) {
	w := newWorld(t)
	content, err := os.ReadFile(filepath.Join(w.dir, "alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.dir, "alertmanager.yml", strings.Replace(string(content), `/webhook"}]`, `/webhook"}, {url: "http://127.0.0.1:1/"}]`, 1))
	w.start()
	defer w.stop()
	w.publish(time.Time{}, "a")
	about := map[string]string{"alertname": "Down", "instance": "a"}
	var told []alertmanager.Outcome
	for end := time.Now().Add(30 * time.Second); len(told) < 4 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // real servers are notified
		fate, err := w.manager.Fate(t.Context(), about, time.Now(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		told = fate.Told
	}
	var all []string
	for _, one := range told {
		if one.Receiver != "everything" || one.Ended || time.Since(one.At) > time.Minute {
			t.Errorf("%+v", one)
		}
		all = append(all, one.Integration+" "+strings.ReplaceAll(one.Error, "\n", " "))
	}
	if len(all) != 4 || all[0] != "email[0] " || all[1] != "slack[0] " || all[2] != "webhook[0] " || !strings.HasPrefix(all[3], "webhook[1] ") || !strings.Contains(all[3], "connection refused") {
		t.Errorf("%q", all)
	}
}

// What a receiver would write is shown without being sent, and without its secrets.
func TestTexts(t *testing.T) {
	w := newWorld(t)
	write(t, w.dir, "alertmanager.yml", `route: {receiver: team}
templates: [own.tmpl]
receivers:
  - name: team
    pagerduty_configs:
      - {routing_key: 'secret{{ "x" }}', details: {where: '{{ .CommonLabels.instance }}', firing: 'none'}}
    slack_configs:
      - {api_url: "http://127.0.0.1:1/", text: '{{ template "own" . }}', title: '{{ .Oops }}', actions: [{type: button, text: go, url: '{{ (index .Alerts 0).Annotations.runbook_url }}'}]}
`)
	w.start()
	defer w.stop()
	texts := w.manager.Texts("team", map[string]string{"alertname": "Down", "instance": "a"}, alertmanager.ExampleAnnotations(), map[string]string{"alertname": "Down"})
	got := map[string]string{}
	for _, one := range texts {
		if strings.Contains(one.Text+one.Error, "secret") || one.Receiver != "team" {
			t.Errorf("%+v", one)
		}
		got[one.Integration+" "+one.Field] = one.Text + one.Error
	}
	for field, want := range map[string]string{
		"pagerduty[0] details.where": "a", "slack[0] text": "1 fire of Down", "slack[0] actions.0.url": "http://localhost/runbook",
		"slack[0] title": "can't evaluate field Oops", "pagerduty[0] description": "[FIRING:1] Down",
	} {
		if !strings.Contains(got[field], want) || got[field] == "" {
			t.Errorf("%s: %q, want %q in %q", field, got[field], want, got)
		}
	}
	if other := w.manager.Texts("nobody", nil, nil, nil); len(other) != 0 {
		t.Errorf("of a receiver that is none: %v", other)
	}
}

// What fires at the start is known to the inhibitor before anybody is notified: of what it inhibits nobody hears.
func TestInhibitionAtTheStart(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	source := map[string]string{"alertname": "ClusterDown", "cluster": "eu"}
	target := map[string]string{"alertname": "Slow", "cluster": "eu"}
	for _, labels := range []map[string]string{target, source} {
		w.firing = append(w.firing, alertmanager.NewAlert(labels, nil, now.Add(-time.Hour), now.Add(time.Hour), "http://daytwo.example/alerts/1"))
	}
	content, err := os.ReadFile(filepath.Join(w.dir, "alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.dir, "alertmanager.yml", string(content)+`inhibit_rules:
  - {source_matchers: [alertname="ClusterDown"], target_matchers: [alertname="Slow"], equal: [cluster]}
`)
	w.start()
	fate, err := w.manager.Fate(t.Context(), target, now.Add(-time.Hour), now)
	if err != nil || len(fate.InhibitedBy) != 1 {
		t.Errorf("when it is ready: %+v, %v", fate, err)
	}
	if first := next(t, w.webhooks); first.GroupLabels["alertname"] != "ClusterDown" {
		t.Errorf("notified: %+v", first)
	}
	w.stop()
	select {
	case n := <-w.webhooks:
		t.Errorf("notified as well: %+v", n)
	default:
	}
}
