package tail_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs/tail"
)

// sink is where lines go; it can refuse.
type sink struct {
	mu    sync.Mutex
	lines []string
	fail  int
	came  chan struct{}
}

func (s *sink) send(_ context.Context, lines []tail.Line) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return errors.New("not now")
	}
	for _, l := range lines {
		s.lines = append(s.lines, l.Text)
	}
	select {
	case s.came <- struct{}{}:
	default:
	}
	return nil
}

// until waits for exactly these lines.
func (s *sink) until(t *testing.T, want ...string) {
	t.Helper()
	for deadline := time.After(20 * time.Second); ; {
		s.mu.Lock()
		got := slices.Clone(s.lines)
		s.mu.Unlock()
		if slices.Equal(got, want) {
			return
		}
		select {
		case <-s.came:
		case <-time.After(20 * time.Millisecond): // polls real files
		case <-deadline:
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func follow(t *testing.T, s *sink, c tail.Config) (stop func()) {
	t.Helper()
	c.Send, c.Poll = s.send, 5*time.Millisecond
	f, err := tail.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { _ = f.Run(ctx); close(done) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRotationTruncationAndRestart(t *testing.T) {
	dir := t.TempDir()
	path, s := filepath.Join(dir, "app.log"), &sink{came: make(chan struct{}, 1)}
	c := tail.Config{Paths: []string{filepath.Join(dir, "*.log")}, Positions: filepath.Join(dir, "positions")}
	write(t, path, "one\ntwo\nthr")
	stop := follow(t, s, c)
	s.until(t, "one", "two")
	write(t, path, "ee\n")
	s.until(t, "one", "two", "three")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, path, "four\n")
	s.until(t, "one", "two", "three", "four")
	stop()
	write(t, path, "five\n")
	stop = follow(t, s, c)
	s.until(t, "one", "two", "three", "four", "five")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	write(t, path, "six\n")
	s.until(t, "one", "two", "three", "four", "five", "six")
	stop()
}

func TestSendsAgain(t *testing.T) {
	dir := t.TempDir()
	path, s := filepath.Join(dir, "app.log"), &sink{fail: 2, came: make(chan struct{}, 1)}
	write(t, path, "one\ntwo\n")
	follow(t, s, tail.Config{Paths: []string{path}, Positions: filepath.Join(dir, "positions")})
	s.until(t, "one", "two")
}

func TestMultiline(t *testing.T) {
	dir := t.TempDir()
	path, s := filepath.Join(dir, "app.log"), &sink{came: make(chan struct{}, 1)}
	write(t, path, "2026 error\n  at a\n  at b\n2026 fine\n")
	follow(t, s, tail.Config{Paths: []string{path}, Positions: filepath.Join(dir, "positions"), Multiline: `^\d{4}`})
	s.until(t, "2026 error\n  at a\n  at b", "2026 fine")
}

func TestFromEnd(t *testing.T) {
	dir := t.TempDir()
	path, s := filepath.Join(dir, "app.log"), &sink{came: make(chan struct{}, 1)}
	write(t, path, "old\n")
	other := filepath.Join(dir, "new.log")
	follow(t, s, tail.Config{Paths: []string{filepath.Join(dir, "*.log")}, Positions: filepath.Join(dir, "positions"), FromEnd: true})
	time.Sleep(50 * time.Millisecond) // the first look; what comes later is new either way
	write(t, other, "new\n")
	s.until(t, "new")
}
