package alert_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// What a title says outlasts the number that was measured when the alert fired; where the alert is from goes along.
func TestTitlesHaveNoNumbersThatChange(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", `groups:
  - name: g
    rules:
      - {alert: Measured, expr: up_1 > 0, annotations: {summary: "at {{ $value | printf \"%.1f\" }}", description: "{{ $value }} now"}}
      - {alert: Queried, expr: up_1 > 0, annotations: {summary: "at {{ with query \"up_1\" }}{{ . | first | value }}{{ end }}"}}
      - {alert: Titled, expr: up_1 > 0, annotations: {title: "A title", summary: "at {{ $value }}"}}
      - {alert: Plain, expr: up_1 > 0, annotations: {summary: "{{ $labels.job }} is down"}}
`)
		l.set(`up_1{job="node",namespace="web",instance="a"}`, 36.1)
		l.start()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		entries, _, err := l.timeline.List(l.t.Context(), timeline.Filter{Limit: 10})
		if err != nil {
			l.t.Fatal(err)
		}
		titles := map[string]string{}
		for _, e := range entries {
			titles[e.Data["name"]] = e.Title
			if e.Data["job"] != "node" || e.Data["namespace"] != "web" || e.Data["cluster"] != "" {
				t.Errorf("from where: %v", e.Data)
			}
		}
		want := map[string]string{"Measured": "Measured", "Queried": "Queried", "Titled": "A title", "Plain": "node is down"}
		if fmt.Sprint(titles) != fmt.Sprint(want) {
			t.Errorf("got %v", titles)
		}
		l.set(`up_1{job="node",namespace="web",instance="a"}`, 7)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		for _, one := range l.alerts.Firing() {
			if one.Name == "Measured" && (one.Annotations["summary"] != "at 7.0" || one.Annotations["description"] != "7 now") {
				t.Errorf("the detail is not current: %v", one.Annotations)
			}
		}
	})
}

// Labels that no store takes as they are keep no alert from being recorded.
func TestLabelsThatNobodyCanRead(t *testing.T) {
	inLabs(t, func(l *lab) {
		nothing, huge := strings.Repeat("\x00", 150), strings.Repeat("x", 64<<10)
		l.write("rules.yml", `groups:
  - name: g
    rules:
      - alert: Odd
        expr: odd > 0
        labels: {service: "{{ $labels.odd }}", severity: "{{ $labels.odd }}"}
        annotations: {summary: "{{ $labels.odd }}"}
`)
		for _, odd := range []string{nothing, huge, "a\r\nBcc: eve@example.com", "<script>alert(1)</script>"} {
			l.set(fmt.Sprintf("odd{odd=%q}", odd), 1)
		}
		l.start()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		all := l.list(alert.Filter{Limit: 10})
		if len(all) != 4 {
			t.Errorf("%d alerts on record", len(all))
		}
		for _, one := range all {
			if len(one.Labels["odd"]) > 4<<10 || len(one.Annotations["summary"]) > 4<<10 {
				t.Errorf("kept %d bytes of a label, %d of the summary", len(one.Labels["odd"]), len(one.Annotations["summary"]))
			}
		}
		for series := range l.series {
			l.set(series, 0)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if still := l.alerts.Firing(); len(still) > 0 {
			t.Errorf("%d still fire", len(still))
		}
	})
}

// More alerts than anybody can look at are all found, up to a bound, and end again.
func TestMoreAlertsThanTheBound(t *testing.T) {
	if testing.Short() {
		t.Skip("not in short mode: thousands of alerts")
	}
	inLab(t, func(l *lab) {
		l.write("rules.yml", "groups: [{name: g, interval: 1m, rules: [{alert: Many, expr: many > 0}]}]\n")
		series := slices.Collect(func(yield func(string) bool) {
			for k := range 5050 {
				if !yield(fmt.Sprintf("many{k=\"%d\"}", k)) {
					return
				}
			}
		})
		for _, s := range series {
			l.set(s, 1)
		}
		l.start()
		time.Sleep(90 * time.Second)
		synctest.Wait()
		if n := len(l.alerts.Firing()); n != 5000 {
			t.Errorf("%d alerts on record", n)
		}
		if n := l.counted("daytwo_alert_over_limit_total"); n == 0 {
			t.Error("what was left out is not counted")
		}
	})
}
