package ui_test

import (
	"io/fs"
	"regexp"
	"testing"

	"github.com/daytwo-dev/daytwo/ui"
)

var asset = regexp.MustCompile(`(?:src|href)="/([^"]+)"`)

// TestDistIsWhole proves that what is embedded can be opened: index.html names only files that came with it.
func TestDistIsWhole(t *testing.T) {
	index, err := fs.ReadFile(ui.Dist(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	named := asset.FindAllSubmatch(index, -1)
	if len(named) == 0 {
		t.Error("index.html names no file")
	}
	for _, m := range named {
		if _, err := fs.Stat(ui.Dist(), string(m[1])); err != nil {
			t.Error(err)
		}
	}
}
