package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// part is something that runs as long as the process.
type part struct {
	name string
	run  func(context.Context) error // blocks until its context ends
}

// running is a started part.
type running struct {
	part
	stop context.CancelFunc
	done chan struct{}
	err  error // valid once done is closed
}

// runParts starts parts in order and runs them until ctx ends or one of them
// fails. Then it stops them in reverse order, each after the one that uses it,
// within grace in all. It returns the first failure.
func runParts(ctx context.Context, log *slog.Logger, grace time.Duration, parts []part) error {
	started := make([]*running, 0, len(parts))
	ended := make(chan *running, len(parts))
	for _, p := range parts {
		started = append(started, start(ctx, p, ended))
	}
	var failure error
	select {
	case <-ctx.Done():
	case r := <-ended:
		failure = r.failure()
	}
	deadline := time.After(grace)
	for i := len(started) - 1; i >= 0; i-- {
		r := started[i]
		r.stop()
		select {
		case <-r.done:
			if err := r.err; err != nil && !errors.Is(err, context.Canceled) && failure == nil {
				failure = fmt.Errorf("stopping %s: %w", r.name, err)
			}
		case <-deadline:
			return errors.Join(failure, fmt.Errorf("%s did not stop within %s", r.name, grace))
		}
	}
	log.Info("stopped")
	return failure
}

// start runs p under a context that keeps ctx's values but ends only when the
// part's turn to stop has come.
func start(ctx context.Context, p part, ended chan<- *running) *running {
	own, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &running{part: p, stop: stop, done: make(chan struct{})}
	go func() {
		r.err = p.run(own)
		close(r.done)
		ended <- r
	}()
	return r
}

// failure is why a part ended that should have gone on.
func (r *running) failure() error {
	if r.err == nil {
		return fmt.Errorf("%s ended by itself", r.name)
	}
	return fmt.Errorf("%s: %w", r.name, r.err)
}
