package logstash

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// drainWithin is how long what is in a pipeline may take to go through when it stops.
const drainWithin = 8 * time.Second

// running is a pipeline at work.
type running struct {
	*Pipeline
	env     Env
	log     *slog.Logger
	meters  *meters
	queue   chan *Event
	mu      sync.Mutex
	states  map[*inputStage]inputState
	drained context.Context // what outlives the inputs while the queue drains
}

// inputState is how an input fares.
type inputState struct {
	state string // starting, running, ended, failing
	err   error
}

func newRunning(p *Pipeline, env Env, log *slog.Logger, m *meters) *running {
	r := &running{Pipeline: p, env: env, log: log.With("pipeline", p.ID), meters: m, queue: make(chan *Event, p.settings.Queue), states: map[*inputStage]inputState{}}
	for _, in := range p.inputs {
		r.states[in] = inputState{state: "starting"}
	}
	return r
}

// run works until ctx ends or every input has: inputs first, then what is in the queue, then the outputs are closed.
func (r *running) run(ctx context.Context) error {
	drained, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	r.drained = drained
	var workers, flushes, arriving sync.WaitGroup
	flushing, stopFlushes := context.WithCancel(ctx)
	defer stopFlushes()
	for range r.workers() {
		workers.Go(func() { r.work(drained) })
	}
	flushes.Go(func() { r.flushRegularly(flushing) })
	for _, in := range r.inputs {
		arriving.Go(func() { r.tend(ctx, in) })
	}
	arriving.Wait()
	close(r.queue)
	timer := time.AfterFunc(drainWithin, func() {
		if ctx.Err() != nil { // an input that has ended by itself leaves all the time
			abandon()
		}
	})
	defer timer.Stop()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(drainWithin, abandon) })
	defer stop()
	workers.Wait()
	stopFlushes()
	flushes.Wait()
	r.flush(drained, true)
	for _, s := range r.sinks {
		s.output.close()
	}
	return nil
}

func (r *running) workers() int {
	if r.ordered {
		return 1
	}
	return max(1, min(r.settings.Workers, 4*runtime.NumCPU()))
}

// tend runs an input and, when it fails, tries again after a while that grows.
func (r *running) tend(ctx context.Context, s *inputStage) {
	wait := time.Second
	for {
		begun := time.Now()
		in := &intake{stage: s, queue: r.queue, env: r.env, id: r.ID, ready: func() { r.note(s, "running", nil) }}
		err := s.input.run(ctx, in)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			r.note(s, "ended", nil)
			return
		}
		r.note(s, "failing", err)
		r.meters.inputErrors.WithLabelValues(r.ID).Inc()
		if time.Since(begun) > time.Minute {
			wait = time.Second
		}
		p := problem.From(err)
		r.log.ErrorContext(ctx, "an input does not work", "input", s.name, "file", s.file, "line", s.at.Line, "error", err, "mend", p.Mend, "retry_in", wait.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, 30*time.Second)
	}
}

func (r *running) note(s *inputStage, state string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[s] = inputState{state, err}
}

// work takes batches from the queue through the stages to the outputs.
func (r *running) work(ctx context.Context) {
	batch := make([]*Event, 0, r.settings.BatchSize)
	for e := range r.queue {
		batch = append(batch[:0], e)
	more:
		for len(batch) < r.settings.BatchSize {
			select {
			case e, ok := <-r.queue:
				if !ok {
					break more
				}
				batch = append(batch, e)
			default:
				break more
			}
		}
		r.meters.in.WithLabelValues(r.ID).Add(float64(len(batch)))
		out := make([]*Event, 0, len(batch))
		for _, e := range batch {
			process(r.filters, e, func(e *Event) { out = append(out, e) }, nil)
		}
		r.deliver(ctx, out)
	}
}

// deliver writes events to the outputs they are for, each of which is asked until it has taken them.
func (r *running) deliver(ctx context.Context, events []*Event) {
	if len(events) == 0 {
		return
	}
	parts := make([][]*Event, len(r.sinks))
	stages := make([]*stage, len(r.sinks))
	for _, e := range events {
		route(r.outputs, e, func(s *stage) {
			parts[s.output.number] = append(parts[s.output.number], e)
			stages[s.output.number] = s
		})
	}
	arrived := true
	for i, part := range parts {
		if len(part) > 0 {
			arrived = r.write(ctx, stages[i], part) && arrived
		}
	}
	r.meters.out.WithLabelValues(r.ID).Add(float64(len(events)))
	if arrived { // otherwise they come again, where the input can
		for _, e := range events {
			e.receipt.settle()
		}
	}
}

func (r *running) write(ctx context.Context, s *stage, part []*Event) bool {
	s.counts.in.Add(uint64(len(part)))
	began := time.Now()
	defer func() { s.counts.nanos.Add(int64(time.Since(began))) }()
	wait := 100 * time.Millisecond
	for tries := 1; ; tries++ {
		err := s.output.output.write(ctx, part)
		if err == nil {
			s.counts.out.Add(uint64(len(part)))
			return true
		}
		if lost := new(undeliverable); errors.As(err, &lost) {
			s.counts.failed.Add(uint64(lost.n))
			s.counts.out.Add(uint64(len(part) - lost.n))
			r.meters.lost.WithLabelValues(r.ID).Add(float64(lost.n))
			r.log.WarnContext(ctx, "an output refuses events for good", "output", s.name, "line", s.at.Line, "events", lost.n, "error", lost.err)
			return true
		}
		r.meters.outputErrors.WithLabelValues(r.ID).Inc()
		if tries&(tries-1) == 0 { // ever more seldom
			r.log.WarnContext(ctx, "an output does not take events, trying again", "output", s.name, "line", s.at.Line, "tries", tries, "error", err)
		}
		select {
		case <-ctx.Done():
			s.counts.failed.Add(uint64(len(part)))
			r.meters.lost.WithLabelValues(r.ID).Add(float64(len(part)))
			return false
		case <-time.After(wait):
		}
		wait = min(2*wait, 10*time.Second)
	}
}

func (r *running) flushRegularly(ctx context.Context) {
	if len(r.flushers) == 0 {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.flush(r.drained, false)
		}
	}
}

func (r *running) flush(ctx context.Context, last bool) {
	for _, s := range r.flushers {
		for _, e := range s.filter.(flusher).flush(time.Now(), last) {
			s.adds.apply(e)
			s.counts.out.Add(1)
			var out []*Event
			process(s.next, e, func(e *Event) { out = append(out, e) }, nil)
			r.deliver(ctx, out)
		}
	}
}
