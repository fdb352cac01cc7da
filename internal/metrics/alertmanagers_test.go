package metrics_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"

	"github.com/daytwo-dev/daytwo/internal/metrics"
)

// Alerts go to the Alertmanagers of the file, with its external labels and relabelling, and those that wait when daytwo
// stops are still sent.
func TestOutsideAlertmanagers(t *testing.T) {
	got := make(chan map[string]string, 10)
	peer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var alerts []struct{ Labels map[string]string }
		if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil || r.URL.Path != "/am/api/v2/alerts" {
			t.Errorf("%s: %v", r.URL, err)
		}
		for _, a := range alerts {
			got <- a.Labels
		}
	}))
	t.Cleanup(peer.Close)
	r := start(t, metrics.Config{ConfigFile: configFile(t, fmt.Sprintf(`global: {external_labels: {cluster: one, replica: a}}
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: replica}]
  alertmanagers: [{path_prefix: /am, static_configs: [{targets: [%q]}]}]
`, host(peer.URL)))})
	eventually(t, "the Alertmanager is known", func() (bool, string) {
		known, err := r.client.AlertManagers(t.Context())
		return err == nil && len(known.Active) == 1, fmt.Sprint(known, err)
	})
	for _, name := range []string{"first", "waiting"} {
		r.Send(&notifier.Alert{Labels: labels.FromStrings("alertname", name), StartsAt: time.Now()})
		if name == "waiting" {
			r.stop()
		}
		select {
		case l := <-got:
			if l["alertname"] != name || l["cluster"] != "one" || l["replica"] != "" {
				t.Errorf("labels %v", l)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s was not sent", name)
		}
	}
}

// An Alertmanager that never answers does not keep daytwo from stopping.
func TestStopDoesNotWaitForAnAlertmanager(t *testing.T) {
	asked, never := make(chan struct{}, 10), make(chan struct{})
	peer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-never:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(never); peer.Close() })
	r := start(t, metrics.Config{ConfigFile: configFile(t, fmt.Sprintf("alerting: {alertmanagers: [{timeout: 10m, static_configs: [{targets: [%q]}]}]}\n", host(peer.URL)))})
	eventually(t, "the Alertmanager is known", func() (bool, string) {
		known, err := r.client.AlertManagers(t.Context())
		return err == nil && len(known.Active) == 1, fmt.Sprint(known, err)
	})
	r.Send(&notifier.Alert{Labels: labels.FromStrings("alertname", "a"), StartsAt: time.Now()})
	<-asked
	r.stop() // hangs until the test's own deadline if it waits
}
