package alert_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// door calls Alertmanager's API as a responder: alerts through where they come in, everything else through the door.
func (l *lab) door(method, path, body string) (int, string) {
	l.t.Helper()
	h := l.alerts.Door()
	switch {
	case path == "/webhook":
		h = l.alerts.Hook()
	case method == http.MethodPost && strings.HasSuffix(path, "/alerts"):
		h = l.alerts.Ingest()
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r = r.WithContext(auth.WithPrincipal(r.Context(), auth.System("test")))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// silence makes one for the service checkout over the API, and returns its id.
func (l *lab) silence(lasting time.Duration) string {
	l.t.Helper()
	now := time.Now().UTC()
	code, body := l.door(http.MethodPost, "/api/v2/silences", `{"matchers":[{"name":"service","value":"checkout","isRegex":false}],
		"startsAt":"`+now.Format(time.RFC3339)+`","endsAt":"`+now.Add(lasting).Format(time.RFC3339)+`","createdBy":"grace","comment":"a new disk"}`)
	if code != http.StatusOK {
		l.t.Fatalf("silence: %d %s", code, body)
	}
	_, id, _ := strings.Cut(body, `"silenceID":"`)
	return strings.TrimRight(id, "\"}\n")
}

// handed counts the entries by which alerts lead to incidents.
func (l *lab) handed() (n int) {
	l.t.Helper()
	entries, _, err := l.timeline.List(l.t.Context(), timeline.Filter{Kinds: []timeline.Kind{timeline.Alert}, Limit: 500})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Action == "released" || e.Action == "fired" && e.Data["withheld"] == "" {
			n++
		}
	}
	return n
}

// silenced waits until the door is open and silences the service.
func (l *lab) silenced(lasting time.Duration) string {
	l.t.Helper()
	time.Sleep(time.Second) // virtual, as everywhere in this file
	return l.silence(lasting)
}

func TestASilencedAlertIsHandedOverWhenTheSilenceEnds(t *testing.T) {
	inLabs(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.start()
		l.silenced(10 * time.Minute)
		l.set(queue, 20)
		during := l.one(time.Minute)
		if during.HandedAt != nil || !strings.Contains(during.Withheld, "silenced by grace until") || !strings.Contains(during.Withheld, "a new disk") {
			t.Errorf("silenced: %+v", during)
		}
		l.restart(time.Minute)
		if after := l.one(2 * time.Minute); after.ID != during.ID || after.HandedAt != nil || l.handed() != 0 {
			t.Errorf("after a restart: %+v", after)
		}
		if free := l.one(10 * time.Minute); free.HandedAt == nil || free.Withheld != "" || free.State != alert.Firing {
			t.Errorf("after the silence: %+v", free)
		}
		l.restart(time.Second)
		if l.one(time.Minute); l.handed() != 1 {
			t.Errorf("handed over %d times:\n%s", l.handed(), l.history())
		}
	})
}

func TestASilenceThatIsEndedEarly(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.start()
		id := l.silenced(time.Hour)
		l.set(queue, 20)
		if during := l.one(time.Minute); during.HandedAt != nil {
			t.Errorf("silenced: %+v", during)
		}
		if code, body := l.door(http.MethodDelete, "/api/v2/silence/"+id, ""); code != http.StatusOK {
			t.Fatalf("expire: %d %s", code, body)
		}
		if free := l.one(2 * time.Second); free.HandedAt == nil || l.handed() != 1 {
			t.Errorf("after the end: %+v", free)
		}
		l.restart(time.Second)
		time.Sleep(time.Second)
		if _, body := l.door(http.MethodGet, "/api/v2/silence/"+id, ""); !strings.Contains(body, `"state":"expired"`) {
			t.Errorf("after a restart: %s", body)
		}
	})
}

// An alert that ends while it is withheld never leads to an incident.
func TestAnAlertThatEndsWhileSilenced(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.start()
		l.silenced(time.Hour)
		l.set(queue, 20)
		l.one(time.Minute)
		l.set(queue, 0)
		ended := l.one(2 * time.Hour)
		if ended.State != alert.Resolved || ended.HandedAt != nil || !strings.Contains(ended.Withheld, "silenced") || l.handed() != 0 {
			t.Errorf("%+v\n%s", ended, l.history())
		}
	})
}

const twoTeams = `route:
  receiver: daytwo
  group_wait: 10s
  routes:
    - {matchers: [team="data"], receiver: data-hook, group_wait: 0s}
    - {matchers: [team="night"], receiver: daytwo, mute_time_intervals: [mornings], group_wait: 0s}
    - {matchers: [team="both"], receiver: data-hook, continue: true, group_wait: 0s}
    - {matchers: [team="both"], receiver: daytwo, group_wait: 0s}
receivers:
  - {name: daytwo}
  - {name: data-hook, webhook_configs: [{url: "http://127.0.0.1:1/never"}]}
time_intervals:
  - {name: mornings, time_intervals: [{times: [{start_time: "00:00", end_time: "08:00"}]}]}
inhibit_rules:
  - {source_matchers: [alertname="Down"], target_matchers: [alertname="Slow"], equal: [cluster]}
`

const teamRules = `groups:
  - name: g
    rules:
      - {alert: Slow, expr: slow > 0}
      - {alert: Down, expr: down > 0}
`

func (l *lab) named(name string) *alert.Alert {
	l.t.Helper()
	synctest.Wait()
	all := l.list(alert.Filter{Name: name, Limit: 10})
	if len(all) != 1 {
		l.t.Fatalf("%d alerts %s on record", len(all), name)
	}
	return all[0]
}

func TestRoutesDecideWhatBecomesAnIncident(t *testing.T) {
	for _, tt := range []struct{ labels, withheld string }{
		{`team="data"`, "routes it to data-hook, which opens no incident"},
		{`team="night"`, "muted by the time interval mornings"}, // the bubble's clock begins at midnight
		{`team="both"`, ""},
		{`team="none"`, ""},
	} {
		inLab(t, func(l *lab) {
			l.write("rules.yml", teamRules)
			l.write("alertmanager.yml", twoTeams)
			l.set("slow{"+tt.labels+"}", 1)
			l.start()
			if got := l.one(time.Minute); !strings.Contains(got.Withheld, tt.withheld) || (got.HandedAt == nil) != (tt.withheld != "") {
				t.Errorf("%s: %+v", tt.labels, got)
			}
			if tt.withheld == "" {
				return
			}
			l.write("alertmanager.yml", "route: {receiver: daytwo}\nreceivers: [{name: daytwo}]\n")
			if err := l.alerts.Reload(l.t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := l.one(2 * time.Second); got.HandedAt == nil || l.handed() != 1 {
				t.Errorf("%s, after the route was changed: %+v", tt.labels, got)
			}
		})
	}
}

func TestGroupWaitAndInhibition(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", teamRules)
		l.write("alertmanager.yml", twoTeams)
		l.set(`slow{cluster="eu"}`, 1)
		l.set(`down{cluster="eu"}`, 1)
		l.start()
		time.Sleep(7 * time.Second)
		if got := l.named("Slow"); got.HandedAt != nil {
			t.Errorf("within group_wait: %+v", got)
		}
		time.Sleep(time.Minute)
		if got := l.named("Slow"); got.HandedAt != nil || got.Withheld != `inhibited by Down {cluster="eu"}` {
			t.Errorf("while inhibited: %+v", got)
		}
		if got := l.named("Down"); got.HandedAt == nil {
			t.Errorf("the one that inhibits: %+v", got)
		}
		l.set(`down{cluster="eu"}`, 0)
		time.Sleep(10 * time.Second)
		if got := l.named("Slow"); got.HandedAt == nil || l.handed() != 2 {
			t.Errorf("afterwards: %+v\n%s", got, l.history())
		}
	})
}

// What only informs becomes an incident when somebody wrote so; external labels and relabelling come before the routes.
func TestLabelsAsAlertmanagerSeesThem(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("prometheus.yml", `global: {scrape_interval: 1s, evaluation_interval: 5s, external_labels: {site: lab}}
rule_files: [rules.yml]
alerting: {alert_relabel_configs: [{source_labels: [team], regex: drop, action: drop}, {source_labels: [team], target_label: crew}]}
`)
		l.write("rules.yml", `groups: [{name: g, rules: [{alert: Slow, expr: slow > 0, labels: {severity: info}}]}]`)
		l.write("alertmanager.yml", `route: {receiver: other, routes: [{matchers: [site="lab", crew="a"], receiver: daytwo, group_wait: 0s}]}
receivers: [{name: daytwo}, {name: other}]
`)
		for team, want := range map[string]string{"a": "", "b": "it only informs", "drop": "alert_relabel_configs"} {
			l.set(`slow{team="`+team+`"}`, 1)
			defer func() {
				for _, one := range l.list(alert.Filter{Limit: 10}) {
					if one.Labels["team"] == team && (!strings.Contains(one.Withheld, want) || (want == "") != (one.HandedAt != nil)) {
						t.Errorf("team %s: %q", team, one.Withheld)
					}
				}
			}()
		}
		l.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, body := l.door(http.MethodGet, "/api/v2/alerts", ""); strings.Count(body, `"site":"lab"`) != 2 || strings.Contains(body, `"drop"`) {
			t.Errorf("Alertmanager knows: %s", body)
		}
	})
}

func TestABrokenRoutingKeepsTheOneBefore(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", teamRules)
		l.write("alertmanager.yml", twoTeams)
		l.start()
		time.Sleep(time.Second)
		l.write("alertmanager.yml", strings.Replace(twoTeams, "receiver: data-hook", "receiver: data-hooks", 1))
		err := l.alerts.Reload(l.t.Context())
		if problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "alertmanager.yml:5:") {
			t.Errorf("reload: %v", err)
		}
		if _, body := l.door(http.MethodGet, "/api/v2/status", ""); !strings.Contains(body, "receiver: data-hook\\n") {
			t.Errorf("in force: %s", body)
		}
	})
}

const fromOutside = `[{"labels":{"alertname":"DiskFull","service":"checkout","instance":"a"},"annotations":{"summary":"no room"},"generatorURL":"http://prom/graph"%s}]`

func TestAlertsFromOutside(t *testing.T) {
	inLabs(t, func(l *lab) {
		l.write("rules.yml", "groups: []\n")
		l.start()
		time.Sleep(time.Second)
		post := func(more string) {
			t.Helper()
			if code, body := l.door(http.MethodPost, "/api/v2/alerts", strings.Replace(fromOutside, "%s", more, 1)); code != http.StatusOK {
				t.Fatalf("%d %s", code, body)
			}
		}
		post("")
		one := l.one(0)
		if one.State != alert.Firing || one.Service != "checkout" || one.Source != alert.FromOutside || one.HandedAt == nil || one.Generator != "http://prom/graph" {
			t.Errorf("fired: %+v", one)
		}
		time.Sleep(4 * time.Minute)
		post("")
		if same := l.one(4 * time.Minute); same.ID != one.ID || same.State != alert.Firing {
			t.Errorf("repeated: %+v", same)
		}
		l.restart(10 * time.Minute)
		if same := l.one(4 * time.Minute); same.ID != one.ID || same.State != alert.Firing {
			t.Errorf("right after a restart nothing is over: %+v", same)
		}
		if ended := l.one(2 * time.Minute); ended.State != alert.Resolved || !strings.Contains(ended.Ended, "end that its sender gave") && !strings.Contains(ended.Ended, "resolve_timeout") {
			t.Errorf("not repeated: %+v", ended)
		}
		post(`,"startsAt":"2000-01-01T00:00:00Z","endsAt":"` + time.Now().UTC().Add(time.Hour).Format(time.RFC3339) + `"`)
		time.Sleep(59 * time.Minute)
		if all := l.list(alert.Filter{State: alert.Firing, Limit: 5}); len(all) != 1 || all[0].ID == one.ID {
			t.Errorf("an end of its own: %+v", all)
		}
		time.Sleep(2 * time.Minute)
		if all := l.list(alert.Filter{State: alert.Firing, Limit: 5}); len(all) != 0 {
			t.Errorf("after its end: %+v", all[0])
		}
		post("")
		post(`,"endsAt":"` + time.Now().UTC().Format(time.RFC3339) + `"`)
		if all := l.list(alert.Filter{State: alert.Firing, Limit: 5}); len(all) != 0 || l.handed() != 3 {
			t.Errorf("said to be over: %+v, handed over %d times", all, l.handed())
		}
		before := len(l.list(alert.Filter{Limit: 50}))
		if code, body := l.door(http.MethodPost, "/api/v2/alerts", `[{"labels":{"alertname":"Echo"},"generatorURL":"http://localhost:2020/prometheus/graph?g0.expr=up"}]`); code != http.StatusOK {
			t.Errorf("what set out here: %d %s", code, body)
		}
		if got := len(l.list(alert.Filter{Limit: 50})); got != before {
			t.Errorf("what set out here is recorded again: %d alerts, before %d", got, before)
		}
		if code, body := l.door(http.MethodPost, "/api/v2/alerts", `[{"labels":{}}]`); code != http.StatusBadRequest {
			t.Errorf("without labels: %d %s", code, body)
		}
	})
}

// A Prometheus repeats its alerts each minute and puts their end off by as much. While nobody could hear it, none of them is
// over, for Alertmanager's receivers neither; and the end on disk follows, so that a short stop costs nothing.
func TestAlertsOfAnotherPrometheusOutlastARestart(t *testing.T) {
	inLabs(t, func(l *lab) {
		l.write("rules.yml", "groups: []\n")
		l.start()
		time.Sleep(time.Second) // virtual
		repeat := func(times int) {
			l.t.Helper()
			for range times {
				ends := time.Now().UTC().Add(4 * time.Minute).Format(time.RFC3339)
				if code, body := l.door(http.MethodPost, "/api/v2/alerts", strings.Replace(fromOutside, "%s", `,"endsAt":"`+ends+`"`, 1)); code != http.StatusOK {
					l.t.Fatalf("%d %s", code, body)
				}
				time.Sleep(time.Minute) // virtual
			}
		}
		known := func(when string, want bool) {
			l.t.Helper()
			time.Sleep(time.Second) // virtual
			synctest.Wait()
			if code, body := l.door(http.MethodGet, "/api/v2/alerts?active=true", ""); code != http.StatusOK || strings.Contains(body, "DiskFull") != want {
				l.t.Errorf("%s Alertmanager knows (%d): %s", when, code, body)
			}
		}
		repeat(60)
		var kept int64
		err := l.db.Read(l.t.Context(), func(tx *store.Tx) error {
			rows, err := tx.Query(l.t.Context(), "SELECT expires_at FROM alerts")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if err := rows.Scan(&kept); err != nil {
					return err
				}
			}
			return rows.Err()
		})
		if behind := time.Since(store.FromMicros(kept)); err != nil || behind > 10*time.Minute {
			l.t.Errorf("the end on disk was %s ago (%v)", behind, err)
		}
		l.restart(30 * time.Minute)
		known("right after a restart", true)
		time.Sleep(4 * time.Minute) // virtual: less than resolve_timeout
		known("before its sender could be taken for gone", true)
		repeat(3)
		known("repeated", true)
		time.Sleep(6 * time.Minute) // virtual
		known("when its end has come", false)
		if one := l.one(0); one.State != alert.Resolved {
			l.t.Errorf("%+v", one)
		}
	})
}

// What daytwo adds for its own screens and incidents, receivers and the API of Alertmanager are not told, after a restart neither.
func TestAlertmanagerIsToldWhatWasGiven(t *testing.T) {
	inLabs(t, func(l *lab) {
		l.write("rules.yml", `groups: [{name: g, rules: [{alert: Slow, expr: slow > 0, annotations: {summary: '{{ $value }} s', runbook_url: http://wiki/slow}}]}]`)
		l.set("slow", 1)
		l.start()
		time.Sleep(time.Second) // virtual
		if code, body := l.door(http.MethodPost, "/api/v2/alerts", `[{"labels":{"instance":"a"},"annotations":{"note":"x"}}]`); code != http.StatusOK {
			l.t.Fatalf("%d %s", code, body)
		}
		time.Sleep(time.Minute) // virtual
		look := func(when string) {
			synctest.Wait()
			_, body := l.door(http.MethodGet, "/api/v2/alerts", "")
			for _, want := range []string{`"annotations":{"note":"x"}`, `"annotations":{"runbook_url":"http://wiki/slow","summary":"1 s"}`} {
				if !strings.Contains(body, want) {
					l.t.Errorf("%s Alertmanager knows not %s: %s", when, want, body)
				}
			}
		}
		look("at first")
		if here := l.named("Slow").Annotations; here["title"] != "Slow" || here["runbook"] != "http://wiki/slow" {
			l.t.Errorf("here: %v", here)
		}
		l.restart(time.Second)
		time.Sleep(time.Second) // virtual: before anything is evaluated or repeated
		look("after a restart")
	})
}

// The webhook of an outside Alertmanager says when alerts are over; until then they are not.
func TestTheWebhookOfAnAlertmanager(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", "groups: []\n")
		l.start()
		time.Sleep(time.Second)
		say := func(status string) (int, string) {
			return l.door(http.MethodPost, "/webhook", `{"version":"4","status":"`+status+`","receiver":"daytwo","alerts":[{"status":"`+status+`",
				"labels":{"alertname":"Down","severity":"critical"},"annotations":{},"startsAt":"1999-12-31T23:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom"}]}`)
		}
		if code, body := say("firing"); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
		if one := l.one(24 * time.Hour); one.State != alert.Firing || one.HandedAt == nil {
			t.Errorf("after a day: %+v", one)
		}
		if code, body := say("resolved"); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
		if one := l.one(0); one.State != alert.Resolved || one.Ended != "its sender says that it is over" {
			t.Errorf("over: %+v", one)
		}
		if code, _ := l.door(http.MethodPost, "/webhook", `{"alerts":[]}`); code != http.StatusBadRequest {
			t.Errorf("without alerts: %d", code)
		}
	})
}

func TestWhyAnAlertFires(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", `groups: [{name: g, rules: [{alert: Busy, expr: 'sum by (service) (queue_length) / on () group_left count(queue_length) > 5'}]}]`)
		l.set(queue, 30)
		l.set(`queue_length{service="storefront"}`, 1)
		l.start()
		one := l.one(time.Minute)
		why, err := l.alerts.Why(l.t.Context(), one.ID)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, p := range why.Parts {
			told = append(told, strings.Repeat(" ", p.Depth)+p.Kind)
		}
		if got := strings.Join(told, "\n"); got != "comparison\n /\n  sum\n   selector\n  count\n   selector" {
			t.Errorf("parts:\n%s", got)
		}
		if sum := why.Parts[2]; sum.Count != 2 || !sum.Series[0].Fits || *sum.Series[0].Value != 30 || sum.Series[1].Fits {
			t.Errorf("the sum: %+v", sum)
		}
	})
}
