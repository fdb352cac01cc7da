package alert

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Check reports the expressions of a catalog that are not PromQL, each at its place in the file the catalog was read from.
func Check(file string, c *catalog.Catalog) []problem.Finding {
	promql := parser.NewParser(parser.Options{})
	var findings []problem.Finding
	check := func(written, expr, what, service string) {
		if _, err := promql.ParseExpr(expr); err != nil {
			line, column := find(file, written)
			findings = append(findings, problem.Finding{
				File: file, Line: line, Column: column, Severity: problem.SeverityError,
				Message: fmt.Sprintf("%s of service %q is not PromQL: %v", what, service, err),
			})
		}
	}
	for _, s := range c.Services {
		check(s.Signals.Traffic, s.Signals.Traffic, "the traffic signal", s.Name)
		check(s.Signals.Errors, s.Signals.Errors, "the errors signal", s.Name)
		check(s.Signals.LatencyP99, s.Signals.LatencyP99, "the latency_p99 signal", s.Name)
		for _, slo := range s.SLOs {
			check(slo.Good, catalog.Over(slo.Good, slo.Window), fmt.Sprintf("good of SLO %q", slo.Name), s.Name)
			check(slo.Total, catalog.Over(slo.Total, slo.Window), fmt.Sprintf("total of SLO %q", slo.Name), s.Name)
		}
	}
	return findings
}

// checkObjectives refuses a catalog in force whose objectives cannot become rules.
func checkObjectives(c Config) error {
	var bad []error
	for _, f := range Check(filepath.Join(c.Dir, catalog.FileName), c.Catalog.Current()) {
		bad = append(bad, errors.New(f.String()))
	}
	if len(bad) == 0 {
		return nil
	}
	return problem.New(problem.Invalid, "%w", errors.Join(bad...)).WithMend("correct the expressions; daytwo check shows every finding")
}

// find is where a text stands in a YAML file, or its first line.
func find(file, text string) (line, column int) {
	content, err := configfile.Read(file)
	var root yaml.Node
	if err != nil || yaml.Unmarshal(content, &root) != nil {
		return 1, 1
	}
	line, column = 1, 1
	var descend func(*yaml.Node)
	descend = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) == strings.TrimSpace(text) {
			line, column = n.Line, n.Column
		}
		for _, child := range n.Content {
			descend(child)
		}
	}
	descend(&root)
	return line, column
}
