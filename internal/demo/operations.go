package demo

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/examples/shop"
)

//go:embed operations/daytwo.yml operations/prometheus.yml
var operations embed.FS

// manifests are the shop's workloads.
type manifests struct {
	names []string // of the workloads
	bad   string   // checkout, in its bad version
}

// writeOperations fills dir with the operations directory of the shop: the
// files a team would keep in git, with this machine's paths put in. The turns
// of the schedules change a week after the day before began, so that nobody
// takes over while the story is told.
func writeOperations(dir, base string, began time.Time) (manifests, error) {
	var m manifests
	self, err := linkSelf(filepath.Dir(dir))
	if err != nil {
		return m, err
	}
	fill := strings.NewReplacer("${DAYTWO}", self, "${BASE}", base, "${DATA}", filepath.Join(filepath.Dir(dir), "shop"),
		"${HANDOFF}", began.UTC().AddDate(0, 0, -1).Format(time.DateOnly)+" 09:00").Replace
	for name, from := range map[string]fs.FS{"operations": operations, "workloads": shop.Workloads} {
		files, err := fs.Glob(from, name+"/*")
		if err != nil {
			return m, err
		}
		for _, file := range files {
			data, err := fs.ReadFile(from, file)
			if err != nil {
				return m, err
			}
			to := filepath.Join(dir, strings.TrimPrefix(file, "operations/"))
			if err := write(to, fill(string(data))); err != nil {
				return m, err
			}
			if name == "workloads" {
				m.names = append(m.names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
			}
			if filepath.Base(file) == "checkout.yaml" {
				m.bad = strings.NewReplacer("version: v1", "version: v2", "value: v1", "value: v2").Replace(fill(string(data)))
			}
		}
	}
	return m, nil
}

// linkSelf makes a name for this program that stays the same from one start to
// the next, as `go run` does not: a manifest whose command changed would be a
// new revision.
func linkSelf(dir string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	link, err := filepath.Abs(filepath.Join(dir, "daytwo"))
	if err != nil {
		return "", err
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return link, os.Symlink(self, link)
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("operations directory: %w", err)
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
