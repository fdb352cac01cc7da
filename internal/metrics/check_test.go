package metrics_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/metrics"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, config, rules string
		want                []string // file:line:column: message, in order; a part is enough
	}{
		{name: "nothing to say", config: "global: {scrape_interval: 15s}\n"},
		{name: "empty", config: ""},
		{
			name:   "unknown fields, each at its line",
			config: "global:\n  scrape_intervall: 15s\nscrape_configs:\n  - job_name: a\n    static_config: []\n",
			want:   []string{"prometheus.yml:2:1: field scrape_intervall not found", "prometheus.yml:5:1: field static_config not found"},
		},
		{
			name:   "two jobs of one name",
			config: "scrape_configs:\n  - job_name: a\n  - job_name: a\n",
			want:   []string{`prometheus.yml:3:15: found multiple scrape configs with job name "a"`},
		},
		{
			name:   "discovery that is left out",
			config: "scrape_configs:\n  - job_name: a\n    consul_sd_configs: [{server: 'x:1'}]\n    ec2_sd_configs: [{}]\n",
			want: []string{"prometheus.yml:3:5: consul_sd_configs is not built into daytwo (use dns_sd_configs with Consul's DNS names",
				"prometheus.yml:4:5: ec2_sd_configs is not built into daytwo (write the targets to a file_sd_configs file"},
		},
		{
			name:   "what has no effect",
			config: "tracing: {endpoint: 'a:4317'}\nalerting:\n  alertmanagers:\n    - static_configs: [{targets: ['a:9093']}]\nruntime: {gogc: 60}\nstorage: {exemplars: {max_exemplars: 10}}\n",
			want:   []string{"prometheus.yml:1:1: warning: tracing has no effect"},
		},
		{
			name:   "a job scraped too rarely",
			config: "scrape_configs:\n  - job_name: rare\n    scrape_interval: 10m\n",
			want:   []string{`prometheus.yml:2:15: warning: job "rare" is scraped every 10m`},
		},
		{
			name:   "a target that is a URL",
			config: "scrape_configs:\n  - job_name: site\n    static_configs: [{targets: ['http://x']}]\n    relabel_configs: [{source_labels: [__address__], target_label: instance}]\n",
			want:   []string{`prometheus.yml:2:15: warning: job "site" has a target that cannot be scraped: instance 0 in group 0: "http://x" is not a valid hostname (targets are host:port`},
		},
		{
			name: "daytwo itself",
			config: `scrape_configs:
  - job_name: me
    static_configs: [{targets: ['b:1', 'localhost:2020']}]
  - job_name: federation
    metrics_path: /federate
    static_configs: [{targets: ['localhost:2020']}]
  - job_name: daytwo
    dns_sd_configs: [{names: [daytwo.example]}]
  - job_name: others
    static_configs: [{targets: ['10.0.0.7:2020', 'localhost:2021', 'localhost']}]
`,
			want: []string{`prometheus.yml:2:15: warning: job "me" scrapes daytwo itself: the built-in job "daytwo", which does so without it, steps back`,
				`prometheus.yml:7:15: warning: job "daytwo" scrapes daytwo itself`},
		},
		{
			name:   "targets in a file",
			config: "scrape_configs:\n  - job_name: a\n    file_sd_configs: [{files: ['rules.yml', 'later.json']}]\n",
			rules:  "- targets: 5\n",
			want:   []string{"prometheus.yml:3:45: warning: job \"a\": no file matches", `rules.yml:1:1: "5" is not a list`},
		},
		{
			name:   "no such rule file",
			config: "rule_files:\n  - absent.yml\n  - none*.yml\n",
			want:   []string{"prometheus.yml:2:5: rule file ", "prometheus.yml:3:5: warning: no file matches"},
		},
		{
			name:   "rules",
			config: "rule_files: [rules.yml]\n",
			rules: `groups:
  - name: g
    rules:
      - alert: Down
        expr: up ==
      - record: a b
        expr: up
      - alert: Down
        expr: up == 0
        annotations: {summary: '{{ $labels.x '}
`,
			want: []string{
				`rules.yml:5:15: group "g", rule 1, "Down": could not parse expression: 1:6: parse error`,
				`rules.yml:8:16: warning: Down stands here twice`,
				`rules.yml:10:32: group "g", rule 3, "Down": annotation "summary": template`,
			},
		},
		{
			name:   "a bad template whose key stands in a later rule too",
			config: "rule_files: [rules.yml]\n",
			rules: `groups:
  - name: g
    rules:
      - alert: First
        expr: up == 0
        annotations:
          summary: "{{ $labels.instance }"
      - alert: Second
        expr: up == 0
        annotations:
          summary: "ok {{ $labels.instance }}"
`,
			want: []string{`rules.yml:7:20: group "g", rule 1, "First": annotation "summary": template`},
		},
		{
			name:   "a file of credentials that is not there",
			config: "scrape_configs:\n  - job_name: a\n    authorization:\n      credentials_file: absent\n",
			want:   []string{"prometheus.yml:4:25: warning: credentials_file "},
		},
		{
			name: "an Alertmanager whose address is a URL",
			config: `alerting:
  alertmanagers:
    - relabel_configs: [{source_labels: [__address__], target_label: __param_target}]
      static_configs: [{targets: ['good:9093', 'http://bad']}]
    - relabel_configs: [{target_label: __address__, replacement: good}]
      static_configs: [{targets: ['http://worse']}]
`,
			want: []string{`prometheus.yml:4:48: alertmanagers: "http://bad" is not a valid hostname (targets are host:port`},
		},
		{
			name:   "rules of the Prometheus operator",
			config: "rule_files: [rules.yml]\n",
			rules:  "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n  groups: []\n",
			want:   []string{"rules.yml:2:7: a PrometheusRule of the Prometheus operator is no rule file (take what is under spec)"},
		},
		{
			name:   "a field that rules do not have",
			config: "rule_files: [rules.yml]\n",
			rules:  "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: up\n        fro: 5m\n",
			want:   []string{"rules.yml:6:1: field fro not found: it does not belong here"},
		},
		{
			name:   "a number where a duration belongs",
			config: "rule_files: [rules.yml]\n",
			rules:  "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: up\n        for: 5\n",
			want:   []string{"rules.yml:"},
		},
		{
			name:   "text where a list belongs",
			config: "scrape_configs: yes please\n",
			want:   []string{`prometheus.yml:1:1: "yes please" is not a list`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "prometheus.yml"), c.config)
			if c.rules != "" {
				write(t, filepath.Join(dir, "rules.yml"), c.rules)
			}
			findings := metrics.Check(filepath.Join(dir, "prometheus.yml"), "http://127.0.0.1:2020/metrics")
			var got []string
			for _, f := range findings {
				got = append(got, strings.ReplaceAll(f.String(), dir+"/", ""))
			}
			for i, want := range c.want {
				if i >= len(got) || !strings.HasPrefix(got[i], want) {
					t.Errorf("finding %d: want %s", i, want)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("%d findings, want %d", len(got), len(c.want))
			}
			if t.Failed() {
				t.Logf("got:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

func TestCheckOfAFileThatIsNotThere(t *testing.T) {
	if findings := metrics.Check(filepath.Join(t.TempDir(), "prometheus.yml"), ""); len(findings) > 0 {
		t.Errorf("findings: %v", findings)
	}
}

// Whatever stands in the place of a file is refused by its own name, at once.
func TestCheckOfWhatIsNoFile(t *testing.T) {
	for key, config := range map[string]string{
		"itself":       "",
		"rules":        "rule_files: [%s]\n",
		"more jobs":    "scrape_config_files: [%s]\n",
		"targets":      "scrape_configs: [{job_name: a, file_sd_configs: [{files: [%s]}]}]\n",
		"certificate":  "scrape_configs: [{job_name: a, tls_config: {ca_file: %s}}]\n",
		"password":     "remote_write: [{url: 'http://a', basic_auth: {username: a, password_file: %s}}]\n",
		"header files": "scrape_configs: [{job_name: a, http_headers: {X-A: {files: [%s]}}}]\n",
	} {
		t.Run(key, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "prometheus.yml")
			pipe := filepath.Join(filepath.Dir(path), "pipe.yml")
			if key == "itself" {
				pipe = path
			} else {
				write(t, path, fmt.Sprintf(config, pipe))
			}
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Skipf("no pipes here: %v", err)
			}
			checked := make(chan []problem.Finding, 1)
			go func() { checked <- metrics.Check(path, "http://127.0.0.1:2020/metrics") }()
			select {
			case findings := <-checked:
				if len(findings) != 1 || !problem.Broken(findings) || !strings.Contains(findings[0].String(), "pipe.yml") && key != "itself" ||
					!strings.Contains(findings[0].Message, "it is a named pipe") || findings[0].Mend == "" {
					t.Errorf("findings: %v", findings)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("the check waits for a writer of the pipe")
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		"", "global: {scrape_interval: 15s}", "scrape_configs:\n- job_name: a\n  static_configs: [{targets: ['a:1']}]", "rule_files: [\"*\"]",
		"scrape_configs: [{job_name: 1, kubernetes_sd_configs: 5}]", "? [a]\n: b", "&a [*a]", "groups: [{name: g, rules: [{alert: A, expr: up}]}]",
	} {
		f.Add(seed, seed)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, config, rules string) {
		path := filepath.Join(dir, "prometheus.yml")
		for name, text := range map[string]string{path: config, filepath.Join(dir, "rules.yml"): rules} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, finding := range metrics.Check(path, "http://127.0.0.1:2020/metrics") {
			if finding.Line < 0 || finding.Column < 0 || finding.Message == "" || finding.File == "" ||
				(finding.Severity != problem.SeverityError && finding.Severity != problem.SeverityWarning) {
				t.Errorf("incomplete finding %+v", finding)
			}
		}
	})
}
