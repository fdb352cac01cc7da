package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// journal remembers the order in which parts stop.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) part(name string, err error) part {
	return part{name, func(ctx context.Context) error {
		<-ctx.Done()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.lines = append(j.lines, name)
		return err
	}}
}

func TestPartsStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		err := runParts(ctx, slog.New(slog.DiscardHandler), time.Minute, []part{j.part("store", nil), j.part("engine", context.Canceled), j.part("web", nil)})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"web", "engine", "store"}; !slices.Equal(j.lines, want) {
			t.Fatalf("stopped %v, want %v", j.lines, want)
		}
	})
}

func TestOneFailureStopsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		broken := part{"engine", func(context.Context) error { return errors.New("no more disk") }}
		err := runParts(t.Context(), slog.New(slog.DiscardHandler), time.Minute, []part{j.part("store", nil), broken, j.part("web", nil)})
		if err == nil || err.Error() != "engine: no more disk" {
			t.Fatalf("got %v", err)
		}
		if want := []string{"web", "store"}; !slices.Equal(j.lines, want) {
			t.Fatalf("stopped %v, want %v", j.lines, want)
		}
	})
}

func TestGraceBoundsTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := part{"engine", func(context.Context) error { <-release; return nil }}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := runParts(ctx, slog.New(slog.DiscardHandler), time.Second, []part{stuck})
		if err == nil || !strings.Contains(err.Error(), "engine did not stop within 1s") {
			t.Fatalf("got %v", err)
		}
		close(release)
		synctest.Wait()
	})
}
