package stability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// Supervisor lets tasks crash and starts them again: an error or a panic ends
// one task alone, and a fresh start is the repair. A task that crashes too
// often takes the supervisor down with its error, so that whoever stands above
// can do better than start it for ever.
//
// Counts: starts, crashes, and by task crashes_NAME.
// Levels: running.
type Supervisor struct {
	reporter
	name        string
	most        int
	within      time.Duration
	base, delay time.Duration
	tasks       []supervised

	mu      sync.Mutex
	running int
	starts  uint64
	crashes map[string]uint64
}

type supervised struct {
	name string
	run  func(context.Context) error
}

// SupervisorOption changes a default of [NewSupervisor].
type SupervisorOption func(*Supervisor)

// Intensity is how many crashes of one task within a time are too many.
// Default 10 within a minute.
func Intensity(most int, within time.Duration) SupervisorOption {
	return func(s *Supervisor) { s.most, s.within = most, within }
}

// RestartAfter bounds the waits before a new start, which double with each
// crash in a row and are jittered. Default 100 ms and 10 s.
func RestartAfter(first, longest time.Duration) SupervisorOption {
	return func(s *Supervisor) { s.base, s.delay = max(1, first), max(1, longest) }
}

// NewSupervisor makes a supervisor without tasks.
func NewSupervisor(name string, opts ...SupervisorOption) *Supervisor {
	s := &Supervisor{name: name, most: 10, within: time.Minute, base: 100 * time.Millisecond, delay: 10 * time.Second, crashes: map[string]uint64{}}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Add adds a task before Run. One that returns nil has finished.
func (s *Supervisor) Add(name string, run func(context.Context) error) {
	s.tasks = append(s.tasks, supervised{name, run})
}

// Run runs the tasks until all have finished, ctx ends, or one has crashed too
// often; its error is then returned, after the others have ended.
func (s *Supervisor) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var failed error
	var once sync.Once
	for _, t := range s.tasks {
		all.Go(func() {
			if err := s.keep(ctx, t); err != nil {
				once.Do(func() { failed = err })
				cancel(err)
			}
		})
	}
	all.Wait()
	return failed
}

// keep runs one task again and again.
func (s *Supervisor) keep(ctx context.Context, t supervised) error {
	var crashes []time.Duration // those within the time that counts
	inARow := 0
	for first := true; first || ctx.Err() == nil; first = false {
		began := now()
		err := s.once(ctx, t)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		at := now()
		if at-began > s.delay {
			inARow = 0
		}
		inARow++
		crashes = append(crashes, at)
		for at-crashes[0] > s.within {
			crashes = crashes[1:]
		}
		s.mu.Lock()
		s.crashes[t.name]++
		s.mu.Unlock()
		s.report(Event{Policy: "supervisor", Name: s.name, Decision: "crashes", Reason: t.name, Err: err})
		if len(crashes) > s.most {
			return fmt.Errorf("task %s crashed %d times within %v: %w", t.name, len(crashes), s.within, err)
		}
		ceiling := min(s.delay, s.base<<min(inARow-1, 20))
		sleep(ctx, ceiling/2+rand.N(ceiling/2+1))
	}
	return nil
}

func (s *Supervisor) once(ctx context.Context, t supervised) (err error) {
	s.count(1)
	defer s.count(-1)
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return t.run(ctx)
}

func (s *Supervisor) count(running int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running += running
	if running > 0 {
		s.starts++
	}
}

// Snapshot tells the counts so far.
func (s *Supervisor) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]uint64{"starts": s.starts, "crashes": 0}
	for task, n := range s.crashes {
		counts["crashes"] += n
		counts["crashes_"+task] = n
	}
	return Snapshot{Policy: "supervisor", Name: s.name, Counts: counts, Levels: map[string]float64{"running": float64(s.running)}}
}
