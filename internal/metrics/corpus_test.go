package metrics_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/metrics"
	"github.com/daytwo-dev/daytwo/internal/metrics/ruletest"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Public rule files load as they stand.
func TestPublicRules(t *testing.T) {
	files, err := filepath.Glob("testdata/public/*.y*ml")
	if err != nil || len(files) != 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if found := metrics.CheckFile(t.Context(), file, ""); problem.Broken(found) {
			t.Errorf("%s: %v", file, found)
		}
	}
}

// Public rule files and their unit tests get the verdict that promtool gives them. DAYTWO_CORPUS holds checkouts of any
// repositories, as owner/name; where promtool is not built, every file of rules must load.
func TestCorpusRules(t *testing.T) {
	corpus := os.Getenv("DAYTWO_CORPUS")
	if corpus == "" {
		t.Skip("no public repositories: set DAYTWO_CORPUS to a folder of checkouts, owner/name")
	}
	promtool, err := filepath.Abs("../../.cache/promtool")
	if err == nil {
		_, err = os.Stat(promtool)
	}
	judged := err == nil
	counted := map[string]int{}
	err = filepath.WalkDir(corpus, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !slices.Contains([]string{".yml", ".yaml"}, filepath.Ext(path)) {
			return err
		}
		content, err := os.ReadFile(path)
		var keys map[string]yaml.Node
		if err != nil || yaml.Unmarshal(content, &keys) != nil {
			return err
		}
		what := "test"
		if groups, ok := keys["groups"]; ok && groups.Kind == yaml.SequenceNode {
			what = "check"
		} else if !ruletest.Is(content) {
			return nil
		}
		findings := metrics.CheckFile(t.Context(), path, "")
		ours := !problem.Broken(findings)
		theirs, said := true, ""
		if judged {
			args := map[string][]string{"check": {"check", "rules", "--lint=none"}, "test": {"test", "rules"}}[what]
			out, err := exec.CommandContext(t.Context(), promtool, append(args, path)...).CombinedOutput()
			theirs, said = err == nil, string(out)
		}
		counted[what]++
		if ours {
			counted[what+" good"]++
		}
		if ours != theirs && (judged || what == "check") {
			t.Errorf("%s: ours %v, promtool's %v\n%v\n%s", path, ours, theirs, findings, strings.TrimSpace(said))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("judged by promtool: %v; files of rules: %d, %d of them good; files of tests: %d, %d of them hold",
		judged, counted["check"], counted["check good"], counted["test"], counted["test good"])
}
