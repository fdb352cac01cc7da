package ui_test

import (
	"encoding/json"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"regexp"
	"strings"
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

// TestInstallable proves that what telephones install of it is there: a manifest, and each of its icons.
func TestInstallable(t *testing.T) {
	public := os.DirFS("public") // which the build takes over as it is
	data, err := fs.ReadFile(public, "manifest.webmanifest")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Name     string
		StartURL string `json:"start_url"`
		Icons    []struct{ Src, Sizes string }
	}
	if err := json.Unmarshal(data, &manifest); err != nil || manifest.Name == "" || manifest.StartURL != "/" || len(manifest.Icons) < 3 {
		t.Fatalf("%s: %v", data, err)
	}
	for _, icon := range manifest.Icons {
		f, err := public.Open(strings.TrimPrefix(icon.Src, "/"))
		if err != nil {
			t.Error(err)
			continue
		}
		if picture, err := png.DecodeConfig(f); icon.Sizes != "any" && (err != nil || icon.Sizes != fmt.Sprintf("%dx%d", picture.Width, picture.Height)) {
			t.Errorf("%s is said to be %s, and is %d by %d: %v", icon.Src, icon.Sizes, picture.Width, picture.Height, err)
		}
		f.Close()
	}
}
