package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/app"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// A file that would be ignored for its name's last letters is not ignored silently.
func TestCheckNamesYAMLFiles(t *testing.T) {
	for _, name := range []string{"daytwo", "prometheus", "alertmanager"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			says := func(severity problem.Severity, want string) {
				t.Helper()
				findings, err := app.Check(t.Context(), dir, "127.0.0.1:2020")
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range findings {
					if strings.HasSuffix(f.String(), want) && f.Severity == severity {
						return
					}
				}
				t.Errorf("%v, want %q", findings, want)
			}
			write(name+".yaml", "x: 1\n")
			says(problem.SeverityError, name+".yaml: this file is not read (rename it "+name+".yml)")
			write(name+".yml", "")
			says(problem.SeverityWarning, name+".yaml: warning: this file is not read, "+name+".yml beside it is (remove one of them)")
		})
	}
}
