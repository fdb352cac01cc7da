package alert_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const shop = `people: [{name: ada, email: ada@example.com}]
teams: [{name: shop, members: [ada]}]
escalation_policies: [{name: shop, levels: [{targets: [ada], after: 0s}]}]
services:
  - name: checkout
    team: shop
    escalation_policy: shop
    runbook: https://example.com/checkout
    slos:
      - name: availability
        objective: 99
        window: 1h
        good: sum(rate(requests_total{service="checkout",code!~"5.."}[$window]))
        total: sum(rate(requests_total{service="checkout"}[$window]))
        burn_alerts:
          - {long: 1m, short: 15s, factor: 10, severity: critical}
          - {long: 5m, short: 30s, factor: 5, severity: critical}
          - {long: 10m, short: 1m, factor: 2, severity: warning}
`

func (l *lab) inForce(text string) {
	l.t.Helper()
	c, findings := catalog.Parse("daytwo.yml", []byte(text))
	if problem.Broken(findings) {
		l.t.Fatal(findings)
	}
	l.catalog.Replace(c)
}

// serve counts requests for a while, a part of them failing.
func (l *lab) serve(d time.Duration, perSecond, failing float64) {
	const good, bad = `requests_total{service="checkout",code="200"}`, `requests_total{service="checkout",code="500"}`
	for range int(d / time.Second) {
		l.mu.Lock()
		if failing < 1 {
			l.series[good] += perSecond * (1 - failing)
		}
		if failing > 0 {
			l.series[bad] += perSecond * failing
		}
		l.mu.Unlock()
		time.Sleep(time.Second)
	}
	synctest.Wait()
}

func TestErrorBudgetBurn(t *testing.T) {
	inLab(t, func(l *lab) {
		l.inForce(shop)
		l.start()
		l.serve(time.Minute, 10, 0)
		if all := l.alerts.Firing(); len(all) > 0 {
			t.Errorf("without failures: %+v", all)
		}
		l.serve(30*time.Second, 10, 0.5)
		firing := map[string]*alert.Alert{}
		for _, one := range l.alerts.Firing() {
			firing[one.Severity] = one
		}
		critical := firing["critical"]
		if len(firing) != 2 || len(l.alerts.Firing()) != 2 || critical == nil {
			t.Fatalf("firing: %+v, want one critical and one warning", firing)
		}
		if critical.Service != "checkout" || critical.Labels["slo"] != "availability" || critical.Source != alert.FromSLO ||
			critical.Annotations["runbook"] != "https://example.com/checkout" ||
			!strings.HasPrefix(critical.Annotations["summary"], "checkout fails its availability objective: the error budget burns ") {
			t.Errorf("critical: %+v", critical)
		}
		all, err := l.alerts.Status(l.t.Context(), "checkout")
		if err != nil || len(all) != 1 || len(all[0].Burn) != 3 || all[0].Error != "" {
			t.Fatalf("status: %+v, %v", all, err)
		}
		s := all[0]
		if s.SLI == nil || *s.SLI < 0.7 || *s.SLI > 0.95 || math.Abs(*s.BudgetRemaining-(1-(1-*s.SLI)/0.01)) > 1e-9 {
			t.Errorf("sli %v, budget remaining %v", *s.SLI, *s.BudgetRemaining)
		}
		if b := s.Burn[0]; !b.Firing || math.Abs(*b.ShortBurn-50) > 5 || *b.LongBurn > *b.ShortBurn {
			t.Errorf("burn %+v: long %v, short %v", b, *b.LongBurn, *b.ShortBurn)
		}
		l.serve(time.Minute, 10, 0)
		for _, one := range l.alerts.Firing() {
			if one.Severity == "critical" {
				t.Errorf("a minute after the failures ended: %+v", one)
			}
		}
		if !strings.Contains(l.history(), "alert resolved checkout: Resolved: checkout fails its availability objective") {
			t.Errorf("timeline:\n%s", l.history())
		}
		l.catalog.Replace(new(catalog.Catalog))
		if err := l.alerts.Reload(l.t.Context()); err != nil || len(l.alerts.Firing()) > 0 {
			t.Errorf("without objectives: %v, %+v", err, l.alerts.Firing())
		}
	})
}

func TestAServiceThatNeverServedAnythingGoodBurns(t *testing.T) {
	inLab(t, func(l *lab) {
		l.inForce(shop)
		l.start()
		l.serve(time.Minute, 10, 1)
		if all := l.alerts.Firing(); len(all) != 2 {
			t.Errorf("firing: %+v", all)
		}
		if all, err := l.alerts.Status(l.t.Context(), ""); err != nil || *all[0].SLI != 0 {
			t.Errorf("status: %+v, %v", all, err)
		}
	})
}

func TestStatusWithoutTrafficAndWithBrokenQueries(t *testing.T) {
	inLab(t, func(l *lab) {
		l.inForce(shop)
		l.start()
		time.Sleep(time.Minute)
		if all, err := l.alerts.Status(l.t.Context(), ""); err != nil || len(all) != 1 || all[0].SLI != nil || all[0].Burn[0].Firing {
			t.Errorf("without traffic: %+v, %v", all, err)
		}
		time.Sleep(10 * time.Minute) // virtual
		l.breakQueries(true)
		if all, err := l.alerts.Status(l.t.Context(), ""); err != nil || len(all) != 1 || all[0].Error == "" {
			t.Errorf("with broken queries: %+v, %v", all, err)
		}
		l.opened = make(chan struct{})
		if _, err := l.alerts.Status(l.t.Context(), ""); problem.CodeOf(err) != problem.Unavailable {
			t.Errorf("before the engine is open: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "daytwo.yml")
	text := strings.Replace(shop, `total: sum(rate(requests_total{service="checkout"}[$window]))`, "total: sum(rate([$window])", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _ := catalog.Parse(file, []byte(text))
	findings := alert.Check(file, c)
	if len(findings) != 1 || findings[0].Line != 14 || findings[0].Column != 16 ||
		!strings.Contains(findings[0].Message, `total of SLO "availability" of service "checkout" is not PromQL`) {
		t.Errorf("findings: %v", findings)
	}
	_, err := alert.New(t.Context(), alert.Config{DB: storetest.New(t), Catalog: catalog.NewLive(c)})
	if problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "is not PromQL") {
		t.Errorf("New with such a catalog: %v", err)
	}
	ok, _ := catalog.Parse(file, []byte(shop))
	if findings := alert.Check(file, ok); len(findings) > 0 {
		t.Errorf("findings of a good file: %v", findings)
	}
}
