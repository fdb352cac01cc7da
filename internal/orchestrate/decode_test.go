package orchestrate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

const full = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
  namespace: default
  labels: {app.kubernetes.io/name: checkout}
spec:
  replicas: 1
  progressDeadlineSeconds: 45
  strategy: {type: Recreate}
  selector:
    matchLabels: {app.kubernetes.io/name: checkout}
  template:
    metadata:
      labels: {app.kubernetes.io/name: checkout, app.kubernetes.io/version: v2}
      annotations: {prometheus.io/scrape: "true", prometheus.io/port: "9090", prometheus.io/path: /m}
    spec:
      restartPolicy: Always
      terminationGracePeriodSeconds: 7
      containers:
        - name: checkout
          image: "process:"
          command: [/opt/shop/checkout] # the program
          args: [--listen, $(PORT)]
          workingDir: /opt/shop
          env:
            - {name: PAYMENTS, value: "http://$(PAYMENTS_SERVICE_HOST):$(PAYMENTS_SERVICE_PORT)"}
          ports:
            - {name: http, containerPort: 8080, protocol: TCP}
          readinessProbe:
            httpGet: {path: /readyz, port: http, scheme: HTTP}
            initialDelaySeconds: 1
            periodSeconds: 2
            timeoutSeconds: 3
            successThreshold: 4
            failureThreshold: 5
`

func TestParse(t *testing.T) {
	all, findings := orchestrate.Parse("checkout.yaml", []byte("---\n---\n"+full))
	if len(findings) > 0 || len(all) != 1 {
		t.Fatal(findings)
	}
	want := orchestrate.Manifest{
		Name: "checkout", Service: "checkout", Version: "v2", Replicas: 1,
		Command: []string{"/opt/shop/checkout"}, Args: []string{"--listen", "$(PORT)"}, Dir: "/opt/shop", Port: 8080, Listens: true,
		Env: []orchestrate.EnvVar{{Name: "PAYMENTS", Value: "http://$(PAYMENTS_SERVICE_HOST):$(PAYMENTS_SERVICE_PORT)"}},
		Probe: &orchestrate.Probe{Path: "/readyz", InitialDelay: time.Second, Period: 2 * time.Second, Timeout: 3 * time.Second,
			SuccessThreshold: 4, FailureThreshold: 5},
		Scrape: &orchestrate.Scrape{Path: "/m", Port: 9090}, Grace: 7 * time.Second, Deadline: 45 * time.Second,
	}
	if !all[0].Same(want) {
		t.Errorf("got  %+v\nwant %+v", all[0], want)
	}
	if !strings.Contains(all[0].Text, "# the program") {
		t.Errorf("comments are lost:\n%s", all[0].Text)
	}
}

// TestParseProbeWithoutPorts: as in Kubernetes, a port need not be declared to
// be asked.
func TestParseProbeWithoutPorts(t *testing.T) {
	const declared = "          ports:\n            - {name: http, containerPort: 8080, protocol: TCP}\n"
	for port, want := range map[string]int{"8081": 8081, `"8081"`: 0, "http": 0, "70000": 0} {
		text := strings.Replace(strings.Replace(full, declared, "", 1), "port: http", "port: "+port, 1)
		all, findings := orchestrate.Parse("f", []byte(text))
		switch {
		case want == 0 && (len(all) > 0 || !strings.Contains(findings[0].String(), "another port than the container's")):
			t.Errorf("port %s: %+v %v", port, all, findings)
		case want > 0 && (len(findings) > 0 || all[0].Port != want || !all[0].Listens):
			t.Errorf("port %s: %+v %v", port, all, findings)
		}
	}
}

// TestParseOddFiles: one bad document spoils the file; nothing odd costs more
// than its finding.
func TestParseOddFiles(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	args := strings.Replace(full, "[--listen, $(PORT)]", "&a [x, x, x]", 1)
	for name, c := range map[string]struct{ text, says string }{
		"huge count":    {strings.Replace(full, "replicas: 1", "replicas: 99999999999999999999", 1), "whole number from 0 to 1"},
		"negative":      {strings.Replace(full, "replicas: 1", "replicas: -1", 1), "whole number from 0 to 1"},
		"slash":         {strings.Replace(full, "name: checkout\n", "name: ../../etc\n", 1), "not a DNS label"},
		"zero byte":     {strings.Replace(full, "name: checkout\n", `name: "a\0b"`+"\n", 1), "zero byte"},
		"raw zero byte": {strings.Replace(full, "name: checkout\n", "name: a\x00b\n", 1), "not valid YAML"},
		"long name":     {strings.Replace(full, "name: checkout\n", "name: "+strings.Repeat("x", 5000)+"\n", 1), "not a DNS label"},
		"bomb":          {full + "---\n" + bomb, "daytwo does not act on"},
		"bomb of args":  {strings.Replace(args, "env:", "command: *a\n          env:", 1), "already on line"},
		"one bad":       {full + "---\n" + strings.Replace(full, "process:", "nginx", 1), "nginx"},
		"twice":         {full + "---\n" + full, "already described"},
		"a cycle":       {"&a [*a]", "must be a mapping"},
		"not UTF-8":     {strings.Replace(full, "name: checkout\n", "name: \xff\xfe\n", 1), "not valid YAML"},
	} {
		begun := time.Now()
		_, findings := orchestrate.Parse("f", []byte(c.text))
		said := ""
		for _, f := range findings {
			said += f.String() + "\n"
		}
		if !problem.Broken(findings) || !strings.Contains(said, c.says) || len(said) > 20<<10 {
			t.Errorf("%s: %d bytes: %.2000s", name, len(said), said)
		}
		if took := time.Since(begun); took > 20*time.Second { // without its bound, the bomb takes for ever
			t.Errorf("%s took %v", name, took)
		}
	}
	odd := strings.Replace(full, "name: PAYMENTS, value: \"http", "name: PAYMENTS, value: \"two\\nlines http", 1)
	all, findings := orchestrate.Parse("f", []byte(odd))
	if len(findings) > 0 || !strings.HasPrefix(all[0].Env[0].Value, "two\nlines") {
		t.Error(all, findings)
	}
}

func TestParseNamesWhatItWouldIgnore(t *testing.T) {
	for _, c := range []struct{ old, new, says string }{
		{"kind: Deployment", "kind: StatefulSet", `f:2:7: kind "StatefulSet" is not supported, only Deployment`},
		{"name: checkout\n  namespace", "name: Check_out\n  namespace", `f:4:3: metadata.name "Check_out" is not a DNS label`},
		{"replicas: 1", "replicas: 3", "f:8:13: spec.replicas must be a whole number from 0 to 1"},
		{"{type: Recreate}", "{type: RollingUpdate}", `f:10:20: spec.strategy.type "RollingUpdate" is not supported, only Recreate (a process is stopped before`},
		{"/name: checkout}\n  template", "/name: other}\n  template", "f:12:19: spec.selector.matchLabels app.kubernetes.io/name does not match"},
		{"restartPolicy: Always", "restartPolicy: Never", `f:18:22: restartPolicy "Never" is not supported`},
		{"restartPolicy: Always", "volumes: []", `f:18:7: spec.template.spec: daytwo does not act on "volumes" (remove it; here daytwo reads containers,`},
		{`image: "process:"`, "image: nginx:1.29", `f:22:18: image "nginx:1.29" is not supported, only process: (daytwo runs processes of this host`},
		{`image: "process:"`, `resources: {}`, `f:22:11: the container: daytwo does not act on "resources"`},
		{`image: "process:"`, `resources: {}`, "f:21:11: the container: image is missing"},
		{"name: PAYMENTS, value", "name: PAYMENTS, valueFrom", `f:27:32: an env entry: daytwo does not act on "valueFrom"`},
		{"name: PAYMENTS", "name: PORT", "f:27:15: PORT is given to the process by daytwo"},
		{"port: http", "port: 9999", "f:31:44: readinessProbe asks another port than the container's"},
		{"periodSeconds: 2", "periodSeconds: 2.5", "periodSeconds must be a whole number"},
		{"workingDir: /opt/shop", "workingDir: shop", "workingDir must be an absolute path"},
		{"[--listen, $(PORT)]", "[--listen, 8080]", "f:24:28: an item of args must be text (put it in quotes)"},
		{"replicas: 1", "replicas: 1\n  replicas: 0", `f:9:3: spec has "replicas" already on line 8`},
		{`"true"`, `"yes please"`, "prometheus.io/scrape is not a boolean"},
		{"metadata:\n  name", "metadata: {", "f:2: not valid YAML"},
	} {
		text := strings.Replace(full, c.old, c.new, 1)
		all, findings := orchestrate.Parse("f", []byte(text))
		said := ""
		for _, f := range findings {
			said += f.String() + "\n"
		}
		if !strings.Contains(said, c.says) || len(all) > 0 {
			t.Errorf("%s → %s: want %q, got %d manifests and\n%s", c.old, c.new, c.says, len(all), said)
		}
	}
}

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", full)
	write("notes.txt", "not read")
	all, findings := orchestrate.ReadDir(dir)
	if len(all) != 1 || len(findings) != 1 || problem.Broken(findings) || !strings.Contains(findings[0].String(), "workload checkout refers to payments, which is not described here") {
		t.Error(len(all), findings)
	}
	write("b.yml", full)
	if _, findings := orchestrate.ReadDir(dir); !problem.Broken(findings) || !strings.Contains(findings[0].String(), "already described in") {
		t.Error(findings)
	}
	if all, findings := orchestrate.ReadDir(filepath.Join(dir, "none")); len(all)+len(findings) > 0 {
		t.Error("a missing directory has no manifests")
	}
}

// FuzzParse: no input breaks the decoder, and what it accepts means the same
// when it is written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(full + "---\n" + strings.ReplaceAll(full, "checkout", "payments")))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("apiVersion: &v apps/v1\nkind: *v\nmetadata: {labels: {<<: {a: b}}}"))
	f.Add([]byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"spec":{"selector":{"matchLabels":{}},` +
		`"template":{"spec":{"containers":[{"image":"process:","command":["x"]}]}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, findings := orchestrate.Parse("f", data)
		for _, x := range findings {
			if x.Message == "" || x.Line < 0 {
				t.Errorf("finding %+v", x)
			}
		}
		for _, m := range all {
			again, findings := orchestrate.Parse("f", []byte(m.Text))
			if len(again) != 1 || problem.Broken(findings) || !again[0].Same(m) {
				t.Fatalf("%v\nfirst  %+v\nsecond %+v\n%s", findings, m, again, m.Text)
			}
			if again[0].Text != m.Text {
				t.Fatalf("written differently:\n%q\n%q", m.Text, again[0].Text)
			}
		}
	})
}
