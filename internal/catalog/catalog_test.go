package catalog_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestLoadReadsEverything(t *testing.T) {
	data, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, catalog.FileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	c, findings := catalog.Load(dir)
	if len(findings) != 0 {
		t.Fatalf("findings: %v", findings)
	}
	ada, _ := c.Person("ada")
	if ada.FullName != "Ada Park" || ada.Email != "ada@example.com" || ada.Webhook != "https://hooks.example.com/T0/secret" ||
		ada.TimeZone != "Europe/Paris" || ada.File != catalog.FileName || len(ada.ID) != 14 || len(ada.Contacts) != 2 {
		t.Errorf("ada = %+v", ada)
	}
	policy, _ := c.Policy("payments")
	if policy.Repeat != 2 || len(policy.Levels) != 2 || time.Duration(policy.Levels[1].After) != 5*time.Minute ||
		!reflect.DeepEqual(policy.Levels[1].Targets, []catalog.Target{{Kind: catalog.ToPerson, Name: "grace"}}) {
		t.Errorf("policy = %+v", policy)
	}
	s, ok := c.Service("checkout")
	if !ok || s.Team != "payments" || s.EscalationPolicy != "payments" || !reflect.DeepEqual(s.DependsOn, []string{"payments"}) {
		t.Errorf("checkout = %+v", s)
	}
	if s.Signals.Traffic != "sum(rate(orders_total[1m]))" {
		t.Errorf("a given signal is kept, got %q", s.Signals.Traffic)
	}
	if want := `sum(rate(http_server_requests_total{service="checkout",code=~"5.."}[1m]))`; s.Signals.Errors != want {
		t.Errorf("errors = %q, want the convention", s.Signals.Errors)
	}
	if got := s.SLOs[0].BurnAlerts; len(got) != 3 || got[0].Factor != 14.4 || got[0].Long.String() != "1h" || got[2].Severity != "warning" {
		t.Errorf("default burn alerts = %+v", got)
	}
	if got := s.SLOs[1].BurnAlerts; len(got) != 1 || got[0].Short.String() != "15s" {
		t.Errorf("given burn alerts = %+v", got)
	}
	if got := catalog.Over(s.SLOs[1].Total, s.SLOs[1].BurnAlerts[0].Long); !strings.Contains(got, "[1m]") {
		t.Errorf("over 1m: %s", got)
	}
	if !reflect.DeepEqual(c.LastResort, []string{"grace"}) {
		t.Errorf("last resort = %v", c.LastResort)
	}
}

func TestFindings(t *testing.T) {
	const people = "people: [{name: ada, email: ada@example.com}]\n"
	for name, tt := range map[string]struct{ text, want string }{
		"not yaml":      {"people: []\n teams: a\n", `f:2:1: error: not valid YAML: did not find expected key`},
		"not a mapping": {"- a\n", `f:1:1: error: the file is a list, not a mapping`},
		"unknown key":   {"service: []\n", `f:1:1: error: the file has no key "service" (did you mean "services"?)`},
		"unknown person key": {"people:\n  - name: ada\n    mail: a@example.com\n",
			`f:3:5: error: a person has no key "mail" (did you mean "email"?)`},
		"duplicate key":      {people + "people: []\n", `f:2:1: error: key "people" is already given on line 1`},
		"duplicate person":   {people + "teams:\n - {name: a}\n - {name: a}\n", `f:4:11: error: team "a" is already defined on line 3`},
		"no name":            {"people: [{email: a@example.com}]\n", `f:1:10: error: this person has no name`},
		"bad name":           {"people: [{name: 'a/b', email: a@example.com}]\n", `f:1:17: error: "a/b" cannot be the name of a person`},
		"number for text":    {"people: [{name: 7, email: a@example.com}]\n", `f:1:17: error: name is the number 7, not text (put it in quotes)`},
		"bad e-mail":         {"people: [{name: a, email: nobody}]\n", `f:1:27: error: "nobody" is not an e-mail address`},
		"header injection":   {"people: [{name: a, email: \"a@b.c\\r\\nBcc: x@y.z\"}]\n", `is not an e-mail address`},
		"bad webhook":        {"people: [{name: a, webhook: 'ftp://secret'}]\n", `f:1:29: error: webhook is not an http or https URL`},
		"bad zone":           {"people: [{name: a, email: a@b.c, time_zone: Mars}]\n", `f:1:45: error: "Mars" is not a time zone`},
		"no address":         {"people: [{name: a}]\n", `f:1:10: warning: nobody can page a`},
		"unknown member":     {people + "teams: [{name: t, members: [adaa]}]\n", `f:2:29: error: there is no person "adaa" (did you mean ada?)`},
		"member twice":       {people + "teams: [{name: t, members: [ada, ada]}]\n", `f:2:34: error: members names "ada" twice`},
		"unknown last":       {"last_resort: [zed]\n", `f:1:15: error: there is no person "zed"`},
		"no levels":          {"escalation_policies: [{name: p}]\n", `f:1:23: error: escalation policy "p" has no levels`},
		"empty level":        {"escalation_policies: [{name: p, levels: [{after: 0s}]}]\n", `error: this level pages nobody`},
		"unknown target":     {"escalation_policies: [{name: p, levels: [{targets: [x]}]}]\n", `f:1:53: error: there is no person "x"`},
		"levels not rising":  {people + "escalation_policies: [{name: p, levels: [{targets: [ada], after: 5m}, {targets: [ada], after: 5m}]}]\n", `error: this level comes at 5m, not later`},
		"repeat":             {"escalation_policies: [{name: p, repeat: 1.5}]\n", `error: repeat cannot be 1.5`},
		"duration":           {"escalation_policies: [{name: p, levels: [{after: soon}]}]\n", `f:1:50: error: after: "soon" is not a duration`},
		"no policy, no team": {"services: [{name: s}]\n", `f:1:12: warning: nobody is paged for service "s"`},
		"no team":            {"services: [{name: s}]\n", `f:1:12: warning: service "s" has no team`},
		"dangling policy":    {"services: [{name: s, escalation_policy: p}]\n", `error: there is no escalation policy "p"`},
		"dangling team":      {"services: [{name: s, team: p}]\n", `error: there is no team "p"`},
		"dangling service":   {"services: [{name: s, depends_on: [x]}]\n", `error: there is no service "x"`},
		"cycle":              {"services: [{name: a, depends_on: [b]}, {name: b, depends_on: [a]}]\n", `f:1:19: warning: services depend on each other in a circle: a → b → a`},
		"objective":          {"services: [{name: s, slos: [{name: o, objective: 100}]}]\n", `error: an objective of 100 % is not between 0 and 100`},
		"no window":          {"services: [{name: s, slos: [{name: o, objective: 99}]}]\n", `error: SLO "o" has no window`},
		"no $window":         {"services: [{name: s, slos: [{name: o, good: up}]}]\n", `error: good does not use $window`},
		"severity":           {"services: [{name: s, slos: [{name: o, burn_alerts: [{severity: loud}]}]}]\n", `error: "loud" is not a severity`},
		"windows":            {"services: [{name: s, slos: [{name: o, burn_alerts: [{long: 1m, short: 5m, factor: 2}]}]}]\n", `error: the short window 5m is not shorter than the long one 1m`},
		"never fires":        {"services: [{name: s, slos: [{name: o, objective: 90}]}]\n", `warning: the 1h/5m burn alert can never fire`},
		"two kinds of target": {people + "schedules: [{name: ada, time_zone: UTC, layers: [{members: [ada]}]}]\nescalation_policies: [{name: p, levels: [{targets: [ada]}]}]\n",
			`f:3:53: error: "ada" is a person and a schedule (write {person: ada} or {schedule: ada})`},
		"cyclic policies": {people + "escalation_policies: [{name: a, then: b, levels: [{targets: [ada]}]}, {name: b, then: a, levels: [{targets: [ada]}]}]\n",
			`f:2:30: error: escalation policies go on in a circle: a → b → a`},
		"unknown then":        {people + "escalation_policies: [{name: a, then: x, levels: [{targets: [ada]}]}]\n", `error: there is no escalation policy "x"`},
		"schedule zone":       {"schedules: [{name: s, time_zone: Mars}]\n", `f:1:34: error: "Mars" is not a time zone`},
		"schedule no zone":    {"schedules: [{name: s}]\n", `f:1:13: error: schedule "s" has no time zone`},
		"no layers":           {"schedules: [{name: s, time_zone: UTC}]\n", `f:1:13: warning: nobody is ever on call for "s": it has no layers`},
		"no members":          {"schedules: [{name: s, time_zone: UTC, layers: [{rotation: daily, handoff: 2026-01-01}]}]\n", `error: the layer has no members`},
		"unknown layer":       {"schedules: [{name: s, time_zone: UTC, layers: [{members: [zed]}]}]\n", `f:1:59: error: there is no person "zed"`},
		"impossible rotation": {people + "schedules: [{name: s, time_zone: UTC, layers: [{members: [ada], rotation: 5m, handoff: 2026-01-01}]}]\n", `f:2:75: error: turns of 5m0s are not possible`},
		"no rotation":         {people + "schedules: [{name: s, time_zone: UTC, layers: [{members: [ada], rotation: often}]}]\n", `f:2:75: error: "often" is not a rotation`},
		"no handoff":          {"people: [{name: a, email: a@b.c}, {name: b, email: b@b.c}]\nschedules: [{name: s, time_zone: UTC, layers: [{members: [a, b], rotation: daily}]}]\n", `error: it is not said when turns change`},
		"bad handoff":         {people + "schedules: [{name: s, time_zone: UTC, layers: [{members: [ada], handoff: soon}]}]\n", `f:2:74: error: handoff is "soon", not a time`},
		"bad clock":           {people + "schedules: [{name: s, time_zone: UTC, layers: [{members: [ada], restrictions: [{from: \"25:00\", to: \"26:00\"}]}]}]\n", `error: from is "25:00", not a time of day`},
		"bad weekday":         {people + "schedules: [{name: s, time_zone: UTC, layers: [{members: [ada], restrictions: [{days: [luna], from: \"09:00\", to: \"10:00\"}]}]}]\n", `error: "luna" is not a day of the week`},
		"override":            {people + "schedules: [{name: s, time_zone: UTC, layers: [{members: [ada]}], overrides: [{person: ada, from: 2026-01-02 09:00, to: 2026-01-01 09:00}]}]\n", `error: this override does not end after it starts`},
		"bad number":          {"people: [{name: a, contacts: [{channel: sms, address: \"0123\"}]}]\n", `f:1:55: error: "0123" is not a telephone number`},
		"bad channel":         {"people: [{name: a, contacts: [{channel: fax, address: \"0123\"}]}]\n", `f:1:41: error: there is no channel "fax"`},
		"bad rule":            {"people: [{name: a, email: a@b.c, notify: {high: [{by: nothing}]}}]\n", `f:1:55: error: a has no contact "nothing"`},
		"same key":            {"services: [{name: a, integrations: [{name: x, key: 0123456789abcdef}]}, {name: b, integrations: [{name: x, key: 0123456789abcdef}]}]\n", `error: the key of b/x is also that of a/x`},
		"maintenance":         {"maintenance: [{services: [], from: 2026-01-01, to: 2026-01-02}]\n", `error: this maintenance window is for no service`},
		"support hours":       {"services: [{name: a, support_hours: {outside: low}}]\n", `error: support hours need a time zone and windows`},
		"second document":     {"people: []\n---\npeople: []\n", `error: a second YAML document starts here`},
		"empty":               {"", `f:1:1: warning: the file is empty`},
		"wrong kind":          {"people: {name: a}\n", `f:1:9: error: people is a mapping, not a list`},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings := catalog.Parse("f", []byte(tt.text))
			var all []string
			for _, f := range findings {
				line := f.String()
				if f.Severity == problem.SeverityError {
					line = strings.Replace(line, ": ", ": error: ", 1)
				}
				all = append(all, line)
			}
			if !strings.Contains(strings.Join(all, "\n"), tt.want) {
				t.Errorf("want %s\ngot %s", tt.want, strings.Join(all, "\n"))
			}
		})
	}
}

func TestMissingFileIsAWarning(t *testing.T) {
	c, findings := catalog.Load(t.TempDir())
	if c == nil || len(findings) != 1 || problem.Broken(findings) {
		t.Errorf("catalog %v, findings %v", c, findings)
	}
}

func TestUnreadableFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, catalog.FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, findings := catalog.Load(dir); !problem.Broken(findings) {
		t.Errorf("findings %v", findings)
	}
}

func TestAliasesCannotExplode(t *testing.T) {
	var b strings.Builder
	b.WriteString("services:\n  - &s\n    name: s\n    slos:\n      - &o\n        name: o\n        burn_alerts: &b\n")
	b.WriteString(strings.Repeat("          - {long: 1h}\n", 400))
	b.WriteString(strings.Repeat("      - *o\n", 400) + strings.Repeat("  - *s\n", 400))
	_, findings := catalog.Parse("f", []byte(b.String()))
	if !slices.ContainsFunc(findings, func(f problem.Finding) bool { return strings.Contains(f.Message, "more than") }) {
		t.Error("the expansion was not stopped")
	}
}

func TestNothingIsSaidOfWhatWasNotRead(t *testing.T) {
	var b strings.Builder
	b.WriteString("services:\n")
	for i := range 80_000 {
		fmt.Fprintf(&b, "- {name: s%d, description: one}\n", i)
	}
	_, findings := catalog.Parse("f", []byte(b.String()))
	findings = slices.DeleteFunc(findings, func(f problem.Finding) bool { return f.Severity != problem.SeverityError })
	if len(findings) != 1 || !strings.Contains(findings[0].Message, "more than") {
		t.Errorf("%d errors: %v", len(findings), findings[:min(3, len(findings))])
	}
}

// A file that was cut off says where, at the line that is not whole.
func TestCutOff(t *testing.T) {
	for text, want := range map[string]string{
		"people:\n  - {name: ada}\nteams:\n  - {name: web, mem":         "f:4:1: not valid YAML: did not find expected ',' or '}' (",
		"people:\n  - name: ada\n    full_n":                            "f:3:1: not valid YAML: could not find expected ':' (",
		"services:\n  - name: web\n    description: \"Sells th":         "f:3:1: not valid YAML: found unexpected end of stream (",
		"services:\n  - name: web\n    repository: ht":                  "f:3:17: repository is not an http or https URL (",
		"services:\n  - name: web\n  - na":                              "f:3:5: a service is \"na\", not a mapping (",
		"services:\n  - name: web\n    slos: [{name: a, objective: 99.": "f:3:1: not valid YAML: did not find expected ',' or '}' (",
	} {
		last := strings.Count(text, "\n") + 1
		said := fmt.Sprintf("; the file ends in the middle of line %d: is it whole?)", last)
		var got []string
		for _, ended := range []string{"", "\n"} {
			_, findings := catalog.Parse("f", []byte(text+ended))
			findings = slices.DeleteFunc(findings, func(f problem.Finding) bool { return f.Severity != problem.SeverityError })
			if len(findings) == 0 {
				t.Fatalf("%q: no error", text)
			}
			got = append(got, findings[0].String())
		}
		if !strings.HasPrefix(got[0], want) || !strings.HasSuffix(got[0], said) {
			t.Errorf("%q: %s", text, got[0])
		}
		if !strings.HasPrefix(got[1], want) || strings.Contains(got[1], "whole?") {
			t.Errorf("%q, ended: %s", text, got[1])
		}
	}
}

func TestLiveReplacesWhole(t *testing.T) {
	var live catalog.Live
	if got := live.Current(); got == nil || len(got.Services) != 0 {
		t.Fatalf("zero value holds %v", got)
	}
	c := &catalog.Catalog{LastResort: []string{"ada"}}
	live.Replace(c)
	if !reflect.DeepEqual(live.Current().LastResort, c.LastResort) || !reflect.DeepEqual(catalog.NewLive(c).Current(), live.Current()) {
		t.Error("the replaced catalog is not in force")
	}
}

func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	for _, seed := range []string{"", "a", "[", "people: &a [*a]", "services: [{name: s, slos: [{objective: .inf}]}]", "? {a: b}\n: c", "people:\n- <<: {name: a}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, findings := catalog.Parse("f", data)
		if c == nil {
			t.Fatal("nil catalog")
		}
		for _, finding := range findings {
			if finding.Line < 1 || finding.Column < 1 || finding.Message == "" {
				t.Fatalf("finding without a place or message: %+v", finding)
			}
		}
		if _, err := json.Marshal(c); err != nil {
			t.Fatal(err)
		}
		if problem.Broken(findings) {
			return
		}
		for _, s := range c.Services {
			for _, o := range s.SLOs {
				for _, b := range o.BurnAlerts {
					var back catalog.Duration
					if err := back.UnmarshalText([]byte(b.Long.String())); err != nil || back != b.Long {
						t.Fatalf("duration %v does not round-trip", b.Long)
					}
				}
			}
		}
	})
}
