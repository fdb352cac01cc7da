package alertmanager_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/alert/alertmanager"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"nothing wrong": {"route: {receiver: daytwo}\nreceivers: [{name: daytwo}]\n", ""},
		"an undefined receiver": {
			"route:\n  receiver: a\n  routes:\n    - receiver: b\n      matchers: [x=\"y\"]\nreceivers: [{name: a, webhook_configs: [{url: 'http://x/'}]}]\n",
			`4:17: undefined receiver "b" used in route (add a receiver of that name, or correct the route)`,
		},
		"an unknown field": {
			"route:\n  receiver: a\n  group_bye: [x]\nreceivers: [{name: a}]\n",
			`3:3: field group_bye not found in type config.plain (correct the name of the field, or take it out)`,
		},
		"an undefined interval": {
			"route:\n  receiver: daytwo\n  routes:\n    - mute_time_intervals: [nights]\nreceivers: [{name: daytwo}]\n",
			`4:29: undefined time interval "nights" used in route (add it to time_intervals, or correct the route)`,
		},
		"two of a name": {
			"route: {receiver: a}\nreceivers:\n  - {name: a}\n  - {name: a}\n",
			`4:12: notification config name "a" is not unique (give each its own name)`,
		},
		"no smarthost": {
			"route: {receiver: a}\nreceivers:\n  - name: a\n    email_configs: [{to: a@b.c}]\n",
			`4:20: no global SMTP smarthost set (set global.smtp_smarthost, or smarthost on the receiver)`,
		},
		"a URL that is none": {
			"global: {slack_api_url: 'https://x'}\nroute: {receiver: a}\nreceivers:\n  - name: a\n    slack_configs:\n      - {channel: c, api_url: $SLACK}\n",
			`6:31: unsupported scheme "" for URL (write a whole URL`,
		},
		"a duration without a unit": {
			"route:\n  receiver: a\n  group_wait: 30\nreceivers: [{name: a}]\n",
			`3:15: not a valid duration string: "30" (write a number with its unit`,
		},
		"a text where a list belongs": {
			"route:\n  receiver: a\n  group_by: job\nreceivers: [{name: a}]\n",
			"3:3: cannot unmarshal !!str `job` into []string (write a list: [one, another])",
		},
		"matchers as a mapping": {
			"route:\n  receiver: a\n  routes:\n    - matchers: {severity: page}\nreceivers: [{name: a}]\n",
			`4:7: cannot unmarshal !!map into []string (write a list; matchers are such as [severity="critical"])`,
		},
		"days joined by a dash": {
			"route: {receiver: daytwo}\nreceivers: [{name: daytwo}]\ntime_intervals:\n  - name: x\n    time_intervals:\n      - weekdays: ['monday-friday']\n",
			"6:20: monday-friday is not a valid weekday (write monday, or monday:friday)",
		},
		"a night": {
			"route: {receiver: daytwo}\nreceivers: [{name: daytwo}]\ntime_intervals:\n  - name: x\n    time_intervals:\n      - times: [{start_time: '22:00', end_time: '06:00'}]\n",
			"6:16: start time cannot be equal or greater than end time (a range ends on the day it begins",
		},
		"a host without a port": {
			"global: {smtp_smarthost: smtp.x.org, smtp_from: a@x.org}\nroute: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: a@b.c}]}]\n",
			"1:26: address smtp.x.org: missing port in address (write host:port",
		},
		"a webhook to nowhere": {
			"route: {receiver: a}\nreceivers:\n  - name: a\n    webhook_configs: [{url: ''}]\n",
			"4:22: one of url or url_file must be configured (set url)",
		},
		"a tab": {"route:\n\treceiver: a\n", "2:2: found character that cannot start any token (indent with spaces"},
		"a template with a function that is none": {
			"route: {receiver: a}\nreceivers:\n  - name: a\n    slack_configs:\n      - api_url: http://x/\n        text: '{{ .Status | toUpr }}'\n",
			`6:15: warning: it cannot be filled in: function "toUpr" not defined (`,
		},
		"a template of what alerts do not have": {
			"route: {receiver: a}\nreceivers:\n  - name: a\n    slack_configs:\n      - api_url: http://x/\n        text: '{{ .Alert.Labels.x }}'\n",
			`6:15: warning: it cannot be filled in: executing "" at <.Alert.Labels.x>: can't evaluate field Alert`,
		},
		"a template that nobody defines": {
			"route: {receiver: a}\nreceivers:\n  - name: a\n    webhook_configs:\n      - url: 'http://x/{{ template \"mine\" . }}'\n",
			`5:14: warning: it cannot be filled in: `,
		},
		"templates that work": {
			"route: {receiver: a}\nreceivers:\n  - name: a\n    slack_configs:\n      - api_url: http://x/\n        text: '{{ range .Alerts }}{{ .Annotations.summary }} {{ .StartsAt.Format \"15:04\" }}{{ end }} {{ .CommonLabels.severity | toUpper }} {{ template \"slack.default.text\" . }}'\n", "",
		},
		"no route":    {"receivers: [{name: a}]\n", " no routes provided (add `route: {receiver: …}`)"},
		"not YAML":    {"route: [\n", `1:1: did not find expected node content`},
		"a bad regex": {"route:\n  receiver: daytwo\n  routes:\n    - matchers: ['x=~\"(\"']\nreceivers: [{name: daytwo}]\n", `4:`},
		"nobody is told": {
			"route: {receiver: daytwo, routes: [{matchers: [a=b], receiver: none}]}\nreceivers:\n  - {name: daytwo}\n  - {name: none}\n",
			`4:12: warning: receiver "none" notifies nobody: alerts routed to it end here`,
		},
		"nobody shall be told": {
			"route: {receiver: daytwo, routes: [{matchers: [a=b], receiver: none}]}\nreceivers:\n  - {name: daytwo}\n  - {name: none, labels: {daytwo: none}}\n", "",
		},
		"a template that is none": {"route: {receiver: daytwo}\nreceivers: [{name: daytwo}]\ntemplates: ['*.tmpl']\n", `broken.tmpl:2:`},
		"what has no effect":      {"route: {receiver: daytwo}\nreceivers: [{name: daytwo}]\nevent_recorder: {}\n", "3:1: warning: event_recorder has no effect"},
		"no template":             {"route: {receiver: daytwo}\nreceivers: [{name: daytwo}]\ntemplates: ['x/*.tmpl']\n", `3:12: warning: no template file matches`},
	} {
		dir := t.TempDir()
		write(t, dir, "alertmanager.yml", tt.text)
		write(t, dir, "broken.tmpl", "{{ define \"x\" }}\n{{ .Oops }\n{{ end }}\n")
		var got []string
		for _, f := range alertmanager.Check(dir, "http://localhost:2020") {
			got = append(got, strings.TrimPrefix(f.String(), dir+"/"))
		}
		text := strings.TrimPrefix(strings.Join(got, "\n"), "alertmanager.yml:")
		if (tt.want == "") != (text == "") || !strings.HasPrefix(text, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, text, tt.want)
		}
	}
	if found := alertmanager.Check(t.TempDir(), ""); len(found) != 0 {
		t.Errorf("without a file: %v", found)
	}
}

// Public files load as they stand; warnings are of what is not on this machine or does nothing here.
func TestCheckPublicFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/public/*.yml")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		found, is := alertmanager.CheckFile(file, "http://localhost:2020")
		if !is || problem.Broken(found) {
			t.Errorf("%s: %v", file, found)
		}
	}
	if _, is := alertmanager.CheckFile("testdata/public/SOURCE.md", ""); is {
		t.Error("a text passed for an alertmanager.yml")
	}
	dir := t.TempDir()
	write(t, dir, "am.yml", "receivers: [{name: a}]\n")
	if found, is := alertmanager.CheckFile(filepath.Join(dir, "am.yml"), ""); !is || len(found) != 1 || !strings.Contains(found[0].String(), "am.yml: no routes provided") {
		t.Errorf("without a route: %v", found)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever the file says, reading it ends in a routing or in findings that have a place.
func FuzzCheck(f *testing.F) {
	f.Add("route: {receiver: daytwo}\nreceivers: [{name: daytwo}]\n")
	f.Add("route:\n  receiver: a\n  routes: [{matchers: [x=~\"(\"], receiver: b}]\nreceivers: [{name: a}]\n")
	f.Add("global: {smtp_smarthost: 'x:25', smtp_from: a@b}\nroute: {receiver: m}\nreceivers: [{name: m, email_configs: [{to: x}]}]\n")
	f.Add("time_intervals: [{name: n, time_intervals: [{weekdays: ['monday:friday']}]}]\nroute: {receiver: d}\nreceivers: [{name: d}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "_file") || strings.Contains(text, "templates") {
			return // names of files of this machine
		}
		dir := t.TempDir()
		write(t, dir, "alertmanager.yml", text)
		for _, found := range alertmanager.Check(dir, "http://localhost:2020") {
			if found.Line < 0 || found.Column < 0 || found.Message == "" || found.Severity == problem.Severity("") {
				t.Errorf("%q: %+v", text, found)
			}
		}
	})
}

func FuzzParseMatchers(f *testing.F) {
	for _, seed := range []string{`a="b"`, `a=~"x|y", b!="c"`, `{a!~"x.*"}`, `"übung"="ja"`, "a=b", `a="`, `{}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := alertmanager.ParseMatchers([]string{text})
		if err != nil {
			return
		}
		again, err := alertmanager.ParseMatchers([]string{parsed.String()})
		if err != nil || again.String() != parsed.String() {
			t.Errorf("%q: %s, then %v %v", text, parsed, again, err)
		}
	})
}

func FuzzParseNotification(f *testing.F) {
	f.Add([]byte(`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"x"},"startsAt":"2026-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"alerts":[{"status":"resolved","labels":{"a":"b"},"endsAt":"2026-01-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"alerts":[{"labels":{"":"x"}}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
		alerts, err := alertmanager.ParseNotification(data, now)
		if err != nil && problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%q: %v", data, err)
		}
		for _, a := range alerts {
			if a.Validate() != nil || !a.EndsAt.IsZero() && a.EndsAt.After(now) {
				t.Errorf("%q: %+v", data, a)
			}
		}
	})
}
