package orchestrate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// want is what a unit is to run. A new generation means: stop what runs, then
// run this.
type want struct {
	generation int64
	revision   int
	manifest   *Manifest // nil: nothing
	port       int
}

// unit keeps one workload's process as wanted: it starts it, starts it again
// when it ends, with growing waits, and stops it.
type unit struct {
	name  string
	log   *logbook
	house *household

	service atomic.Value // string: that of what is wanted

	wake chan struct{} // holds one wake-up
	end  func()        // for good

	mu     sync.Mutex
	wanted want
	seen   observed
}

// household is what all units share.
type household struct {
	dir     string // of a workload NAME: dir/NAME
	owner   string // the mark of our processes
	spawner *spawner
	prober  *prober
	wait    Backoff
	changed *signal
	ports   func() map[string]int
	exited  func(name string) // counts
}

// Backoff says how long a workload that ended waits before it is started
// again: First, then twice as long each time up to Most. One that ran for
// Forgiven begins anew.
type Backoff struct{ First, Most, Forgiven time.Duration }

func (b Backoff) after(exits int) time.Duration {
	d := b.First
	for i := 1; i < exits && d < b.Most; i++ {
		d *= 2
	}
	return min(d, b.Most)
}

// set says what to run from now on. It does not wait.
func (u *unit) set(w want) {
	u.mu.Lock()
	changed := u.wanted.generation != w.generation
	if w.manifest != nil {
		u.service.Store(w.manifest.Service)
	}
	if changed {
		u.wanted = w
	}
	u.mu.Unlock()
	if changed {
		select {
		case u.wake <- struct{}{}:
		default:
		}
	}
}

func (u *unit) want() want {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.wanted
}

func (u *unit) observed() observed {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen
}

// see changes what is known, and tells who waits for it.
func (u *unit) see(change func(*observed)) {
	u.mu.Lock()
	before := u.seen
	change(&u.seen)
	changed := u.seen != before
	u.mu.Unlock()
	if changed {
		u.house.changed.broadcast()
	}
}

// run keeps the process until ctx ends, and then stops it.
func (u *unit) run(ctx context.Context) {
	defer u.log.close()
	var stopped ending // of the process that made room for what is wanted next
	for ctx.Err() == nil {
		w := u.want()
		if u.observed().generation != w.generation {
			u.see(func(o *observed) {
				*o = observed{generation: w.generation, revision: w.revision, replaced: stopped}
			})
			stopped = ending{}
		}
		if w.manifest == nil || w.manifest.Replicas == 0 {
			if w.manifest != nil {
				u.see(func(o *observed) { o.fault = "ScaledToZero" })
			}
			u.pause(ctx, w, nil)
			continue
		}
		p, err := u.launch(ctx, w)
		if err != nil {
			u.see(func(o *observed) { o.pid, o.fault, o.hopeless = 0, err.Error(), permanent(err) })
			u.rest(ctx, w)
			continue
		}
		ended, how := u.keep(ctx, p, w)
		stopped = how
		if ended {
			if time.Since(p.started) > u.house.wait.Forgiven {
				u.see(func(o *observed) { o.exits = 0 })
			}
			u.see(func(o *observed) { o.fault = p.exit })
			u.rest(ctx, w)
		}
	}
	u.see(func(o *observed) { o.phase, o.ready, o.pid = idle, false, 0 })
}

// rest waits before the next start.
func (u *unit) rest(ctx context.Context, w want) {
	var d time.Duration
	u.see(func(o *observed) {
		o.exits++
		d = u.house.wait.after(o.exits)
		o.phase, o.ready, o.next = backoff, false, time.Now().Add(d)
	})
	u.house.exited(u.name)
	u.log.notef("%s; next start in %v", u.observed().fault, d)
	timer := time.NewTimer(d)
	defer timer.Stop()
	u.pause(ctx, w, timer.C)
}

// pause waits until done, something else is wanted, or ctx ends.
func (u *unit) pause(ctx context.Context, w want, done <-chan time.Time) {
	for u.want().generation == w.generation {
		select {
		case <-ctx.Done():
			return
		case <-done:
			return
		case <-u.wake:
		}
	}
}

// mark is that of a workload's processes; of all our processes if name is "".
func (h *household) mark(name string) mark { return mark{h.owner, h.dir, name} }

func (u *unit) launch(ctx context.Context, w want) (*process, error) {
	if !portFree(ctx, w.port) {
		return nil, fmt.Errorf("port %d: %w", w.port, errPortTaken)
	}
	dir := w.manifest.Dir
	if dir == "" {
		dir = filepath.Join(u.house.dir, u.name, "work")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("working directory: %w", err)
		}
	}
	mark := u.house.mark(u.name)
	badge, err := mark.badge()
	if err != nil {
		return nil, err
	}
	defer badge.Close()
	env, argv := w.manifest.environment(w.port, u.house.ports())
	p, err := u.house.spawner.launch(order{
		argv: argv, env: append(env, mark.environ()...), dir: dir, badge: badge, output: u.log.read,
	})
	if err != nil {
		return nil, err
	}
	u.log.notef("%s started: process %d, port %d", w.manifest.title(w.revision), p.pid, w.port)
	u.see(func(o *observed) { o.phase, o.pid, o.started, o.hopeless = starting, p.pid, p.started, false })
	return p, nil
}

// keep watches over the process until it has ended by itself (then it returns
// true), something else is wanted, or ctx ends; then it stops it, and tells how
// that went.
func (u *unit) keep(ctx context.Context, p *process, w want) (ended bool, how ending) {
	probing, stopProbing := context.WithCancel(ctx)
	var probes sync.WaitGroup
	probes.Go(func() {
		u.house.prober.watch(probing, w.manifest, w.port, p.started, func(ready bool, fault string) { u.noteReady(p, ready, fault) })
	})
	changed := make(chan struct{})
	probes.Go(func() { u.pause(probing, w, nil); close(changed) })
	select {
	case <-p.exited:
		ended = true
	case <-changed:
	}
	stopProbing()
	probes.Wait()
	if !ended {
		u.see(func(o *observed) { o.phase, o.ready, o.fault = stopping, false, "" })
		u.log.notef("stopping process %d, it has %v", p.pid, w.manifest.Grace)
		began := time.Now()
		killed := p.stop(w.manifest.Grace)
		if killed {
			u.log.notef("process %d did not end in time and was killed", p.pid)
		}
		how = endingOf(p.exit, killed, time.Since(began), w.manifest.Grace)
	}
	u.bury(p)
	return ended, how
}

// endingOf judges how a process ended after it was asked to. Status 143 is what the
// Java runtime answers SIGTERM with after its shutdown hooks.
func endingOf(exit string, killed bool, took, grace time.Duration) ending {
	if killed {
		return ending{how: fmt.Sprintf("did not end within %v of SIGTERM and was killed", grace)}
	}
	return ending{
		graceful: exit == exited(0) || exit == exited(143),
		how:      fmt.Sprintf("ended %v after SIGTERM: %s", took.Round(time.Millisecond), exit),
	}
}

// bury ends what the process has left behind.
func (u *unit) bury(p *process) {
	p.signal(syscall.SIGKILL)
	if n := killMarked(u.house.mark(u.name)); n > 0 {
		u.log.notef("%d processes it had started were left and have been killed; a workload must stay in the foreground", n)
	}
	p.drained()
	u.log.notef("process %d has ended: %s", p.pid, p.exit)
}

func (u *unit) noteReady(p *process, ready bool, fault string) {
	before := u.observed()
	u.see(func(o *observed) {
		o.ready = ready
		if ready {
			o.phase, o.fault = up, ""
		} else if fault != "" {
			o.fault = fault
		}
	})
	switch {
	case ready && !before.ready:
		u.log.notef("ready after %v", time.Since(p.started).Round(time.Millisecond))
	case !ready && before.ready:
		u.log.notef("not ready any more: %s", fault)
	}
}

// signal wakes everyone who waits for a change.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

// next is closed at the next broadcast.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}
