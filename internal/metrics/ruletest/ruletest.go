// Package ruletest runs unit tests of rules as promtool does, from the same files
// (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/), and says of each expectation that does not
// hold where it stands.
package ruletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of one test: files of tests are run by whoever checks a directory.
const (
	maxEvaluations = 200_000
	maxRepeats     = 1_000_000 // of one value of a series
)

// file is a test file as written.
type file struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	GroupEvalOrder     []string       `yaml:"group_eval_order"`
	Tests              []test         `yaml:"tests"`
	FuzzyCompare       bool           `yaml:"fuzzy_compare"`

	name string
	root *yaml.Node
}

type test struct {
	Name           string            `yaml:"name"`
	Interval       model.Duration    `yaml:"interval"`
	StartTimestamp string            `yaml:"start_timestamp"`
	InputSeries    []series          `yaml:"input_series"`
	AlertTests     []alertTest       `yaml:"alert_rule_test"`
	ExprTests      []exprTest        `yaml:"promql_expr_test"`
	ExternalLabels map[string]string `yaml:"external_labels"`
	ExternalURL    string            `yaml:"external_url"`
}

type series struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type alertTest struct {
	EvalTime  model.Duration  `yaml:"eval_time"`
	Alertname string          `yaml:"alertname"`
	Expected  []expectedAlert `yaml:"exp_alerts"`
}

type expectedAlert struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

type exprTest struct {
	Expr     string           `yaml:"expr"`
	EvalTime model.Duration   `yaml:"eval_time"`
	Expected []expectedSample `yaml:"exp_samples"`
}

type expectedSample struct {
	Labels    string  `yaml:"labels"`
	Value     float64 `yaml:"value"`
	Histogram string  `yaml:"histogram"`
}

// Is tells whether a YAML text is a file of rule tests: it has tests and nothing that such a file has not. Without
// rule_files only expressions are tested.
func Is(content []byte) bool {
	var keys map[string]yaml.Node
	if yaml.Unmarshal(content, &keys) != nil {
		return false
	}
	for key := range keys {
		if !slices.Contains([]string{"rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"}, key) {
			return false
		}
	}
	return keys["tests"].Kind == yaml.SequenceNode
}

// Run runs the tests of a file. Findings are what the file is wrong in and every expectation that does not hold.
func Run(ctx context.Context, name string) []problem.Finding {
	content, err := configfile.Read(name)
	if err != nil {
		return []problem.Finding{configfile.Finding(name, err)}
	}
	f, err := parse(name, content)
	if err != nil {
		return []problem.Finding{f.finding(nil, "%v", err)}
	}
	rules, findings := f.ruleFiles()
	for i := range f.Tests {
		if ctx.Err() != nil {
			break
		}
		findings = append(findings, f.run(ctx, i, rules)...)
	}
	return findings
}

var atLine = regexp.MustCompile(`(?s)^(?:yaml: )?(?:unmarshal errors:\s+)?line (\d+): (.*)$`)

func parse(name string, content []byte) (*file, error) {
	f := &file{name: name}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return f, err
	}
	if len(document.Content) > 0 {
		f.root = document.Content[0]
	}
	strict := yaml.NewDecoder(bytes.NewReader(content))
	strict.KnownFields(true)
	if err := strict.Decode(f); err != nil {
		return f, err
	}
	if f.EvaluationInterval == 0 {
		f.EvaluationInterval = model.Duration(time.Minute)
	}
	if f.EvaluationInterval < 0 {
		return f, errors.New("evaluation_interval is negative")
	}
	seen := map[string]bool{}
	for _, group := range f.GroupEvalOrder {
		if seen[group] {
			return f, fmt.Errorf("group %q stands twice in group_eval_order", group)
		}
		seen[group] = true
	}
	return f, nil
}

// ruleFiles are the files whose rules are tested, by their paths from the test file.
func (f *file) ruleFiles() (all []string, findings []problem.Finding) {
	for i, pattern := range f.RuleFiles {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(f.name), pattern)
		}
		matches, err := filepath.Glob(pattern)
		if err == nil && len(matches) == 0 {
			err = errors.New("no file matches")
		}
		if err != nil {
			findings = append(findings, f.finding([]any{"rule_files", i}, "rule file %s: %v", pattern, err))
		}
		all = append(all, matches...)
	}
	return all, findings
}

// finding is an error at a place of the file: keys and indexes from its top. A line in the message counts first.
func (f *file) finding(path []any, message string, args ...any) problem.Finding {
	out := problem.Finding{File: f.name, Line: 1, Column: 1, Message: fmt.Sprintf(message, args...), Severity: problem.SeverityError}
	at := f.root
	for _, step := range path {
		next := child(at, step)
		if next == nil {
			break
		}
		at = next
	}
	if at != nil {
		out.Line, out.Column = at.Line, at.Column
	}
	if m := atLine.FindStringSubmatch(out.Message); m != nil {
		out.Line, _ = strconv.Atoi(m[1]) // it matched digits
		out.Column, out.Message = 1, m[2]
	}
	return out
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case string:
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	case int:
		if n != nil && n.Kind == yaml.SequenceNode && step < len(n.Content) {
			return n.Content[step]
		}
	}
	return nil
}

// start is the time at which the series of a test begin.
func (t *test) start() (time.Time, error) {
	if t.StartTimestamp == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	if seconds, err := strconv.ParseFloat(t.StartTimestamp, 64); err == nil {
		return time.UnixMilli(int64(seconds * 1000)).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339Nano, t.StartTimestamp)
	if err != nil {
		return at, fmt.Errorf("start_timestamp %q is neither RFC 3339 nor Unix seconds", t.StartTimestamp)
	}
	return at.UTC(), nil
}

// end is how long after the start the last expectation is.
func (t *test) end() (last time.Duration) {
	for _, a := range t.AlertTests {
		last = max(last, time.Duration(a.EvalTime))
	}
	for _, e := range t.ExprTests {
		last = max(last, time.Duration(e.EvalTime))
	}
	return last
}
