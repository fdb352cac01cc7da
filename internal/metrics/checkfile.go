package metrics

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/config"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/metrics/ruletest"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// TestRules runs every file of rule tests below a directory and returns what does not hold. Hidden folders are left out.
func TestRules(ctx context.Context, dir string) (findings []problem.Finding) {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error { // what cannot be read is for others to say
		hidden := strings.HasPrefix(entry.Name(), ".") && path != dir
		switch {
		case err != nil || ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir() && (hidden || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.IsDir() || hidden || !entry.Type().IsRegular() || !slices.Contains([]string{".yml", ".yaml"}, filepath.Ext(path)):
			return nil
		}
		if content, err := configfile.Read(path); err == nil && ruletest.Is(content) {
			findings = append(findings, ruletest.Run(ctx, path)...)
		}
		return nil
	})
	return findings
}

// CheckFile checks one file by what it holds: tests of rules are run, rules and a prometheus.yml are checked. self is
// Config.Self.
func CheckFile(ctx context.Context, path, self string) []problem.Finding {
	content, err := configfile.Read(path)
	if err != nil {
		return []problem.Finding{configfile.Finding(path, err)}
	}
	var keys map[string]yaml.Node
	_ = yaml.Unmarshal(content, &keys) // a file that does not parse is a prometheus.yml, whose check says so
	_, groups := keys["groups"]
	_, tests := keys["tests"]
	switch {
	case tests:
		return ruletest.Run(ctx, path)
	case groups || document{path, content}.operators() != nil:
		return checkRuleFile(path, &config.DefaultConfig)
	}
	return Check(path, self)
}
