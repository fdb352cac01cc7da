package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// sayAgain is how long a target's line is not repeated.
const sayAgain = 10 * time.Minute

// seldom keeps a log readable when a target fails, which it does in the same words at every scrape: it passes each warning
// of a target once in a while, with how many were withheld since. What fails now is in `up` and in the list of targets.
type seldom struct {
	slog.Handler
	mu   sync.Mutex
	said map[string]*line // by message, of which there are few: they are constants
}

type line struct {
	at       time.Time
	withheld int
}

func newSeldom(h slog.Handler) *seldom { return &seldom{Handler: h, said: map[string]*line{}} }

// Handle implements slog.Handler.
func (s *seldom) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return s.Handler.Handle(ctx, r)
	}
	withheld, pass := s.pass(r)
	if !pass {
		return nil
	}
	if withheld > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("withheld", withheld))
	}
	return s.Handler.Handle(ctx, r)
}

func (s *seldom) pass(r slog.Record) (withheld int, pass bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.said[r.Message]
	if last != nil && r.Time.Sub(last.at) < sayAgain {
		last.withheld++
		return 0, false
	}
	if last != nil {
		withheld = last.withheld
	}
	s.said[r.Message] = &line{at: r.Time}
	return withheld, true
}

// WithAttrs implements slog.Handler: each target has a logger of its own, and so its own silence.
func (s *seldom) WithAttrs(attrs []slog.Attr) slog.Handler {
	return newSeldom(s.Handler.WithAttrs(attrs))
}

// WithGroup implements slog.Handler.
func (s *seldom) WithGroup(name string) slog.Handler { return newSeldom(s.Handler.WithGroup(name)) }
