package audit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// writes learns which files the audit's processes write: it compares their
// folders before and after, looks at what they hold open, and where it may asks
// the kernel to tell it of every file that was written and closed.
type writes struct {
	box    *sandbox
	before map[string]fileState

	kernel *os.File // fanotify; nil where it is not permitted
	ended  sync.WaitGroup
	mu     sync.Mutex
	paths  map[string]bool
}

type fileState struct {
	size  int64
	mtime int64
}

func (b *sandbox) watchWrites() *writes {
	w := &writes{box: b, before: snapshot(b.config.Path), paths: map[string]bool{}}
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC)
	if err != nil {
		return w
	}
	marked := false
	for _, mount := range mounts() {
		marked = unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_FILESYSTEM, unix.FAN_CLOSE_WRITE, unix.AT_FDCWD, mount) == nil || marked
	}
	if !marked {
		_ = unix.Close(fd)
		return w
	}
	w.kernel = os.NewFile(uintptr(fd), "fanotify")
	w.ended.Go(w.follow)
	return w
}

// mounts are the mount points of file systems that keep files.
func mounts() []string {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return []string{"/"}
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		switch f[2] {
		case "ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "f2fs", "9p", "virtiofs":
			found = append(found, strings.ReplaceAll(f[1], `\040`, " "))
		}
	}
	return found
}

// follow reads the kernel's events: 24 bytes each, with a descriptor of the
// file and who wrote it (fanotify(7)).
func (w *writes) follow() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.kernel.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:n]; len(b) >= 24; {
			size := int(binary.NativeEndian.Uint32(b))
			fd, pid := int32(binary.NativeEndian.Uint32(b[16:])), int(int32(binary.NativeEndian.Uint32(b[20:])))
			if size < 24 || size > len(b) {
				break
			}
			b = b[size:]
			if fd < 0 {
				continue // lost events: the queue was full
			}
			path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			_ = unix.Close(int(fd))
			if err == nil && w.ours(pid) {
				w.note(path)
			}
		}
	}
}

func (w *writes) ours(pid int) bool {
	w.box.mu.Lock()
	known := w.box.known[pid]
	w.box.mu.Unlock()
	return known || strings.HasPrefix(markOf(pid), w.box.mark)
}

func (w *writes) note(path string) {
	if strings.HasSuffix(path, " (deleted)") || strings.HasPrefix(path, "/proc/") || strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/sys/") {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.paths) < 1000 {
		w.paths[path] = true
	}
}

// open notes the files that the processes hold open for writing.
func (w *writes) open(of *process) {
	for _, p := range of.tree() {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.pid))
		for _, fd := range fds {
			path, err := os.Readlink(fd)
			if err != nil || !strings.HasPrefix(path, "/") {
				continue
			}
			info, err := os.ReadFile(strings.Replace(fd, "/fd/", "/fdinfo/", 1))
			if err != nil || !writable(info) {
				continue
			}
			if st, err := os.Stat(fd); err == nil && st.Mode().IsRegular() {
				w.note(path)
			}
		}
	}
}

// writable tells from a descriptor's flags (octal) whether it was opened for
// writing.
func writable(fdinfo []byte) bool {
	for line := range bytes.Lines(fdinfo) {
		var flags int
		if n, _ := fmt.Sscanf(string(line), "flags: %o", &flags); n == 1 {
			return flags&(unix.O_WRONLY|unix.O_RDWR) != 0
		}
	}
	return false
}

// end stops watching and lists what was written.
func (w *writes) end() []Write {
	if w.kernel != nil {
		w.kernel.Close()
		w.ended.Wait()
	}
	for path, state := range snapshot(w.box.config.Path) {
		if w.before[path] != state {
			w.note(path)
		}
	}
	for _, dir := range []string{w.box.home, w.box.temp, w.box.data, w.box.data2} {
		for path := range snapshot(dir) {
			w.note(path)
		}
	}
	var all []Write
	for path := range w.paths {
		if f := w.place(path); f.Path != "" {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b Write) int { return strings.Compare(string(a.Where)+a.Path, string(b.Where)+b.Path) })
	return slices.Compact(all) // the replicas write alike
}

// logName matches what log files are called.
var logName = regexp.MustCompile(`(?i)(?:\.log(?:\.\d+|\.gz|[.-]\d{4}.*)?$|(?:^|/)logs?/)`)

// place says where a written file lies. Caches of an interpreter, and what a Java
// runtime tells its own tools in /tmp whatever TMPDIR says, are nothing the program
// keeps.
func (w *writes) place(path string) Write {
	if strings.Contains(path, "/__pycache__/") || strings.HasSuffix(path, ".pyc") || strings.HasPrefix(path, "/tmp/hsperfdata_") || strings.HasPrefix(path, "/tmp/.java_pid") {
		return Write{}
	}
	f := Write{Path: path, Where: Elsewhere}
	for _, x := range []struct {
		dir   string
		where Where
	}{{w.box.data, InData}, {w.box.data2, InData}, {w.box.temp, InTemp}, {w.box.home, InHome}, {w.box.config.Path, InFolder}} {
		if rel, err := filepath.Rel(x.dir, path); err == nil && filepath.IsLocal(rel) {
			f.Path, f.Where = filepath.ToSlash(rel), x.where
			break
		}
	}
	if f.Where == Elsewhere && strings.HasPrefix(path, w.box.base) {
		return Write{} // the build's
	}
	f.Log = logName.MatchString(f.Path) && f.Where != InData
	return f
}

// snapshot is the state of the files below dir, without those of git and of
// others' code.
func snapshot(dir string) map[string]fileState {
	files := map[string]fileState{}
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") && p != dir:
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		case len(files) >= maxFiles:
			return filepath.SkipAll
		}
		if info, err := d.Info(); err == nil {
			files[p] = fileState{info.Size(), info.ModTime().UnixNano()}
		}
		return nil
	})
	return files
}
