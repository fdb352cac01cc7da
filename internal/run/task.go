package run

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Task is what a Kind's Run, and each of its steps, works with. Its methods may
// be called from several goroutines.
type Task struct {
	x      *execution
	parent *Task // nil for the run itself
	path   string
	depth  int // of its steps

	mu      sync.Mutex
	names   map[string]bool // path segments of its steps
	output  map[string]string
	writers []*lineWriter
}

// Run is the run as it was when it started, without steps.
func (t *Task) Run() Run { return t.x.run }

// Input decodes the Input of the run's Spec into dst.
func (t *Task) Input(dst any) error {
	if err := json.Unmarshal(t.x.input, dst); err != nil {
		return problem.New(problem.Invalid, "the input of the run does not fit: %w", err)
	}
	return nil
}

// Mask hides secrets from now on: in the log, in errors and in outputs. Call it
// outside the steps, which may be skipped. Values under four bytes are not
// hidden.
func (t *Task) Mask(secrets ...string) { t.x.mask.add(secrets...) }

// Logf writes to the log.
func (t *Task) Logf(format string, args ...any) { t.say(Out, fmt.Sprintf(format, args...)) }

// Writer writes to the log, by line. The last line needs no end.
func (t *Task) Writer() io.Writer { return t.writer(Out) }

// Output adds to the output of the run. What a step adds counts when the step
// succeeds, and is there again without it after a resumption.
func (t *Task) Output(values map[string]string) { t.merge(t.x.mask.applyAll(values)) }

// Outputs returns the output so far, as this task sees it.
func (t *Task) Outputs() map[string]string {
	all := map[string]string{}
	if t.parent != nil {
		all = t.parent.Outputs()
	}
	maps.Copy(all, t.ownOutput())
	return all
}

func (t *Task) merge(values map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.output == nil {
		t.output = map[string]string{}
	}
	maps.Copy(t.output, values)
}

func (t *Task) ownOutput() map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.output)
}

func (t *Task) say(stream, text string) { t.x.log.say(t.path, stream, text) }

func (t *Task) writer(stream string) *lineWriter {
	w := &lineWriter{task: t, stream: stream}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writers = append(t.writers, w)
	return w
}

// close writes lines without an end.
func (t *Task) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.writers {
		w.flush()
	}
	t.writers = nil
}
