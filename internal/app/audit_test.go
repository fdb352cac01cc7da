package app_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/app"
)

// Whatever the door, a change is in the audit log with who made it and from where.
func TestEveryDoorIsAudited(t *testing.T) {
	actions := make(chan string, 10)
	topic := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("Actions"); a != "" {
			actions <- a
		}
	}))
	defer topic.Close()
	ops := t.TempDir()
	write(t, ops, "daytwo.yml", `
people: [{name: ada, email: ada@example.com, contacts: [{channel: ntfy, address: "`+topic.URL+`/pages"}], notify: {high: [{by: ntfy}]}}]
escalation_policies: [{name: shop, levels: [{targets: [ada], after: 0s}]}]
services: [{name: checkout, escalation_policy: shop, integrations: [{name: monitor, key: 0123456789abcdef0123456789abcdef}]}]
`)
	s := start(t, ops, func(c *app.Config) { asAdmin(c); c.AllowPrivate = true })
	defer func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}()
	page := s.do(t, http.MethodPost, "/pagerduty/v2/enqueue", `{"routing_key":"0123456789abcdef0123456789abcdef","event_action":"trigger",
		"payload":{"summary":"the till is slow","source":"till","severity":"critical"}}`)
	if page.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", page.StatusCode, page.body)
	}
	link := regexp.MustCompile(`/answers/acknowledge/[^,]+`).FindString(<-actions)
	if a := s.do(t, http.MethodGet, link, ""); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if a := s.do(t, http.MethodPost, link, ""); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	authorization := []string{"Authorization", "Bearer " + adminToken}
	made := s.do(t, http.MethodPost, "/pagerduty/incidents", `{"incident":{"type":"incident","title":"by hand","service":{"id":"checkout","type":"service_reference"}}}`,
		append(authorization, "From", "ada@example.com")...)
	if made.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", made.StatusCode, made.body)
	}
	change := s.do(t, http.MethodPost, "/api/timeline/changes", `{"title":"v2 is out"}`, authorization...)
	if change.StatusCode != http.StatusCreated || !strings.Contains(change.body, `"actor":"token:admin"`) {
		t.Errorf("a token is not told from a user of its name: %d %s", change.StatusCode, change.body)
	}

	type entry struct{ Actor, Action, Target, Detail, Address, Request string }
	var log struct{ Items []entry }
	if err := json.Unmarshal([]byte(s.admin(t, http.MethodGet, "/api/audit").body), &log); err != nil {
		t.Fatal(err)
	}
	for _, want := range []entry{
		{Actor: "anonymous", Action: "incident.acknowledge", Target: "incident/", Detail: "answered by ada"},
		{Actor: "token:admin", Action: "incident.create", Target: "incidents", Detail: "by PagerDuty's API, from ada@example.com"},
		{Actor: "token:admin", Action: "timeline.record"},
	} {
		found := false
		for _, e := range log.Items {
			if e.Action == want.Action {
				found = true
				if e.Actor != want.Actor || !strings.HasPrefix(e.Target, want.Target) || e.Detail != want.Detail || e.Address != "127.0.0.1" || e.Request == "" {
					t.Errorf("%+v, want %+v from 127.0.0.1", e, want)
				}
			}
		}
		if !found {
			t.Errorf("no %s in %+v", want.Action, log.Items)
		}
	}
}
