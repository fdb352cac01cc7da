package ruletest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// run runs the test with a number.
func (f *file) run(ctx context.Context, number int, ruleFiles []string) []problem.Finding {
	t := &f.Tests[number]
	if t.Interval == 0 {
		t.Interval = f.EvaluationInterval
	}
	begin, err := t.start()
	if err != nil {
		return []problem.Finding{f.finding([]any{"tests", number, "start_timestamp"}, "%v", err)}
	}
	every := time.Duration(f.EvaluationInterval)
	if n := t.end() / every; n > maxEvaluations || t.Interval < 0 {
		return []problem.Finding{f.finding([]any{"tests", number}, "the rules would be evaluated %d times, at most %d are done", n, maxEvaluations)}
	}
	lab, err := newLaboratory(t, begin, every)
	if err != nil {
		path := []any{"tests", number}
		if at, ok := errors.AsType[*atSeries](err); ok {
			path = append(path, "input_series", at.number)
		}
		return []problem.Finding{f.finding(path, "%v", err)}
	}
	r := &running{file: f, test: t, number: number, lab: lab, begin: begin, every: every}
	err = r.loadGroups(ctx, ruleFiles)
	if err == nil {
		err = r.evaluate(ctx)
	}
	if err == nil {
		r.checkExprs(ctx)
	}
	if err := errors.Join(err, lab.close()); err != nil {
		r.findings = append(r.findings, f.finding([]any{"tests", number}, "%s%v", r.called(), err))
	}
	return r.findings
}

// running is one test on its way.
type running struct {
	*file
	test     *test
	number   int
	lab      *laboratory
	begin    time.Time
	every    time.Duration
	groups   []*rules.Group
	findings []problem.Finding
}

func (r *running) called() string {
	if r.test.Name == "" {
		return ""
	}
	return r.test.Name + ": "
}

func (r *running) fail(path []any, message string, args ...any) {
	path = append([]any{"tests", r.number}, path...)
	r.findings = append(r.findings, r.finding(path, "%s%s", r.called(), fmt.Sprintf(message, args...)))
}

// loadGroups reads the rules, in the order that the file asks for.
func (r *running) loadGroups(ctx context.Context, files []string) error {
	manager := rules.NewManager(&rules.ManagerOptions{
		Context: ctx, QueryFunc: rules.EngineQueryFunc(r.lab.engine, r.lab.db), AppendableV2: r.lab.db, Queryable: r.lab.db,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Logger: promslog.NewNopLogger(), Parser: r.lab.parser,
		NameValidationScheme: model.UTF8Validation,
	})
	byName, errs := manager.LoadGroups(time.Duration(r.test.Interval), labels.FromMap(r.test.ExternalLabels), r.test.ExternalURL, nil, false, files...)
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	place := map[string]int{}
	for i, name := range r.GroupEvalOrder {
		place[name] = i
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		r.groups = append(r.groups, byName[name])
	}
	slices.SortStableFunc(r.groups, func(a, b *rules.Group) int { return cmp.Compare(place[a.Name()], place[b.Name()]) })
	for _, alert := range r.alertingRules() {
		alert.SetRestored(true) // without that no ALERTS are written
	}
	return nil
}

func (r *running) alertingRules() (all []*rules.AlertingRule) {
	for _, group := range r.groups {
		for _, rule := range group.Rules() {
			if alert, ok := rule.(*rules.AlertingRule); ok {
				all = append(all, alert)
			}
		}
	}
	return all
}

// evaluate lets time go by. An expectation is compared with the last evaluation that is not after it.
func (r *running) evaluate(ctx context.Context) error {
	order := make([]int, len(r.test.AlertTests))
	for i := range order {
		order[i] = i
		if r.test.AlertTests[i].Alertname == "" {
			r.fail([]any{"alert_rule_test", i}, "an alert_rule_test needs an alertname")
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(r.test.AlertTests[a].EvalTime, r.test.AlertTests[b].EvalTime)
	})
	for n := range r.test.end()/r.every + 1 { // counted: beyond the last a duration may overflow
		at := n * r.every
		if err := ctx.Err(); err != nil {
			return err
		}
		now := r.begin.Add(at)
		if err := r.lab.fill(ctx, now); err != nil {
			return err
		}
		for _, group := range r.groups {
			group.Eval(ctx, now)
			for _, rule := range group.Rules() {
				if err := rule.LastError(); err != nil {
					return fmt.Errorf("rule %s at %s: %w", rule.Name(), model.Duration(at), err)
				}
			}
		}
		for len(order) > 0 && time.Duration(r.test.AlertTests[order[0]].EvalTime)-at < r.every {
			r.checkAlerts(order[0])
			order = order[1:]
		}
	}
	return nil
}

func (r *running) checkAlerts(number int) {
	want := r.test.AlertTests[number]
	var got, expected []string
	for _, rule := range r.alertingRules() {
		if rule.Name() != want.Alertname {
			continue
		}
		for _, alert := range rule.ActiveAlerts() {
			if alert.State == rules.StateFiring {
				got = append(got, alert.Labels.String()+" "+alert.Annotations.String())
			}
		}
	}
	for _, one := range want.Expected {
		set := map[string]string{}
		maps.Copy(set, one.Labels)
		set[labels.AlertName] = want.Alertname
		expected = append(expected, labels.FromMap(set).String()+" "+labels.FromMap(one.Annotations).String())
	}
	slices.Sort(got)
	slices.Sort(expected)
	if !slices.Equal(got, expected) {
		r.fail([]any{"alert_rule_test", number}, "alert %s at %s: expected %s, got %s", want.Alertname, want.EvalTime, list(expected), list(got))
	}
}

func list(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// sampleOf is one sample to compare.
type sampleOf struct {
	labels    labels.Labels
	value     float64
	histogram string
}

func (s sampleOf) String() string {
	if s.histogram != "" {
		return s.labels.String() + " " + s.histogram
	}
	return fmt.Sprintf("%s %v", s.labels, s.value)
}

func (r *running) checkExprs(ctx context.Context) {
	for i, want := range r.test.ExprTests {
		expected, err := r.expected(want)
		if err != nil {
			r.fail([]any{"promql_expr_test", i}, "%v", err)
			continue
		}
		vector, err := r.lab.query(ctx, want.Expr, r.begin.Add(time.Duration(want.EvalTime)))
		if err != nil {
			r.fail([]any{"promql_expr_test", i}, "%s at %s: %v", want.Expr, want.EvalTime, err)
			continue
		}
		var got []sampleOf
		for _, s := range vector {
			one := sampleOf{labels: s.Metric, value: s.F}
			if s.H != nil {
				one.histogram = s.H.TestExpression()
			}
			got = append(got, one)
		}
		for _, all := range [][]sampleOf{expected, got} {
			slices.SortStableFunc(all, func(a, b sampleOf) int { return labels.Compare(a.labels, b.labels) })
		}
		if !slices.EqualFunc(expected, got, r.alike) {
			r.fail([]any{"promql_expr_test", i}, "%s at %s: expected %v, got %v", want.Expr, want.EvalTime, expected, got)
		}
	}
}

func (r *running) alike(a, b sampleOf) bool {
	same := a.value == b.value
	if r.FuzzyCompare {
		same = same || math.Nextafter(a.value, math.Inf(-1)) == b.value || math.Nextafter(a.value, math.Inf(1)) == b.value
	}
	return labels.Equal(a.labels, b.labels) && a.histogram == b.histogram && same
}

func (r *running) expected(want exprTest) (all []sampleOf, err error) {
	for _, s := range want.Expected {
		one := sampleOf{value: s.Value}
		if one.labels, err = r.lab.parser.ParseMetric(s.Labels); err != nil {
			return nil, fmt.Errorf("labels %q: %w", s.Labels, err)
		}
		if s.Histogram != "" {
			_, values, err := r.lab.parser.ParseSeriesDesc("{} " + s.Histogram)
			if err != nil || len(values) != 1 || values[0].Histogram == nil {
				return nil, fmt.Errorf("histogram %q is not one histogram: %w", s.Histogram, cmp.Or(err, errors.New("give one")))
			}
			one.histogram, one.value = values[0].Histogram.TestExpression(), 0
		}
		all = append(all, one)
	}
	return all, nil
}
