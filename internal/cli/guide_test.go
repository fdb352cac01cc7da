package cli

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The guide's table of settings is that of the program.
func TestTheGuideNamesEverySetting(t *testing.T) {
	text, err := os.ReadFile("../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Settings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	named := []string{}
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			named = append(named, regexp.MustCompile(`DAYTWO_[A-Z_]+`).FindAllString(cells[1], -1)...)
		}
	}
	known := []string{}
	for _, s := range serverSettings() {
		known = append(known, s.env)
	}
	slices.Sort(named)
	slices.Sort(known)
	if !slices.Equal(named, known) {
		t.Errorf("the guide names\n%v\nthe program knows\n%v", named, known)
	}
}
