package alert

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/alert/alertmanager"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/timeline"
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

// RoutingFile is the name of the file that tells who is notified, in an operations directory.
const RoutingFile = alertmanager.FileName

// CheckRouting reports what is wrong with the alertmanager.yml of an operations directory and the files it names, for a server that
// would listen on that address.
func CheckRouting(dir, listen string) []problem.Finding {
	return alertmanager.Check(dir, "http://"+listen)
}

// CheckRoutingFile reports the same of a single file, and is false of one that is no alertmanager.yml.
func CheckRoutingFile(path, listen string) (findings []problem.Finding, is bool) {
	return alertmanager.CheckFile(path, "http://"+listen)
}

// CheckService warns of each rule file with alerts that say nothing of a service: whom they page is then not for the catalog's
// policies to say. path is that of a prometheus.yml; what is wrong with it or its rules is for others to find.
func CheckService(path string, c *catalog.Catalog) []problem.Finding {
	content, err := configfile.Read(path)
	if err != nil {
		return nil
	}
	conf, err := config.Load(string(content), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil
	}
	conf.SetDirectory(filepath.Dir(path))
	files, err := ruleFiles(conf)
	if err != nil {
		return nil
	}
	var findings []problem.Finding
	for _, file := range files {
		promql := parser.NewParser(parser.Options{})
		groups, errs := (&loader{parser: promql, logger: slog.New(slog.DiscardHandler)}).Load(file, false, model.UTF8Validation)
		if len(errs) > 0 {
			continue
		}
		if without, of := withoutService(promql, groups); without > 0 {
			findings = append(findings, unowned(file, without, of, c.WithoutPolicy()))
		}
	}
	return findings
}

// unowned says where alerts without a service go.
func unowned(file string, without, of int, people []string) problem.Finding {
	f := problem.Finding{File: file, Line: 1, Column: 1, Severity: problem.SeverityWarning,
		Mend: "give the rules the label service"}
	goes := "page the last resort: " + strings.Join(people, ", ")
	if len(people) == 0 {
		goes, f.Mend = "open incidents that page nobody", "add last_resort to "+catalog.FileName+", or give the rules the label service"
	}
	f.Message = fmt.Sprintf("%d of %d alerts name no service: unless their series have that label, they %s", without, of, goes)
	return f
}

// withoutService counts the alerts that may page, and those of them whose rule does not mention a service.
func withoutService(promql parser.Parser, groups *rulefmt.RuleGroups) (without, of int) {
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || tone(rule.Labels["severity"]) == timeline.Info {
				continue
			}
			of++
			expr, err := promql.ParseExpr(rule.Expr)
			if rule.Labels["service"] == "" && group.Labels["service"] == "" && err == nil && !mentionsService(expr) {
				without++
			}
		}
	}
	return without, of
}

// mentionsService tells whether an expression selects, keeps or makes the label service.
func mentionsService(expr parser.Expr) (found bool) {
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			found = found || slices.ContainsFunc(n.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == "service" })
		case *parser.AggregateExpr:
			found = found || !n.Without && slices.Contains(n.Grouping, "service")
		case *parser.StringLiteral:
			found = found || n.Val == "service"
		}
		return nil
	})
	return found
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
