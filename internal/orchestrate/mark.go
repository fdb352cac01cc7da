package orchestrate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mark tells the processes that a workload has started, wherever they have
// hidden, from all others: they inherit two variables, and descriptor 3, a file
// that has no name any more. A process may clean the one or the other. Nobody
// else has them, so no process is taken for ours because of its number.
type mark struct {
	owner    string // variable of every process of a daytwo
	dir      string // of all workloads
	workload string // "": any
}

const badgeName = ".badge"

// environ is the part of the mark that is in the environment.
func (m mark) environ() []string {
	if m.workload == "" {
		return []string{m.owner}
	}
	return []string{m.owner, "DAYTWO_WORKLOAD=" + m.workload}
}

// badge makes the part of the mark that is a descriptor.
func (m mark) badge() (*os.File, error) {
	name := filepath.Join(m.dir, m.workload, badgeName)
	err := os.MkdirAll(filepath.Dir(name), 0o700)
	if err != nil {
		return nil, fmt.Errorf("mark its processes: %w", err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("mark its processes: %w", err)
	}
	if err := os.Remove(name); err != nil {
		f.Close()
		return nil, fmt.Errorf("mark its processes: %w", err)
	}
	return f, nil
}

// isBadge tells whether a descriptor that leads to link is the badge.
func (m mark) isBadge(link string) bool {
	workload, ours := strings.CutPrefix(link, m.dir+"/")
	workload, gone := strings.CutSuffix(workload, "/"+badgeName+" (deleted)")
	if !ours || !gone {
		return false
	}
	return workload == m.workload || m.workload == "" && !strings.Contains(workload, "/")
}
