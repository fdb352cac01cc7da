package pagerduty_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	alerts "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	amnotify "github.com/prometheus/alertmanager/notify"
	amdoor "github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/template"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"

	"github.com/daytwo-dev/daytwo/internal/incident"
)

// Alertmanager's own notifier, configured by its own file with nothing but url changed, opens and resolves an incident, with a
// severity that the original refuses for good.
func TestAlertmanagerUnmodified(t *testing.T) {
	r := newRig(t)
	c, err := config.Load(fmt.Sprintf(`
route: {receiver: pager}
receivers:
  - name: pager
    pagerduty_configs:
      - routing_key: %s
        url: %s/pagerduty/v2/enqueue
        severity: '{{ .CommonLabels.severity }}'
        details: {num: '{{ .Alerts.Firing | len }}'}
`, key, r.url))
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := template.FromGlobs([]string{})
	if err != nil {
		t.Fatal(err)
	}
	tmpl.ExternalURL, _ = url.Parse("http://alertmanager.example")
	n, err := amdoor.New(c.Receivers[0].PagerdutyConfigs[0], tmpl, promslog.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	ctx := amnotify.WithGroupKey(t.Context(), "{}:{alertname=\"Slow\"}")
	alert := &alerts.Alert{Alert: model.Alert{Labels: model.LabelSet{"alertname": "Slow", "severity": "page"}, StartsAt: time.Now(), EndsAt: time.Now().Add(time.Hour)}}
	for range 2 { // repeat_interval sends it again
		if retry, err := n.Notify(ctx, alert); err != nil || retry {
			t.Fatalf("retry %v, %v", retry, err)
		}
	}
	eventually(t, "an incident", func() bool { return len(r.incidents(t)) == 1 })
	i := r.incidents(t)[0]
	if !strings.Contains(i.Title, "Slow") || i.Service != "checkout" || i.Severity != incident.Critical {
		t.Errorf("incident %+v", i)
	}
	alert.EndsAt = time.Now().Add(-time.Second)
	if retry, err := n.Notify(ctx, alert); err != nil || retry {
		t.Fatalf("retry %v, %v", retry, err)
	}
	eventually(t, "resolved", func() bool { return r.incidents(t)[0].Status == incident.Resolved })
}
