package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cage is a control group of its own for what one start begets. Nothing leaves it
// by forking, changing its session or its environment, and the kernel ends all that
// is in it at once, so that not even a process that forks and ends faster than it
// can be seen gets away. The nil cage is for where groups may not be made: there
// marks, groups and parents have to do.
type cage struct {
	path string
	dir  *os.File
}

// newCage makes a group below ours in the second version of control groups
// (cgroups(7)), or returns nil.
func newCage(name string) *cage {
	below := ownGroup()
	if below == "" {
		return nil
	}
	path := filepath.Join(below, name)
	if os.Mkdir(path, 0o755) != nil {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil || !exists(filepath.Join(path, "cgroup.kill")) {
		_ = os.Remove(path)
		return nil
	}
	return &cage{path, dir}
}

// ownGroup is the folder of the control group that we are in.
func ownGroup() string {
	mounted, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return ""
	}
	root := ""
	for line := range strings.Lines(string(mounted)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			root = f[1]
		}
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil || root == "" {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return filepath.Join(root, path)
		}
	}
	return ""
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// admit has a process start in the cage.
func (c *cage) admit(attr *syscall.SysProcAttr) {
	if c != nil {
		attr.UseCgroupFD, attr.CgroupFD = true, int(c.dir.Fd())
	}
}

// inside are the processes in the cage.
func (c *cage) inside() map[int]bool {
	in := map[int]bool{}
	if c == nil {
		return in
	}
	text, err := os.ReadFile(filepath.Join(c.path, "cgroup.procs"))
	if err != nil {
		return in
	}
	for line := range bytes.Lines(text) {
		if pid, err := strconv.Atoi(string(bytes.TrimSpace(line))); err == nil && pid > 0 {
			in[pid] = true
		}
	}
	return in
}

// kill ends all that is in the cage.
func (c *cage) kill() {
	if c != nil {
		_ = os.WriteFile(filepath.Join(c.path, "cgroup.kill"), []byte("1"), 0) // it is there
	}
}

// remove takes an empty cage away. Who has just ended may still be counted.
func (c *cage) remove() {
	if c == nil {
		return
	}
	_ = c.dir.Close()
	for range 100 {
		if err := os.Remove(c.path); err == nil || os.IsNotExist(err) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func cageName(mark string) string { return fmt.Sprintf("daytwo-audit-%s", mark) }
