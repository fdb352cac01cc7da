package audit

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	group string // as /proc names it
	path  string // its folder
	dir   *os.File
}

// newCage makes a group below ours in the second version of control groups
// (cgroups(7)), or returns nil.
func newCage(name string) *cage {
	root, ours := groups(), groupOf("self")
	if root == "" || ours == "" {
		return nil
	}
	group := filepath.Join(ours, name)
	path := filepath.Join(root, group)
	if os.Mkdir(path, 0o755) != nil {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		_ = os.Remove(path)
		return nil
	}
	c := &cage{group, path, dir}
	if !exists(filepath.Join(path, "cgroup.kill")) { // Linux before 5.14
		c.remove()
		return nil
	}
	return c
}

// groups is where the second version of control groups is mounted, or empty.
func groups() string {
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
	return root
}

// groupOf is the control group that a process is in, or empty.
func groupOf(process string) string {
	text, err := os.ReadFile(filepath.Join("/proc", process, "cgroup"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return path
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

// holds tells whether a process is in the cage, or in a group that was made in it.
func (c *cage) holds(pid int) bool {
	if c == nil {
		return false
	}
	in := groupOf(strconv.Itoa(pid))
	return in == c.group || strings.HasPrefix(in, c.group+"/")
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
		var below []string // groups made in it, the outer before the inner
		_ = filepath.WalkDir(c.path, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				below = append(below, path)
			}
			return nil
		})
		for _, path := range slices.Backward(below) {
			_ = os.Remove(path) // the last of them tells
		}
		if !exists(c.path) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func cageName(mark string) string { return fmt.Sprintf("daytwo-audit-%s", mark) }
