package tail_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
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

// copytruncate, with the file grown over the old position before the next look:
// no line is lost and none is cut in half. What was not a whole line comes as it is.
func TestTruncatedAndGrownAgain(t *testing.T) {
	dir := t.TempDir()
	path, s := filepath.Join(dir, "app.log"), &sink{came: make(chan struct{}, 1)}
	var first, second strings.Builder
	var want []string
	lines := func(b *strings.Builder, letter string, n int) {
		for i := range n {
			fmt.Fprintf(b, "%s%d\n", letter, i)
			want = append(want, fmt.Sprint(letter, i))
		}
	}
	lines(&first, "a", 20)
	write(t, path, first.String()+"half")
	c := tail.Config{Paths: []string{path}, Positions: filepath.Join(dir, "positions")}
	stop := follow(t, s, c)
	s.until(t, want...)
	want = append(want, "half")
	lines(&second, "b", 100)
	overwrite(t, path, second.String())
	s.until(t, want...)

	// The same head, and other lines behind it, while nobody looks.
	stop()
	want = append(want, "b0")
	var third strings.Builder
	third.WriteString("b0\n")
	lines(&third, "c", 200)
	overwrite(t, path, third.String())
	follow(t, s, c)
	s.until(t, want...)
}

// overwrite empties a file and fills it in one step for whoever looks: the write
// is larger than what stood there before.
func overwrite(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A file that was renamed to what no pattern matches while nobody followed it is
// read to its end, once; so is what comes to a renamed file from a program that
// has it open still.
func TestRenamedWhileAway(t *testing.T) {
	dir := t.TempDir()
	path, s := filepath.Join(dir, "access.log"), &sink{came: make(chan struct{}, 1)}
	c := tail.Config{Paths: []string{filepath.Join(dir, "*.log")}, Positions: filepath.Join(dir, "positions"), Linger: time.Hour}
	write(t, path, "one\n")
	stop := follow(t, s, c)
	s.until(t, "one")
	stop()
	write(t, path, "two\nthree\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, path, "four\n")
	stop = follow(t, s, c)
	s.until(t, "one", "two", "three", "four")
	write(t, path+".1", "late\n")
	s.until(t, "one", "two", "three", "four", "late")
	stop()
	c.Linger = time.Nanosecond
	stop = follow(t, s, c)
	write(t, path, "five\n")
	s.until(t, "one", "two", "three", "four", "late", "five")
	stop()
	data, err := os.ReadFile(c.Positions)
	if err != nil {
		t.Fatal(err)
	}
	var kept map[string]any
	if err := json.Unmarshal(data, &kept); err != nil || len(kept) != 1 {
		t.Errorf("%s: the position of a file that was read to its end is kept", data)
	}
}

// Positions of before there were checksums of the bytes before them are read.
func TestOldPositions(t *testing.T) {
	dir := t.TempDir()
	path, s := filepath.Join(dir, "app.log"), &sink{came: make(chan struct{}, 1)}
	write(t, path, "one\ntwo\n")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	c := tail.Config{Paths: []string{path}, Positions: filepath.Join(dir, "positions")}
	write(t, c.Positions, fmt.Sprintf(`{"%d-%d":{"path":%q,"offset":4,"head":%d,"length":4}}`, st.Dev, st.Ino, path, crc32.ChecksumIEEE([]byte("one\n"))))
	follow(t, s, c)
	s.until(t, "two")
}

func TestWarnsOfPatternWithoutFiles(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	s := &sink{came: make(chan struct{}, 1)}
	c := tail.Config{Paths: []string{filepath.Join(dir, "*.lgo"), filepath.Join(dir, "*.log")}, Positions: filepath.Join(dir, "positions"), Logger: slog.New(slog.NewTextHandler(&log, nil))}
	write(t, filepath.Join(dir, "a.log"), "one\n")
	stop := follow(t, s, c)
	s.until(t, "one")
	stop()
	if n := strings.Count(log.String(), "no file matches"); n != 1 || !strings.Contains(log.String(), "*.lgo") {
		t.Errorf("%d warnings: %s", n, log.String())
	}
}

// Seen tells the bytes before the position whatever the sizes of what is added.
func TestSeen(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdefg"), 100)
	for _, step := range []int{1, 7, 255, 256, 257, 1000} {
		var s tail.Seen
		for at := 0; at < len(text); at += step {
			s.Add(text[at:min(len(text), at+step)])
			if !s.Still(bytes.NewReader(text)) {
				t.Fatalf("steps of %d: at %d it is not what was read", step, s.Offset())
			}
			again, ok := tail.Resume(bytes.NewReader(text), s.Offset(), s.Print())
			if !ok || again != s {
				t.Fatalf("steps of %d: at %d it is not taken up again", step, s.Offset())
			}
			other := bytes.Clone(text)
			other[s.Offset()-1]++
			if _, ok := tail.Resume(bytes.NewReader(other), s.Offset(), s.Print()); ok || s.Still(bytes.NewReader(other)) {
				t.Fatalf("steps of %d: at %d another byte is not noticed", step, s.Offset())
			}
		}
	}
}
