package alert

import (
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/catalog"
)

// Check reports the expressions of a catalog that are not PromQL, each at its place in the file the catalog was read from.
func Check(file string, c *catalog.Catalog) []catalog.Finding {
	promql := parser.NewParser(parser.Options{})
	var findings []catalog.Finding
	check := func(written, expr, what, service string) {
		if _, err := promql.ParseExpr(expr); err != nil {
			line, column := find(file, written)
			findings = append(findings, catalog.Finding{
				File: file, Line: line, Column: column, Severity: catalog.SeverityError,
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

// find is where a text stands in a YAML file, or its first line.
func find(file, text string) (line, column int) {
	content, err := os.ReadFile(file)
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
