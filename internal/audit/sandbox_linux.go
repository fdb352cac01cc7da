package audit

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// markerName is a variable in the environment of everything an audit starts;
// its value tells which start a process stems from.
const markerName = "DAYTWO_AUDIT_MARK"

// sandbox starts the processes of one audit and ends them. A process is known
// as the audit's by its cage, its group, its parents, or its mark; one that hides
// all of them becomes a child of ours when its parent ends, because we are made the
// reaper of orphans.
type sandbox struct {
	config Config
	base   string // of the folders below
	home   string
	temp   string
	data   string // of the program
	data2  string // of its second replica
	mark   string

	before map[int]bool // children that we had before

	mu     sync.Mutex
	starts int
	direct map[int]bool // children started here that were not waited for yet
	known  map[int]bool // every process seen
}

func newSandbox(c Config) (*sandbox, error) {
	base, err := os.MkdirTemp("", "daytwo-audit-")
	if err != nil {
		return nil, err
	}
	b := &sandbox{
		config: c, base: base, mark: rand.Text(), before: map[int]bool{}, direct: map[int]bool{}, known: map[int]bool{},
		home: filepath.Join(base, "home"), temp: filepath.Join(base, "tmp"), data: filepath.Join(base, "data"), data2: filepath.Join(base, "data2"),
	}
	for _, dir := range []string{b.home, b.temp, b.data, b.data2} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
	}
	for _, p := range processes() {
		if p.parent == os.Getpid() {
			b.before[p.pid] = true
		}
	}
	return b, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// close ends whatever is left and removes the folders.
func (b *sandbox) close() {
	b.end(func(p proc) bool { return strings.HasPrefix(p.mark, b.mark) || b.isOrphan(p) })
	os.RemoveAll(b.base)
}

// endOrphans ends the processes that became our children, and returns how many
// there were. It is for when nothing else runs.
func (b *sandbox) endOrphans() int { return b.end(b.isOrphan) }

func (b *sandbox) isOrphan(p proc) bool {
	return p.parent == os.Getpid() && !b.before[p.pid] && !b.isDirect(p.pid)
}

func (b *sandbox) isDirect(pid int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.direct[pid]
}

// spec says how to start a process.
type spec struct {
	args    []string
	env     []string // NAME=VALUE, beyond the minimum
	port    int
	second  bool // with the second replica's volume
	whole   bool // the caller's environment instead of the minimum
	isolate uintptr
}

// process is a started program.
type process struct {
	box    *sandbox
	pid    int
	mark   string
	port   int
	output *capture
	cage   *cage
	done   chan struct{}
	// Valid after done:
	status   int // 0 to 255, or 128 plus the signal
	signaled bool
}

// start starts a program in the audited folder, in a process group of its own.
func (b *sandbox) start(ctx context.Context, s spec) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.starts++
	mark := fmt.Sprintf("%s-%d", b.mark, b.starts)
	b.mu.Unlock()

	cmd := exec.Command(b.fill(s.args[0], s)) //nolint:noctx // ended by finish, with all that stems from it
	for _, a := range s.args[1:] {
		cmd.Args = append(cmd.Args, b.fill(a, s))
	}
	cmd.Dir = b.config.Path
	cmd.Env = b.environment(s, mark)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: s.isolate}
	if s.isolate != 0 && os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	output, err := newCapture()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = output.in, output.in
	in := newCage(cageName(mark))
	in.admit(cmd.SysProcAttr)
	err = cmd.Start()
	output.in.Close()
	if err != nil {
		in.remove()
		output.close()
		return nil, err
	}
	p := &process{box: b, pid: cmd.Process.Pid, mark: mark, port: s.port, output: output, cage: in, done: make(chan struct{})}
	b.mu.Lock()
	b.direct[p.pid], b.known[p.pid] = true, true
	b.mu.Unlock()
	go output.read()
	go func() {
		_ = cmd.Wait() // the state says it all
		b.mu.Lock()
		delete(b.direct, p.pid)
		b.mu.Unlock()
		if w, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && w.Signaled() {
			p.status, p.signaled = 128+int(w.Signal()), true
		} else {
			p.status = cmd.ProcessState.ExitCode()
		}
		close(p.done)
	}()
	return p, nil
}

// fill fills in the placeholders.
func (b *sandbox) fill(text string, s spec) string {
	data := b.data
	if s.second {
		data = b.data2
	}
	return strings.NewReplacer("{port}", strconv.Itoa(s.port), "{data}", data, "{out}", b.built(1)).Replace(text)
}

// built is where the nth build puts the program.
func (b *sandbox) built(n int) string {
	return filepath.Join(b.base, fmt.Sprintf("build%d", n), "program")
}

func (b *sandbox) environment(s spec, mark string) []string {
	env := []string{"HOME=" + b.home, "TMPDIR=" + b.temp, "LANG=C.UTF-8", "PATH=" + os.Getenv("PATH"), "PORT=" + strconv.Itoa(s.port)}
	if s.whole {
		env = os.Environ()
	}
	for _, e := range s.env {
		env = append(env, b.fill(e, s))
	}
	return append(env, markerName+"="+mark)
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// wait waits for the end, no longer than limit, and tells whether it came.
func (p *process) wait(ctx context.Context, limit time.Duration) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-p.done:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return p.ended()
}

// terminate asks it to end, and tells how long that took and whether it did.
func (p *process) terminate(ctx context.Context) (time.Duration, bool) {
	began := time.Now()
	_ = syscall.Kill(p.pid, syscall.SIGTERM) // it may have ended already
	ok := p.wait(ctx, p.box.config.Grace)
	return time.Since(began), ok
}

// finish ends it and everything that stems from it, and returns how many
// processes besides it that were.
func (p *process) finish() int {
	others := 0
	for _, x := range p.tree() {
		if !x.zombie && !p.box.isDirect(x.pid) {
			others++
		}
	}
	p.cage.kill()
	if !p.ended() {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // the loop below ends what this does not
	}
	others = max(others, p.box.end(p.owns()))
	<-p.done
	p.output.close()
	p.cage.remove()
	return others
}

// owns tells which processes stem from it.
func (p *process) owns() func(proc) bool {
	return func(x proc) bool {
		return p.cage.holds(x.pid) || x.mark == p.mark || x.group == p.pid || x.pid == p.pid && p.box.isDirect(p.pid)
	}
}

// tree is every living process that stems from it.
func (p *process) tree() []proc { return p.box.family(p.owns()) }

// proc is one process of the system.
type proc struct {
	pid, parent, group int
	zombie             bool
	mark               string
}

// family is the processes that match, with all below them.
func (b *sandbox) family(match func(proc) bool) []proc {
	all := processes()
	in := map[int]bool{}
	for grew := true; grew; {
		grew = false
		for _, p := range all {
			if !in[p.pid] && p.pid != os.Getpid() && (match(p) || in[p.parent]) {
				in[p.pid], grew = true, true
			}
		}
	}
	var found []proc
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range all {
		if in[p.pid] {
			b.known[p.pid] = true
			found = append(found, p)
		}
	}
	return found
}

// end kills the family again and again until there is none, and reaps what
// became our child. It returns how many it killed that were not started here.
func (b *sandbox) end(match func(proc) bool) int {
	killed := map[int]bool{}
	for range 500 {
		left := 0
		for _, p := range b.family(match) {
			if !p.zombie {
				left++
				_ = syscall.Kill(p.pid, syscall.SIGKILL)
				if !b.isDirect(p.pid) {
					killed[p.pid] = true
				}
			}
			if b.isOrphan(p) {
				_, _ = syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil)
			}
		}
		if left == 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return len(killed)
}

// processes reads /proc. What ends meanwhile is left out.
func processes() []proc {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []proc
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		// pid (name) state parent group …; the name may hold anything
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 3 {
			continue
		}
		p := proc{pid: pid, zombie: fields[0] == "Z" || fields[0] == "X"}
		p.parent, _ = strconv.Atoi(fields[1])
		p.group, _ = strconv.Atoi(fields[2])
		p.mark = markOf(pid)
		all = append(all, p)
	}
	return all
}

func markOf(pid int) string {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return ""
	}
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if mark, ok := bytes.CutPrefix(v, []byte(markerName+"=")); ok {
			return string(mark)
		}
	}
	return ""
}

// freePort is a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // opens at once
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
