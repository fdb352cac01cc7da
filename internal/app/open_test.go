package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// SECURITY.md names every path for which nobody has to sign in, and no other.
func TestOpenPathsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	named := []string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue // no row of the table
		}
		for _, m := range regexp.MustCompile("`(/[^`]*)`").FindAllStringSubmatch(cells[1], -1) {
			named = append(named, m[1])
		}
	}
	slices.Sort(named)
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Listen: "127.0.0.1:0", DataDir: filepath.Join(t.TempDir(), "data"), Retention: time.Hour, Runs: 1, Grace: time.Second, HostMetrics: true}
	a, err := New(t.Context(), c, Options{Logger: slog.New(slog.DiscardHandler), Listener: ln})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if open := a.server.Open(); !slices.Equal(open, named) {
		t.Errorf("open are\n%s\nSECURITY.md names\n%s", strings.Join(open, "\n"), strings.Join(named, "\n"))
	}
}
