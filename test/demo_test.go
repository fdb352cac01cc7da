package test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// stages are those of the story, in order.
var stages = []string{"ship", "run", "observe", "detect", "page", "diagnose", "mitigate", "learn"}

// TestDemoSurvivesKills plays the demo and kills it -9 as soon as each stage has
// closed, and once before any has. Each restart goes on, and the loop closes.
func TestDemoSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes a minute")
	}
	t.Parallel()
	d := demo{bin: buildBinary(t), dir: filepath.Join(t.TempDir(), "demo"), address: freeAddress(t)}
	killAfter := append([]string{""}, stages[:len(stages)-1]...)
	for i, stage := range killAfter {
		closed := d.play(t, stage)
		if want := stages[:i]; !slices.Equal(closed[:min(len(closed), i)], want) {
			t.Fatalf("killed after %q: stages %v, want them to begin with %v", stage, closed, want)
		}
	}
	if closed := d.play(t, "the end"); !slices.Equal(closed, stages) {
		t.Fatalf("closed %v, want %v", closed, stages)
	}
}

// demo is one story and where it is told: a page on its way keeps the address
// that it was for.
type demo struct{ bin, dir, address string }

// play runs the automatic demo until the stage has closed, kills it then, and
// returns the stages it named. With "" it is killed when the directory is there,
// with "the end" it must end by itself and well.
func (d demo) play(t *testing.T, until string) (closed []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.bin, "demo", "--auto", "--data", d.dir, "--listen", d.address)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if until == "" {
		awaitFile(t, filepath.Join(d.dir, "state.db"))
		cancel()
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		name, ok := strings.CutPrefix(lines.Text(), "✓ ")
		if name, _, _ = strings.Cut(name, " "); ok {
			closed = append(closed, name)
		}
		if ok && name == until {
			cancel() // kills -9
		}
	}
	if err := cmd.Wait(); until == "the end" && err != nil {
		t.Fatalf("the demo ended with %v after %v; log:\n%s", err, closed, tail(filepath.Join(d.dir, "daytwo.log")))
	}
	return closed
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(readyWithin); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) { // polls a real process
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Fatalf("%s never came", path)
}

func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-4000):])
}
