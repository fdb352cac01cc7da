package statuspage_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/statuspage"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const file = `
people: [{name: ada, email: ada@example.com}]
services: [{name: checkout}, {name: shop}, {name: internal}]
maintenance: [{name: New disks, services: [shop], from: 2026-03-05T00:00:00Z, to: 2026-03-06T00:00:00Z}]
status_page: {title: Shop <status>, components: [{name: Checkout, service: checkout}, {name: Shop, service: shop}]}
`

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// page is one with some troubles; the returned function asks it.
func page(t *testing.T, yml string, troubles func() ([]statuspage.Trouble, error)) (*statuspage.Page, func(string) (int, string)) {
	t.Helper()
	c, findings := catalog.Parse("f", []byte(yml))
	if problem.Broken(findings) {
		t.Fatal(findings)
	}
	p, err := statuspage.New(t.Context(), statuspage.Config{DB: storetest.New(t), Catalog: catalog.NewLive(c), Logger: slog.New(slog.DiscardHandler), PublicURL: "https://daytwo.example",
		Now: func() time.Time { return now }, Troubles: among(troubles)})
	if err != nil {
		t.Fatal(err)
	}
	return p, func(path string) (int, string) {
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code, w.Body.String()
	}
}

// among picks of all troubles what is asked for.
func among(troubles func() ([]statuspage.Trouble, error)) statuspage.Troubles {
	return func(_ context.Context, service string, from, to time.Time, lasting bool) (list []statuspage.Trouble, err error) {
		all, err := troubles()
		for _, t := range all {
			within := lasting && t.End.IsZero() || !t.End.IsZero() && !t.End.Before(from) && (to.IsZero() || t.End.Before(to))
			if t.Service == service && within {
				list = append(list, t)
			}
		}
		return list, err
	}
}

func TestSummaryAsStatuspageClientsKnowIt(t *testing.T) {
	p, get := page(t, file, func() ([]statuspage.Trouble, error) {
		return []statuspage.Trouble{
			{ID: "1", Service: "checkout", Severity: "critical", Start: now.Add(-time.Hour), Updates: []statuspage.Update{{ID: "u", At: now, Text: "only for stakeholders"}}},
			{ID: "2", Service: "internal", Severity: "critical", Start: now.Add(-time.Hour)},
			{ID: "3", Service: "checkout", Severity: "critical", Start: now.Add(-50 * time.Hour), End: now.Add(-48 * time.Hour)},
			{ID: "4", Service: "shop", Severity: "warning", Start: now.Add(-time.Hour)},
		}, nil
	})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var s struct {
		Page       struct{ Name, URL string }
		Status     struct{ Indicator, Description string }
		Components []struct{ Name, Status string }
		Incidents  []struct {
			ID, Name, Status, Impact string
			IncidentUpdates          []any `json:"incident_updates"`
		}
		ScheduledMaintenances []struct{ Name, Status string } `json:"scheduled_maintenances"`
	}
	_, body := get("/api/v2/summary.json")
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatal(err)
	}
	if s.Status.Indicator != "major" || len(s.Components) != 2 || s.Components[0].Status != "major_outage" || s.Components[1].Status != "degraded_performance" ||
		len(s.Incidents) != 1 || s.Incidents[0].Name != "Trouble with Checkout" || s.Incidents[0].Impact != "major" || len(s.Incidents[0].IncidentUpdates) != 0 ||
		len(s.ScheduledMaintenances) != 1 || s.ScheduledMaintenances[0].Status != "scheduled" {
		t.Errorf("%+v", s)
	}
	if _, body := get("/"); !strings.Contains(body, "Shop &lt;status&gt;") || strings.Contains(body, "internal") || strings.Contains(body, "only for stakeholders") || !strings.Contains(body, "out for 2h0m0s") {
		t.Error(body)
	}
	for path, live := range map[string]bool{"/": false, "/?live": true} {
		if _, body := get(path); strings.Contains(body, `http-equiv="refresh"`) != live {
			t.Errorf("%s loads itself anew: %t", path, !live)
		}
	}
	if _, body := get("/badge.svg"); !strings.Contains(body, "outage") {
		t.Error(body)
	}
	for _, path := range []string{"status", "components", "incidents", "incidents/unresolved", "scheduled-maintenances"} {
		if status, body := get("/api/v2/" + path + ".json"); status != 200 || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := get("/nothing"); status != 404 {
		t.Errorf("an unknown path: %d", status)
	}
}

func TestUpdatesArePublicOnlyIfTheFileSaysSo(t *testing.T) {
	p, get := page(t, strings.Replace(file, "{title:", "{updates: true, title:", 1), func() ([]statuspage.Trouble, error) {
		return []statuspage.Trouble{{ID: "1", Service: "shop", Severity: "warning", Start: now.Add(-time.Hour), Updates: []statuspage.Update{{ID: "u", At: now, Text: "We look into it"}}}}, nil
	})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, body := get("/"); !strings.Contains(body, "We look into it") {
		t.Error(body)
	}
}

func TestThePageStaysWhileTheStoreIsAway(t *testing.T) {
	away := false
	p, get := page(t, file, func() ([]statuspage.Trouble, error) {
		if away {
			return nil, errors.New("away")
		}
		return []statuspage.Trouble{{ID: "1", Service: "checkout", Severity: "critical", Start: now.Add(-time.Hour)}}, nil
	})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	away = true
	if err := p.Refresh(t.Context()); err == nil {
		t.Error("nothing is said of a store that is away")
	}
	if status, body := get("/api/v2/status.json"); status != 200 || !strings.Contains(body, `"major"`) {
		t.Errorf("%d %s", status, body)
	}
}
