package ruletest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/metrics/ruletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const rulesFile = `groups:
  - name: second
    rules:
      - record: job:up:double
        expr: job:up:sum * 2
  - name: first
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: job:up:sum == 0
        for: 5m
        labels: {severity: page}
        annotations: {summary: '{{ $labels.job }} is down on {{ $externalLabels.cluster }}, see {{ $externalURL }}'}
`

const good = `rule_files: [rules.yml]
evaluation_interval: 1m
group_eval_order: [first, second]
fuzzy_compare: true
tests:
  - name: an outage
    interval: 1m
    external_labels: {cluster: one}
    external_url: http://here
    input_series:
      - {series: 'up{job="a",instance="1"}', values: 1x4 0x10}
      - {series: 'up{job="b",instance="1"}', values: 1 _ 1 stale 1+0x20}
      - {series: 'h{job="a"}', values: '{{schema:0 count:2 sum:3 buckets:[1 1]}}x20'}
    alert_rule_test:
      - {eval_time: 6m, alertname: Down}
      - eval_time: 10m30s
        alertname: Down
        exp_alerts:
          - exp_labels: {job: a, severity: page}
            exp_annotations: {summary: 'a is down on one, see http://here'}
    promql_expr_test:
      - {expr: 'job:up:double{job="b"}', eval_time: 5m, exp_samples: [{labels: 'job:up:double{job="b"}', value: 2}]}
      - {expr: h, eval_time: 0s, exp_samples: [{labels: 'h{job="a"}', histogram: '{{schema:0 count:2 sum:3 buckets:[1 1]}}'}]}
      - {expr: 'ALERTS{alertstate="firing"}', eval_time: 12m, exp_samples: [{labels: 'ALERTS{alertname="Down",alertstate="firing",job="a",severity="page"}', value: 1}]}
      - {expr: time(), eval_time: 1m, exp_samples: [{labels: '{}', value: 60}]}
  - start_timestamp: 2020-01-01T00:00:00Z
    input_series: [{series: up, values: 7x3}]
    promql_expr_test: [{expr: time(), eval_time: 0s, exp_samples: [{labels: '{}', value: 1577836800}]}]
`

func check(t *testing.T, test string) (findings []string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"rules.yml": rulesFile, "test.yml": test} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range ruletest.Run(t.Context(), filepath.Join(dir, "test.yml")) {
		findings = append(findings, strings.ReplaceAll(f.String(), dir+"/", ""))
	}
	return findings
}

func TestRun(t *testing.T) {
	if !ruletest.Is([]byte(good)) || ruletest.Is([]byte(rulesFile)) || ruletest.Is([]byte("rule_files: []\nscrape_configs: []")) {
		t.Error("test files are not told from others")
	}
	if got := check(t, good); len(got) > 0 {
		t.Errorf("a file that holds: %v", got)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"an alert that does not fire", "eval_time: 10m30s", "eval_time: 9m", `test.yml:16:9: an outage: alert Down at 9m: expected {alertname="Down", job="a", severity="page"} {summary="a is down on one, see http://here"}, got none`},
		{"an alert nobody expects", "eval_time: 6m,", "eval_time: 11m,", `test.yml:15:9: an outage: alert Down at 11m: expected none, got {alertname="Down"`},
		{"another annotation", "down on one", "down on two", "test.yml:16:9: an outage: alert Down"},
		{"another value", "value: 2}", "value: 3}", `test.yml:22:9: an outage: job:up:double{job="b"} at 5m: expected [{__name__="job:up:double", job="b"} 3], got [{__name__="job:up:double", job="b"} 2]`},
		{"another histogram", "histogram: '{{schema:0 count:2", "histogram: '{{schema:0 count:5", "test.yml:23:9:"},
		{"PromQL that is none", "expr: time(), eval_time: 1m", "expr: time((, eval_time: 1m", "test.yml:25:9: an outage: time(( at 1m"},
		{"a field that is none", "fuzzy_compare: true", "fuzzy: true", "test.yml:4:1: field fuzzy not found"},
		{"values that are none", "1x4 0x10", "1x4 0x", "test.yml:11:9: "},
		{"values without end", "1x4 0x10", "1x99999999999", "test.yml:11:9: x99999999999 repeats a value more than"},
		{"a test without end", "eval_time: 12m", "eval_time: 100y", "test.yml:6:5: the rules would be evaluated"},
		{"a rule file that is none", "[rules.yml]", "[absent.yml]", "test.yml:1:14: rule file"},
		{"no name", "alertname: Down}", "alertname: ''}", "needs an alertname"},
		{"a group twice", "[first, second]", "[first, first]", `test.yml:1:1: group "first" stands twice`},
		{"a time that is none", "2020-01-01T00:00:00Z", "soon", "test.yml:26:22: start_timestamp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("%q is not in the file", c.old)
			}
			got := check(t, strings.Replace(good, c.old, c.new, 1))
			if len(got) == 0 || !strings.Contains(got[0], c.want) {
				t.Errorf("findings %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzRun(f *testing.F) {
	for _, seed := range []string{"", good, "tests: [{input_series: [{series: a, values: 1x3}]}]", "rule_files: 5", "tests: [{interval: 1m, promql_expr_test: [{expr: a, eval_time: 1m}]}]"} {
		f.Add(seed)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		name := filepath.Join(dir, "test.yml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ruletest.Is([]byte(text))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for _, finding := range ruletest.Run(ctx, name) {
			if finding.File == "" || finding.Message == "" {
				t.Errorf("incomplete finding %+v", finding)
			}
		}
	})
}

// A file need not name rules, and its tests may reach as far as a duration does.
func TestTheEdges(t *testing.T) {
	for name, text := range map[string]string{
		"without rules": "tests: [{interval: 1m, input_series: [{series: up, values: 1x3}], promql_expr_test: [{expr: up, eval_time: 1m, exp_samples: [{labels: up, value: 1}]}]}]\n",
		"until 2262": `rule_files: [rules.yml]
evaluation_interval: 100d
tests:
  - interval: 100d
    input_series: [{series: test, values: 0+1x1067}]
    promql_expr_test:
      - {expr: timestamp(test), eval_time: 106700d, exp_samples: [{value: 9218880000}]}
      - {expr: always, eval_time: 106700d, exp_samples: [{labels: always, value: 1}]}
`,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "tests.yml")
		rules := os.WriteFile(filepath.Join(dir, "rules.yml"), []byte("groups: [{name: g, rules: [{record: always, expr: vector(1)}]}]\n"), 0o600)
		if err := errors.Join(rules, os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		if findings := ruletest.Run(t.Context(), path); !ruletest.Is([]byte(text)) || len(findings) > 0 {
			t.Errorf("%s: %v", name, findings)
		}
	}
}
