package orchestrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// spawner starts processes, all from one thread that lives as long as Run: the
// kernel ends them when the thread that started them ends (PR_SET_PDEATHSIG),
// which must be neither sooner nor later than daytwo's own end.
type spawner struct{ starts chan func() }

func newSpawner() *spawner { return &spawner{starts: make(chan func())} }

// run is the thread. It must outlive every process.
func (s *spawner) run(stop <-chan struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case start := <-s.starts:
			start()
		case <-stop:
			return
		}
	}
}

func (s *spawner) start(cmd *exec.Cmd) (err error) {
	done := make(chan struct{})
	s.starts <- func() { err = cmd.Start(); close(done) }
	<-done
	return err
}

// order is what to start.
type order struct {
	argv, env []string
	dir       string
	badge     *os.File                         // its descriptor 3
	output    func(stream string, r io.Reader) // reads until r ends
}

// process is a started process and the group it leads.
type process struct {
	pid     int
	started time.Time
	exited  chan struct{} // closed when the leader has ended
	exit    string        // how; set before exited is closed
	drained func()        // waits, not long, for the last output
}

// launch starts the process as the leader of a group of its own.
func (s *spawner) launch(o order) (*process, error) {
	cmd := &exec.Cmd{Args: o.argv, Env: o.env, Dir: o.dir, ExtraFiles: []*os.File{o.badge}, SysProcAttr: processAttributes()}
	// The program is looked up with the PATH that the process will have.
	if err := lookUp(cmd); err != nil {
		return nil, err
	}
	var outputs []*os.File
	closeAll := func() {
		for _, f := range outputs {
			f.Close()
		}
	}
	var read []func()
	for stream, to := range map[string]*io.Writer{"out": &cmd.Stdout, "err": &cmd.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll()
			return nil, fmt.Errorf("pipe for its output: %w", err)
		}
		*to = w
		outputs = append(outputs, w)
		done := make(chan struct{})
		go func() { defer close(done); defer r.Close(); o.output(stream, r) }()
		read = append(read, func() {
			// What has escaped may hold the pipe for ever.
			_ = r.SetReadDeadline(time.Now().Add(time.Second))
			<-done
		})
	}
	err := s.start(cmd)
	closeAll()
	p := &process{started: time.Now().UTC(), exited: make(chan struct{}), drained: func() {
		for _, wait := range read {
			wait()
		}
	}}
	if err != nil {
		p.drained()
		return nil, err
	}
	p.pid = cmd.Process.Pid
	go func() {
		p.exit = exitText(cmd.Wait(), cmd.ProcessState)
		close(p.exited)
	}()
	return p, nil
}

// lookUp finds the program in the PATH of the process, not in ours.
func lookUp(cmd *exec.Cmd) error {
	name := cmd.Args[0]
	path := name
	if !containsSlash(name) {
		found := ""
		for _, dir := range searchPath(cmd.Env) {
			if f := dir + "/" + name; isProgram(f) {
				found = f
				break
			}
		}
		if found == "" {
			return fmt.Errorf("there is no program %q in its PATH", name)
		}
		path = found
	} else if name[0] == '/' {
		if info, err := os.Stat(name); err != nil {
			return fmt.Errorf("program: %w", err)
		} else if info.IsDir() {
			return fmt.Errorf("program: %s is a directory", name)
		}
	}
	if _, err := os.Stat(cmp.Or(cmd.Dir, ".")); err != nil {
		return fmt.Errorf("working directory: %w", err)
	}
	cmd.Path = path
	return nil
}

// stop ends the process and all it started: SIGTERM to the group, SIGKILL to
// what is left of it after grace. It returns when the leader is gone, and
// tells whether it had to be killed.
func (p *process) stop(grace time.Duration) (killed bool) {
	p.signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		killed = true
	}
	p.signal(syscall.SIGKILL)
	<-p.exited
	return killed
}

// signal reaches the whole group; that it is gone already is fine.
func (p *process) signal(sig syscall.Signal) { _ = syscall.Kill(-p.pid, sig) }

// exitText says how a process ended.
func exitText(err error, state *os.ProcessState) string {
	if state == nil {
		return fmt.Sprint(err)
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return fmt.Sprintf("killed by signal %d (%s)", ws.Signal(), ws.Signal())
	}
	return exited(state.ExitCode())
}

func exited(status int) string { return fmt.Sprintf("exit status %d", status) }

// permanent tells a failure to start that trying again soon will not mend.
func permanent(err error) bool {
	return err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.ENOMEM) &&
		!errors.Is(err, syscall.ETXTBSY) && !errors.Is(err, errPortTaken) && !errors.Is(err, context.Canceled)
}
