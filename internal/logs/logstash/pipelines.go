package logstash

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Config of the pipelines of one server.
type Config struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Env        Env // what the pipelines were built with
}

// Pipelines runs the pipelines of the operations directory.
type Pipelines struct {
	log    *slog.Logger
	env    Env
	meters *meters

	mu      sync.Mutex
	want    []*Pipeline
	changed chan struct{} // holds one mark that want has changed
	live    map[string]*life
}

// life is a pipeline that runs.
type life struct {
	*running
	stop context.CancelFunc
	done chan struct{}
}

// meters are what is counted of all pipelines.
type meters struct {
	in, out, lost, inputErrors, outputErrors *prometheus.CounterVec
}

// New makes it without a pipeline.
func New(c Config) (*Pipelines, error) {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "daytwo_logstash_" + name, Help: help}, []string{"pipeline"})
	}
	p := &Pipelines{log: c.Logger, env: c.Env, changed: make(chan struct{}, 1), live: map[string]*life{}, meters: &meters{
		in:           counter("events_in_total", "Events that came into a pipeline."),
		out:          counter("events_out_total", "Events that reached the outputs of a pipeline."),
		lost:         counter("events_lost_total", "Events that an output refused for good or that a stop left behind."),
		inputErrors:  counter("input_errors_total", "Failures of inputs, after which they are tried again."),
		outputErrors: counter("output_errors_total", "Failures of outputs, after which they are tried again."),
	}}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "daytwo_logstash_queued_events", Help: "Events that wait between inputs and filters."}, p.queued)
	var err error
	for _, m := range []prometheus.Collector{p.meters.in, p.meters.out, p.meters.lost, p.meters.inputErrors, p.meters.outputErrors, waiting} {
		err = errors.Join(err, c.Registerer.Register(m))
	}
	return p, err
}

func (p *Pipelines) queued() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.live {
		n += len(l.queue)
	}
	return float64(n)
}

// Apply says which pipelines shall run. Those whose text has not changed go on undisturbed; others drain and make way.
func (p *Pipelines) Apply(list []*Pipeline) {
	p.mu.Lock()
	p.want = list
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// Run runs what Apply says until ctx ends; then every pipeline drains.
func (p *Pipelines) Run(ctx context.Context) error {
	for {
		p.settle(ctx)
		select {
		case <-ctx.Done():
			p.stop(func(*life) bool { return true })
			return nil
		case <-p.changed:
		}
	}
}

// settle stops what shall not run any more and starts what shall.
func (p *Pipelines) settle(ctx context.Context) {
	p.mu.Lock()
	want := map[string]*Pipeline{}
	for _, w := range p.want {
		want[w.ID] = w
	}
	p.mu.Unlock()
	p.stop(func(l *life) bool { w, ok := want[l.ID]; return !ok || w.text != l.text })
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, w := range want {
		if _, runs := p.live[id]; runs {
			continue
		}
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		l := &life{running: newRunning(w, p.env, p.log, p.meters), stop: stop, done: make(chan struct{})}
		p.live[id] = l
		p.log.InfoContext(ctx, "pipeline starts", "pipeline", id, "inputs", len(w.inputs), "workers", l.workers())
		go func() {
			defer close(l.done)
			if err := l.run(own); err != nil {
				p.log.ErrorContext(own, "pipeline ended", "pipeline", id, "error", err)
			}
		}()
	}
}

func (p *Pipelines) stop(which func(*life) bool) {
	p.mu.Lock()
	var ending []*life
	for id, l := range p.live {
		if which(l) {
			ending = append(ending, l)
			delete(p.live, id)
		}
	}
	p.mu.Unlock()
	for _, l := range ending {
		l.stop()
	}
	for _, l := range ending {
		<-l.done
	}
}

// PipelineStatus is how a pipeline fares.
type PipelineStatus struct {
	ID     string        `json:"id"`
	Queued int           `json:"queued" doc:"events that wait between inputs and filters"`
	Inputs []InputStatus `json:"inputs"`
	Stages []StageStatus `json:"stages" doc:"filters and outputs, in the order of the files"`
}

// InputStatus is how an input fares.
type InputStatus struct {
	Plugin string `json:"plugin"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	State  string `json:"state" enum:"starting,running,failing,ended"`
	Error  string `json:"error,omitempty"`
	Events uint64 `json:"events"`
}

// StageStatus is what a filter or output has done.
type StageStatus struct {
	Plugin string  `json:"plugin"`
	File   string  `json:"file"`
	Line   int     `json:"line"`
	Kind   string  `json:"kind" enum:"filter,output"`
	In     uint64  `json:"in"`
	Out    uint64  `json:"out"`
	Failed uint64  `json:"failed" doc:"of a filter: events it did not match; of an output: events it could not bring"`
	Millis float64 `json:"millis" doc:"time spent"`
}

// Status lists the pipelines that run.
func (p *Pipelines) Status() []PipelineStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []PipelineStatus{}
	for _, id := range sortedKeys(p.live) {
		l := p.live[id]
		s := PipelineStatus{ID: id, Queued: len(l.queue), Inputs: []InputStatus{}, Stages: []StageStatus{}}
		l.mu.Lock()
		for _, in := range l.inputs {
			state := l.states[in]
			is := InputStatus{Plugin: in.name, File: in.file, Line: in.at.Line, State: state.state, Events: in.counts.out.Load()}
			if state.err != nil {
				is.Error = state.err.Error()
			}
			s.Inputs = append(s.Inputs, is)
		}
		l.mu.Unlock()
		for _, st := range l.inOrder() {
			kind := "filter"
			if st.output != nil {
				kind = "output"
			}
			s.Stages = append(s.Stages, StageStatus{Plugin: st.name, File: st.file, Line: st.at.Line, Kind: kind, In: st.counts.in.Load(), Out: st.counts.out.Load(),
				Failed: st.counts.failed.Load(), Millis: float64(st.counts.nanos.Load()) / 1e6})
		}
		out = append(out, s)
	}
	return out
}

// inOrder are the filters and then the outputs, as the files have them.
func (p *Pipeline) inOrder() []*stage {
	var filters, outputs []*stage
	for _, s := range slices.Backward(p.stages) {
		switch {
		case s.output != nil:
			outputs = append(outputs, s)
		case s.filter != nil:
			filters = append(filters, s)
		}
	}
	return append(filters, outputs...)
}

// LogWriter is an io.Writer that makes a line of the server's log of each line, for the output stdout of a server.
func LogWriter(log *slog.Logger) io.Writer { return logWriter{log} }

type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(b []byte) (int, error) {
	w.log.Info("pipeline output stdout", "text", strings.TrimRight(string(b), "\n"))
	return len(b), nil
}
