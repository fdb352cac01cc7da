package alert_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const queueRules = `groups:
  - name: queue
    rules:
      - alert: QueueLong
        expr: queue_length > 10
        for: 10s
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.service }} has {{ $value }} waiting"
          runbook_url: https://example.com/queue
`

const queue = `queue_length{service="checkout"}`

const wholeStory = `alert fired checkout: QueueLong (critical)
alert resolved checkout: Resolved: QueueLong (good)
`

func TestAnAlertFromFirstToLast(t *testing.T) {
	inLabs(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.set(queue, 20)
		l.start()
		fired := l.one(30 * time.Second)
		if fired.State != alert.Firing || fired.Service != "checkout" || fired.Severity != "critical" || fired.Source != alert.FromRule {
			t.Errorf("fired: %+v", fired)
		}
		if fired.Annotations["runbook"] != "https://example.com/queue" || *fired.Value != 20 || fired.Expr != "queue_length > 10" {
			t.Errorf("fired: %+v", fired)
		}
		l.set(queue, 30)
		if same := l.one(10 * time.Second); same.ID != fired.ID || *same.Value != 30 || same.Annotations["summary"] != "checkout has 30 waiting" {
			t.Errorf("while firing: %+v", same)
		}
		l.set(queue, 5)
		ended := l.one(time.Minute)
		if ended.ID != fired.ID || ended.State != alert.Resolved || ended.EndsAt == nil || !ended.EndsAt.After(ended.StartsAt) {
			t.Errorf("ended: %+v", ended)
		}
		if got := l.history(); got != wholeStory {
			t.Errorf("timeline:\n%swant:\n%s", got, wholeStory)
		}
		again := ended
		l.set(queue, 50)
		time.Sleep(time.Minute)
		if all := l.list(alert.Filter{State: alert.Firing, Limit: 10}); len(all) != 1 || all[0].ID == again.ID || all[0].Fingerprint != again.Fingerprint {
			t.Errorf("fired again: %+v", all)
		}
	})
}

func TestAFiringAlertOutlivesRestarts(t *testing.T) {
	inLabs(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.set(queue, 20)
		l.start()
		fired := l.one(30 * time.Second)
		for range 3 {
			l.restart(10 * time.Second)
			if len(l.alerts.Firing()) != 1 {
				t.Error("the alert is not firing right after the start")
			}
			if same := l.one(2 * time.Minute); same.ID != fired.ID || same.State != alert.Firing {
				t.Errorf("after a restart: %+v", same)
			}
		}
		if got := strings.Count(l.history(), "\n"); got != 1 {
			t.Errorf("timeline:\n%s", l.history())
		}
	})
}

func TestAnAlertThatEndedMeanwhileIsResolvedOnceTargetsAreScraped(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.set(queue, 20)
		l.start()
		l.one(30 * time.Second)
		l.stop()
		l.set(queue, 0)
		time.Sleep(time.Hour)
		l.start()
		if early := l.one(25 * time.Second); early.State != alert.Firing {
			t.Errorf("before two scrapes and 30 s: %+v", early)
		}
		if ended := l.one(10 * time.Second); ended.State != alert.Resolved {
			t.Errorf("afterwards: %+v", ended)
		}
	})
}

func TestAFailedEvaluationResolvesNothing(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.set(queue, 20)
		l.start()
		l.one(time.Minute)
		l.breakQueries(true)
		l.set(queue, 0)
		if during := l.one(time.Hour); during.State != alert.Firing {
			t.Errorf("while queries fail: %+v", during)
		}
		l.breakQueries(false)
		if after := l.one(10 * time.Second); after.State != alert.Resolved {
			t.Errorf("after a query succeeded: %+v", after)
		}
	})
}

func TestKeepFiringForSurvivesARestart(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", strings.Replace(queueRules, "for: 10s", "keep_firing_for: 10m", 1))
		l.set(queue, 20)
		l.start()
		l.one(30 * time.Second)
		l.set(queue, 0)
		time.Sleep(time.Minute)
		l.restart(time.Second)
		if kept := l.one(9 * time.Minute); kept.State != alert.Firing {
			t.Errorf("within keep_firing_for: %+v", kept)
		}
		if ended := l.one(2 * time.Minute); ended.State != alert.Resolved {
			t.Errorf("afterwards: %+v", ended)
		}
	})
}

func TestRulesThatAreAlikeDoNotEndEachOthersAlerts(t *testing.T) {
	const rule = "      - {alert: Long, expr: 'queue_length > %', labels: {severity: critical}}\n"
	group := "groups:\n  - name: g\n    rules:\n" +
		strings.Replace(rule, "%", "100", 1) + strings.Replace(rule, "%", "10", 1) + strings.Replace(rule, "%", "1000", 1)
	inLab(t, func(l *lab) {
		l.write("rules.yml", group)
		l.set(queue, 20)
		l.start()
		if one := l.one(10 * time.Minute); one.State != alert.Firing || one.Expr != "queue_length > 10" {
			t.Errorf("%+v", one)
		}
	})
}

func TestReload(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.set(queue, 20)
		l.start()
		fired := l.one(30 * time.Second)
		l.write("rules.yml", strings.Replace(queueRules, "> 10", "> > 10", 1))
		if err := l.alerts.Reload(l.t.Context()); problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "rules.yml: 5:15") {
			t.Errorf("broken rules: %v", err)
		}
		if same := l.one(time.Minute); same.State != alert.Firing {
			t.Errorf("after a refused reload: %+v", same)
		}
		l.write("rules.yml", strings.Replace(queueRules, "> 10", "> 15", 1))
		if err := l.alerts.Reload(l.t.Context()); err != nil {
			t.Fatal(err)
		}
		if same := l.one(time.Minute); same.State != alert.Firing || same.ID != fired.ID {
			t.Errorf("after the expression was edited: %+v", same)
		}
		l.write("rules.yml", "groups: []\n")
		if err := l.alerts.Reload(l.t.Context()); err != nil {
			t.Fatal(err)
		}
		if gone := l.one(0); gone.State != alert.Resolved || gone.Ended != "its rule was removed" {
			t.Errorf("after the rule was removed: %+v", gone)
		}
	})
}

func TestValuesThatAreNotNumbers(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", "groups: [{name: g, rules: [{alert: Odd, expr: 'odd != 0'}]}]\n")
		l.set(`odd{service="a"}`, math.NaN())
		l.start()
		one := l.one(time.Minute)
		if one.Value != nil || one.Severity != "warning" || one.Annotations["summary"] != "Odd" {
			t.Errorf("%+v", one)
		}
		l.restart(0)
		if one := l.one(time.Minute); one.Value != nil {
			t.Errorf("after a restart: %+v", one)
		}
	})
}

func TestStartStop(t *testing.T) {
	inLab(t, func(l *lab) {
		l.write("rules.yml", queueRules)
		l.start()
		for range 20 {
			l.restart(time.Second)
		}
	})
}
