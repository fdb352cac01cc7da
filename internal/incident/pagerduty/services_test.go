package pagerduty_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
)

// ask sends a body as an administrator and returns the status.
func (r *rig) ask(t *testing.T, method, path, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Token token=secret")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// Clients that know no If-Match add to one service at the same time: all of it is there afterwards.
func TestIntegrationsThatAreAddedTogether(t *testing.T) {
	r := newRig(t)
	s, err := r.catalog.SaveService(t.Context(), catalog.Service{Name: "billing", EscalationPolicy: "night"})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			body := fmt.Sprintf(`{"integration":{"name":"i%d","type":"events_api_v2_inbound_integration"}}`, n)
			if status := r.ask(t, http.MethodPost, "/pagerduty/services/"+s.ID+"/integrations", body); status != http.StatusCreated {
				t.Errorf("integration %d: %d", n, status)
			}
		})
	}
	all.Wait()
	if now, _ := r.catalog.Current().Service("billing"); len(now.Integrations) != 6 {
		t.Errorf("%d integrations", len(now.Integrations))
	}
}

// What the original takes and the catalog has no room for becomes the nearest that it has.
func TestServicesOfTheOriginalAreTaken(t *testing.T) {
	r := newRig(t)
	body := `{"service":{"name":" billing ","acknowledgement_timeout":9000000,"auto_resolve_timeout":0,
		"incident_urgency_rule":{"type":"use_support_hours","during_support_hours":{"urgency":"high"},"outside_support_hours":{"urgency":"severity_based"}},
		"support_hours":{"time_zone":"Europe/Paris","start_time":"09:00:00","end_time":"17:00:00","days_of_week":[1]},
		"alert_grouping_parameters":{"type":"content_based","config":{"fields":["class",""]}},
		"integrations":[{"name":"` + strings.Repeat("n", 200) + `"},{}]}}`
	if status := r.ask(t, http.MethodPost, "/pagerduty/services", body); status != http.StatusCreated {
		t.Fatal(status)
	}
	s, ok := r.catalog.Current().Service("billing")
	if !ok || s.AckTimeout != catalog.Duration(30*24*time.Hour) || s.SupportHours.Outside != catalog.High || len(s.Grouping.By) != 1 ||
		len(s.Integrations) != 2 || len(s.Integrations[0].Name) > 100 || s.Integrations[1].Name != "events" {
		t.Errorf("%+v", s)
	}
}
