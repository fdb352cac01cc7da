package metrics_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/metrics"
)

// Whoever makes a mistake that many make is told where it stands and what helps.
func TestMends(t *testing.T) {
	job := func(lines string) string { return "scrape_configs:\n  - job_name: node\n" + lines }
	targets := "    static_configs: [{targets: ['a:1']}]\n"
	alert := func(lines string) string {
		return "groups:\n  - name: g\n    rules:\n      - alert: A\n" + lines
	}
	for _, c := range []struct{ text, want string }{
		{job("    static_configs:\n      - target: ['a:1']\n"), ":4:1: field target not found: it does not belong here (did you mean targets?)"},
		{job("  static_configs:\n    - targets: ['a:1']\n"), ":2:1: did not find expected '-' indicator (look at the indentation"},
		{"global: {scrape_interval: 15}\n", `:1:27: not a valid duration string: "15" (write a number with its unit`},
		{"global: {scrape_interval: 15 s}\n", `:1:27: unknown unit " s" in duration "15 s" (write a number with its unit`},
		{job("    scrape_timeout: 30m\n"), "scrape timeout greater than scrape interval for scrape config with job name \"node\" (lower scrape_timeout"},
		{job(targets + "  - job_name: node\n" + targets), `:4:15: found multiple scrape configs with job name "node" (give each job its own name`},
		{"scrape_configs:\n\t- job_name: node\n", ":2:1: found character that cannot start any token (indent with spaces"},
		{job("    static_configs:\n      - targets: ['a:1/metrics']\n"), `:4:19: "a:1/metrics" is not a valid hostname (targets are host:port`},
		{job("    relabel_configs: [{action: remove}]\n"), `:3:32: unknown relabel action "remove" (replace, keep, drop`},
		{job("    relabel_configs: [{source_labels: [a]}]\n"), ":3:5: relabel configuration for replace action requires 'target_label' value (add target_label"},
		{job("    relabel_configs: [{regex: '(.*'}]\n"), ":3:31: error parsing regexp: missing closing ): `^(?s:(.*)$` (correct the regular expression"},
		{"scrape_configs:\n  - " + strings.TrimSpace(targets) + "\n", ":1:1: job_name is empty (give each job a job_name)"},
		{job("    static_configs: [{targets: 'a:1'}]\n"), `is not a list (write [one, another]`},
		{"scrape_config: []\n", ":1:1: field scrape_config not found: it does not belong here (did you mean scrape_configs?)"},
		{"rules: [a.yml]\n", ":1:1: field rules not found: it does not belong here (rule files are named by rule_files"},
		{job("    metric_path: /x\n"), "(did you mean metrics_path?)"},
		{job("    bearer_token: x\n    basic_auth: {username: a, password: b}\n"), ":4:5: at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured (keep one of them)"},
		{job("    file_sd_configs: [{files: [a.txt]}]\n"), `path name "a.txt" is not valid for file discovery (names end in .json, .yml or .yaml)`},
		{job("    scheme: htps\n" + targets), `:3:13: warning: job "node" cannot be scraped by "htps" (write http or https)`},
		{"remote_write: [{url: 'x:9090/api/v1/write'}]\n", `:1:22: warning: remote_write cannot send to x:9090/api/v1/write (write a whole URL`},
		{"global: {}\nglobal: {}\n", "(keep one of them)"},
		{alert("        expr: up = 0\n"), `unexpected "=" (compare by ==)`},
		{alert("        expr: rate(x)\n"), "got instant vector (add a range, as in x[5m])"},
		{alert("        expr: up{job=node}\n"), `expected string (quote the value: {job="node"})`},
		{alert("        expr: sum(x) by instance\n"), "(put parentheses around the labels: by (instance))"},
		{alert("        expr: rate(x[5m]\n"), "unclosed left parenthesis (close it by ))"},
		{alert("        expr: {a='b'} == 0\n"), ":4:1: did not find expected key (look at the indentation here and above, and quote a text that begins with {"},
		{alert("        expr: up\n        for: 5\n"), `:6:14: not a valid duration string: "5" (write a number with its unit`},
		{alert("        expr: up\n        annotation: {summary: x}\n"), "(did you mean annotations?)"},
		{alert("        expr: up\n        summary: x\n"), ":6:1: field summary not found: it does not belong here (put it below annotations)"},
		{alert("        expr: up\n        annotations: {summary: '{{ $value | humanise }}'}\n"), `function "humanise" not defined (correct the name of the function`},
		{alert("        expr: up\n        annotations: {summary: '{{ $label.a }}'}\n"), `undefined variable "$label" (there are $labels, $value`},
		{alert("        expr: up\n        record: a\n"), "(make two rules of it)"},
		{"groups:\n  - name: g\n  - name: g\n", "(give each group its own name)"},
	} {
		path := filepath.Join(t.TempDir(), "a.yml")
		write(t, path, c.text)
		var all []string
		for _, f := range metrics.CheckFile(t.Context(), path, "") {
			all = append(all, strings.TrimPrefix(f.String(), path))
		}
		if got := strings.Join(all, "\n"); !strings.Contains(got, c.want) || strings.HasPrefix(c.want, ":") && !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}
