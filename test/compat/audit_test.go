package compat

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAuditHotROD audits Jaeger's HotROD, as it is released: a demo that many
// copy from. SIGTERM ends it with requests on their way.
func TestAuditHotROD(t *testing.T) {
	hotrod, err := filepath.Abs(filepath.Join(cache, "hotrod", "hotrod"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(hotrod); err != nil {
		t.Skip("SKIPPED: HotROD is not there: test/compat/setup")
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "../../cmd/daytwo", "audit", filepath.Dir(hotrod), "-q", "-o", "json",
		"--request", "/dispatch?customer=123", "--", hotrod, "all", "--frontend-service-port", "{port}", "--otel-exporter", "stdout")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	var report struct {
		Findings []struct {
			Factor, Grade string
			Evidence      []struct{ Text string }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	lost := regexp.MustCompile(`^SIGTERM lost [1-8] of [1-8] requests on their way`)
	for _, f := range report.Findings {
		for _, e := range f.Evidence {
			if f.Factor == "disposability" && f.Grade == "fail" && lost.MatchString(e.Text) {
				t.Log(e.Text)
				return
			}
		}
	}
	t.Errorf("the lost requests were not found:\n%s", out)
}
