package pagerduty_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/incident/pagerduty"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shop = `
people:
  - {name: ada, full_name: Ada Lovelace, email: ada@example.com, time_zone: Europe/Paris}
  - {name: grace, email: grace@example.com}
priorities: [{name: P1}, {name: P2}]
teams: [{name: payments, members: [ada, grace]}]
escalation_policies:
  - {name: payments, levels: [{targets: [ada], after: 0s}, {targets: [grace], after: 5m}], repeat: 1}
  - {name: night, levels: [{targets: [grace], after: 0s}]}
services:
  - name: checkout
    team: payments
    escalation_policy: payments
    integrations: [{name: monitor, key: 0123456789abcdef0123456789abcdef}]
  - {name: reports, escalation_policy: night}
`

const key = "0123456789abcdef0123456789abcdef"

// rig is a server for PagerDuty's clients on a real store.
type rig struct {
	*incident.Incidents
	api     *pagerduty.API
	url     string
	db      *store.DB
	catalog *catalog.Live
}

type mute struct{}

func (mute) Send(context.Context, notify.Address, notify.Message) error { return nil }

func newRig(t *testing.T, change ...func(*incident.Config)) *rig {
	t.Helper()
	c, findings := catalog.Parse("daytwo.yml", []byte(shop))
	if problem.Broken(findings) {
		t.Fatal(findings)
	}
	r := &rig{db: storetest.New(t)}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if r.catalog, err = catalog.Open(t.Context(), catalog.Config{DB: r.db, File: c, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	line, err := timeline.New(t.Context(), timeline.Config{DB: r.db, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	config := incident.Config{DB: r.db, Timeline: line, Catalog: r.catalog, Sender: mute{}, Logger: quiet}
	for _, f := range change {
		f(&config)
	}
	if r.Incidents, err = incident.New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	client := notify.NewClient(true)
	r.api, err = pagerduty.New(t.Context(), pagerduty.Config{DB: r.db, Incidents: r.Incidents, Timeline: line, Catalog: r.catalog, Client: client,
		PublicURL: "http://daytwo.example", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/pagerduty/", http.StripPrefix("/pagerduty", r.api.Handler()))
	mux.Handle("/inbound/", http.StripPrefix("/inbound", r.api.Inbound()))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") == "Token token=secret" {
			p := auth.Principal{Kind: auth.KindToken, Name: "ci", Role: auth.Admin, Scopes: []auth.Scope{auth.ScopeAll}}
			req = req.WithContext(auth.WithPrincipal(req.Context(), p))
		}
		mux.ServeHTTP(w, req)
	}))
	r.url = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- r.Incidents.Run(ctx) }()
	go func() { done <- r.api.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return r
}

// post sends a body and returns the status and the decoded answer.
func (r *rig) post(t *testing.T, path, body string) (int, map[string]any) {
	t.Helper()
	res, err := http.Post(r.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&answer); err != nil {
		t.Fatalf("%s answers %q: %v", path, raw, err)
	}
	return res.StatusCode, answer
}

// incidents lists all, newest first.
func (r *rig) incidents(t *testing.T) []incident.Incident {
	t.Helper()
	list, _, err := r.List(t.Context(), incident.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		case <-tick.C:
		}
	}
}
