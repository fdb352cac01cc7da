package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	pollEvery = 250 * time.Millisecond
	// stageLimit is how long an automatic stage may take before the demo says
	// that the loop did not close.
	stageLimit = 3 * time.Minute
)

// stage is one step of the story. It closes when the platform itself shows
// that it happened; nothing is assumed.
type stage struct {
	name string
	hint string // what a person does or watches meanwhile
	link string // where, relative to the server
	// act is what the story does of itself when the stage opens; it must bear
	// being called again after a restart.
	act func(context.Context) error
	// play is what the user does, done by --auto alone.
	play func(context.Context) error
	// closed looks whether it happened, and else says what is still missing.
	closed func(context.Context) (done bool, missing string, err error)
}

// StageView is a stage as the API shows it.
type StageView struct {
	Name     string     `json:"name"`
	State    string     `json:"state"` // waiting, active or done
	OpenedAt *time.Time `json:"openedAt,omitempty"`
	ClosedAt *time.Time `json:"closedAt,omitempty"`
	Seconds  float64    `json:"seconds,omitempty"`
	Hint     string     `json:"hint"`
	Link     string     `json:"link,omitempty"`
}

// progress is what is kept in story.json, so that a killed demo goes on.
type progress struct {
	StartedAt time.Time            `json:"startedAt"`
	Opened    map[string]time.Time `json:"opened"`
	Closed    map[string]time.Time `json:"closed"`
}

// story walks the stages in order.
type story struct {
	stages []stage
	auto   bool
	out    io.Writer
	path   string // story.json

	mu   sync.Mutex
	done progress
}

func openStory(dir string, stages []stage, auto bool, out io.Writer) (*story, error) {
	s := &story{stages: stages, auto: auto, out: out, path: filepath.Join(dir, "story.json")}
	p, err := readProgress(dir)
	if err != nil {
		return nil, err
	}
	s.done = p
	return s, nil
}

// readProgress returns the progress kept in dir, empty where there is none.
func readProgress(dir string) (progress, error) {
	p := progress{StartedAt: time.Now().UTC(), Opened: map[string]time.Time{}, Closed: map[string]time.Time{}}
	data, err := os.ReadFile(filepath.Join(dir, "story.json"))
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("%s: %w (start over with --fresh)", filepath.Join(dir, "story.json"), err)
	}
	return p, nil
}

// Run walks the stages until the last has closed.
func (s *story) Run(ctx context.Context) error {
	for _, st := range s.stages {
		if closed := s.closedAt(st.name); closed.IsZero() {
			if err := s.walk(ctx, st); err != nil {
				return err
			}
		}
		s.print(st)
	}
	return nil
}

func (s *story) walk(ctx context.Context, st stage) error {
	if err := s.note(func(p *progress) {
		if p.Opened[st.name].IsZero() {
			p.Opened[st.name] = time.Now().UTC()
		}
	}); err != nil {
		return err
	}
	if s.auto {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, stageLimit, fmt.Errorf("stage %s did not close in %s", st.name, stageLimit))
		defer cancel()
	} else if st.hint != "" {
		fmt.Fprintf(s.out, "→ %s: %s\n", st.name, st.hint)
	}
	missing, err := s.drive(ctx, st)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			err = fmt.Errorf("%w: %s", cause, missing)
		}
		return err
	}
	return s.note(func(p *progress) { p.Closed[st.name] = time.Now().UTC() })
}

// drive acts and plays until st has closed. An error of the platform is what
// is missing, not the end: the platform may be restarting.
func (s *story) drive(ctx context.Context, st stage) (missing string, err error) {
	steps := []func(context.Context) error{st.act}
	if s.auto {
		steps = append(steps, st.play)
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		done, why, err := st.closed(ctx)
		if err == nil && done {
			return "", nil
		}
		if missing = why; err != nil {
			missing = err.Error()
		}
		for len(steps) > 0 {
			if steps[0] != nil {
				if err := steps[0](ctx); err != nil {
					missing = err.Error()
					break
				}
			}
			steps = steps[1:]
		}
		select {
		case <-ctx.Done():
			return missing, ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *story) print(st stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := s.done.Closed[st.name].Sub(s.done.Opened[st.name])
	fmt.Fprintf(s.out, "✓ %s %.1f\n", st.name, took.Seconds())
}

func (s *story) closedAt(name string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done.Closed[name]
}

// note changes the progress and writes it through to disk.
func (s *story) note(change func(*progress)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.done)
	data, err := json.MarshalIndent(s.done, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(s.path, data)
}

// View returns the stages as they stand.
func (s *story) View() []StageView {
	s.mu.Lock()
	defer s.mu.Unlock()
	views := make([]StageView, 0, len(s.stages))
	for _, st := range s.stages {
		v := StageView{Name: st.name, State: "waiting", Hint: st.hint, Link: st.link}
		if at, ok := s.done.Opened[st.name]; ok {
			v.State, v.OpenedAt = "active", &at
		}
		if at, ok := s.done.Closed[st.name]; ok {
			v.State, v.ClosedAt = "done", &at
			v.Seconds = at.Sub(*v.OpenedAt).Seconds()
		}
		views = append(views, v)
	}
	return views
}

// finished tells whether every stage in names has closed.
func (p progress) finished(stages []stage) bool {
	for _, st := range stages {
		if p.Closed[st.name].IsZero() {
			return false
		}
	}
	return len(stages) > 0
}

// replaceFile writes data to path so that a crash leaves the old or the new.
func replaceFile(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
