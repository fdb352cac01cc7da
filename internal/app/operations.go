package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/metrics"
	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// operations is an operations directory that was read and found without error.
type operations struct {
	dir        string
	catalog    *catalog.Catalog
	prometheus string // path of prometheus.yml, which may not exist
	workloads  []orchestrate.Manifest
}

// readOperations reads dir as the server does at start and at reload; an empty
// dir is an empty operations directory.
func readOperations(dir, listen string) (operations, error) {
	if dir == "" {
		return operations{catalog: new(catalog.Catalog)}, nil
	}
	ops, findings, err := inspect(dir, listen)
	if err != nil {
		return ops, err
	}
	if problem.Broken(findings) {
		var lines []string
		for _, f := range findings {
			if f.Severity == problem.SeverityError {
				lines = append(lines, f.String())
			}
		}
		return ops, problem.New(problem.Invalid, "the operations directory has errors:\n%s", strings.Join(lines, "\n")).
			WithMend("daytwo check %s", dir)
	}
	return ops, nil
}

// Check reads an operations directory without running anything and says what
// there is to say about it, for a server that would listen on that address; the
// unit tests of rules in it are run. A single file may be a prometheus.yml, an
// alertmanager.yml, a file of rules, or one of tests of rules.
func Check(ctx context.Context, path, listen string) ([]problem.Finding, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		if findings, is := alert.CheckRoutingFile(path, listen); is {
			return findings, nil
		}
		return metrics.CheckFile(ctx, path, selfURL(listen)), nil
	}
	_, findings, err := inspect(path, listen)
	if err == nil {
		findings = append(findings, metrics.TestRules(ctx, path)...)
		problem.SortFindings(findings)
	}
	return findings, err
}

// inspect reads every file of dir and what they say of each other. The error is
// for a directory that cannot be read at all.
func inspect(dir, listen string) (operations, []problem.Finding, error) {
	ops := operations{dir: dir, prometheus: filepath.Join(dir, "prometheus.yml")}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ops, nil, problem.New(problem.Invalid, "%s is not a directory that can be read: %w", dir, reason(err)).
			WithField("config").WithMend("give the directory that holds daytwo.yml")
	}
	var findings []problem.Finding
	ops.catalog, findings = catalog.Load(dir)
	findings = append(findings, alert.Check(filepath.Join(dir, catalog.FileName), ops.catalog)...)
	findings = append(findings, metrics.Check(ops.prometheus, selfURL(listen))...)
	findings = append(findings, alert.CheckRouting(dir, listen)...)
	findings = append(findings, alert.CheckService(ops.prometheus, ops.catalog)...)
	findings = append(findings, logs.CheckPipelines(dir)...)
	findings = append(findings, misnamed(dir)...)
	manifests, found := orchestrate.ReadDir(filepath.Join(dir, "workloads"))
	ops.workloads = manifests
	findings = append(findings, found...)
	for _, m := range manifests {
		if _, known := ops.catalog.Service(m.Service); !known {
			findings = append(findings, problem.Finding{
				File: filepath.Join(dir, "workloads"), Severity: problem.SeverityWarning,
				Message: fmt.Sprintf("workload %q belongs to service %q, which is not in %s", m.Name, m.Service, catalog.FileName),
				Mend:    "add the service, or set the label app.kubernetes.io/name to one that is there",
			})
		}
	}
	problem.SortFindings(findings)
	return ops, findings, nil
}

// misnamed finds files that somebody thinks are read.
func misnamed(dir string) (findings []problem.Finding) {
	for _, read := range []string{catalog.FileName, "prometheus.yml", alert.RoutingFile} {
		name := filepath.Join(dir, strings.TrimSuffix(read, ".yml")+".yaml")
		if _, err := os.Lstat(name); err != nil {
			continue
		}
		f := problem.Finding{File: name, Severity: problem.SeverityError, Message: "this file is not read", Mend: "rename it " + read}
		if _, err := os.Lstat(filepath.Join(dir, read)); err == nil {
			f.Severity, f.Message, f.Mend = problem.SeverityWarning, f.Message+", "+read+" beside it is", "remove one of them"
		}
		findings = append(findings, f)
	}
	return findings
}

func reason(err error) error {
	if p := new(os.PathError); errors.As(err, &p) {
		return p.Err
	}
	if err == nil {
		return errors.New("it is a file")
	}
	return err
}
