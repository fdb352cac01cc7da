package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// references are the names that entries may point to.
type references struct{ people, teams, schedules, policies, services names }

func (r *reader) service(n *yaml.Node, refs references) (s Service) {
	s.DependsOn, s.SLOs, s.Integrations = []string{}, []SLO{}, []Integration{}
	slos, integrations := names{}, names{}
	seen := r.fields(n, "a service", map[string]func(*yaml.Node){
		"name":              func(n *yaml.Node) { s.Name = r.text(n, "name") },
		"description":       func(n *yaml.Node) { s.Description = r.text(n, "description") },
		"team":              func(n *yaml.Node) { s.Team = r.text(n, "team"); r.refer(n, "team", s.Team, refs.teams) },
		"repository":        func(n *yaml.Node) { s.Repository = r.address(n, "repository") },
		"runbook":           func(n *yaml.Node) { s.Runbook = r.address(n, "runbook") },
		"depends_on":        func(n *yaml.Node) { s.DependsOn = r.names(n, "depends_on", "service", refs.services) },
		"signals":           func(n *yaml.Node) { s.Signals = r.signals(n) },
		"slos":              func(n *yaml.Node) { r.items(n, "slos", func(n *yaml.Node) { s.SLOs = append(s.SLOs, r.slo(n, slos)) }) },
		"escalation_policy": func(n *yaml.Node) { s.EscalationPolicy = r.policyOf(n, refs) },
		"urgency":           func(n *yaml.Node) { s.Urgency = r.oneOf(n, "urgency", High, Low, BySeverity) },
		"support_hours":     func(n *yaml.Node) { s.SupportHours = r.supportHours(n) },
		"ack_timeout":       func(n *yaml.Node) { s.AckTimeout = r.positive(n, "ack_timeout") },
		"auto_resolve":      func(n *yaml.Node) { s.AutoResolve = r.positive(n, "auto_resolve") },
		"grouping":          func(n *yaml.Node) { s.Grouping = r.grouping(n) },
		"integrations": func(n *yaml.Node) {
			r.items(n, "integrations", func(n *yaml.Node) { s.Integrations = append(s.Integrations, r.integration(n, integrations)) })
		},
	})
	s.ID, s.File = idOf(KindService, s.Name), FileName
	for i := range s.Integrations {
		s.Integrations[i].ID = idOf("integration", s.Name, s.Integrations[i].Name)
	}
	r.define(n, "service", s.Name, seen["name"], refs.services)
	if s.EscalationPolicy == "" {
		r.warnf(n, "add `escalation_policy: …`", "nobody is paged for service %q: it has no escalation policy", s.Name)
	}
	if s.Team == "" {
		r.warnf(n, "add `team: …`", "service %q has no team: nobody owns it", s.Name)
	}
	s.Signals = s.Signals.orDefault(s.Name)
	return s
}

func (r *reader) policyOf(n *yaml.Node, refs references) string {
	name := r.text(n, "escalation_policy")
	r.refer(n, "escalation policy", name, refs.policies)
	return name
}

func (r *reader) signals(n *yaml.Node) (s Signals) {
	r.fields(n, "signals", map[string]func(*yaml.Node){
		"traffic":     func(n *yaml.Node) { s.Traffic = r.text(n, "traffic") },
		"errors":      func(n *yaml.Node) { s.Errors = r.text(n, "errors") },
		"latency_p99": func(n *yaml.Node) { s.LatencyP99 = r.text(n, "latency_p99") },
	})
	return s
}

// orDefault fills in what the metrics of package service answer.
func (s Signals) orDefault(service string) Signals {
	fill := func(given *string, format string) {
		if *given == "" {
			*given = fmt.Sprintf(format, service)
		}
	}
	fill(&s.Traffic, `sum(rate(http_server_requests_total{service=%q}[1m]))`)
	fill(&s.Errors, `sum(rate(http_server_requests_total{service=%q,code=~"5.."}[1m]))`)
	fill(&s.LatencyP99, `histogram_quantile(0.99, sum by (le) (rate(http_server_request_duration_seconds_bucket{service=%q}[1m])))`)
	return s
}

func (r *reader) slo(n *yaml.Node, slos names) (o SLO) {
	o.BurnAlerts = []BurnAlert{}
	seen := r.fields(n, "an SLO", map[string]func(*yaml.Node){
		"name": func(n *yaml.Node) { o.Name = r.text(n, "name") },
		"objective": func(n *yaml.Node) {
			v, ok := r.number(n, "objective")
			if o.Objective = v; ok && (v <= 0 || v >= 100) {
				r.errorf(n, "write the percentage that must be good, such as 99.5", "an objective of %v %% is not between 0 and 100", v)
			}
		},
		"window": func(n *yaml.Node) { o.Window = r.positive(n, "window") },
		"good":   func(n *yaml.Node) { o.Good = r.overWindow(n, "good") },
		"total":  func(n *yaml.Node) { o.Total = r.overWindow(n, "total") },
		"burn_alerts": func(n *yaml.Node) {
			r.items(n, "burn_alerts", func(n *yaml.Node) { o.BurnAlerts = append(o.BurnAlerts, r.burnAlert(n)) })
		},
	})
	r.define(n, "SLO", o.Name, seen["name"], slos)
	for _, key := range []string{"objective", "window", "good", "total"} {
		if seen[key] == nil {
			r.errorf(n, "add `"+key+": …`", "SLO %q has no %s", o.Name, key)
		}
	}
	at := seen["burn_alerts"]
	if at == nil {
		at, o.BurnAlerts = n, defaultBurnAlerts()
	}
	r.reachable(at, o)
	return o
}

func (r *reader) positive(n *yaml.Node, what string) Duration {
	d, ok := r.duration(n, what)
	if ok && d == 0 {
		r.errorf(n, "write a duration such as 5m or 30d", "%s cannot be zero", what)
	}
	return d
}

// overWindow reads an expression that is evaluated over windows of several lengths.
func (r *reader) overWindow(n *yaml.Node, what string) string {
	s := r.text(n, what)
	if !strings.Contains(s, "[$window]") {
		r.errorf(n, "write [$window] where the range stands", "%s does not use $window, so it cannot be read over several windows", what)
	}
	return s
}

func (r *reader) burnAlert(n *yaml.Node) (b BurnAlert) {
	b.Severity = "critical"
	seen := r.fields(n, "a burn alert", map[string]func(*yaml.Node){
		"long":  func(n *yaml.Node) { b.Long = r.positive(n, "long") },
		"short": func(n *yaml.Node) { b.Short = r.positive(n, "short") },
		"factor": func(n *yaml.Node) {
			v, ok := r.number(n, "factor")
			if b.Factor = v; ok && v <= 0 {
				r.errorf(n, "1 burns exactly the budget over the window; alerts start at 1 or above", "a factor of %v is not above 0", v)
			}
		},
		"severity": func(n *yaml.Node) {
			if b.Severity = r.text(n, "severity"); !slices.Contains([]string{"critical", "warning", "info"}, b.Severity) {
				r.errorf(n, "use critical, warning or info", "%q is not a severity", shorten(b.Severity))
			}
		},
	})
	for _, key := range []string{"long", "short", "factor"} {
		if seen[key] == nil {
			r.errorf(n, "add `"+key+": …`", "this burn alert has no %s", key)
		}
	}
	if b.Short >= b.Long && b.Long > 0 {
		r.errorf(n, "make short about a twelfth of long", "the short window %s is not shorter than the long one %s", b.Short, b.Long)
	}
	return b
}

// defaultBurnAlerts are those of the SRE Workbook, "Alerting on SLOs", table 5-8: 2 % of a 30-day budget in an hour, 5 % in six
// hours, 10 % in three days.
func defaultBurnAlerts() []BurnAlert {
	const minute, hour = Duration(60e9), Duration(3600e9)
	return []BurnAlert{
		{Long: hour, Short: 5 * minute, Factor: 14.4, Severity: "critical"},
		{Long: 6 * hour, Short: 30 * minute, Factor: 6, Severity: "critical"},
		{Long: 72 * hour, Short: 6 * hour, Factor: 1, Severity: "warning"},
	}
}

// reachable warns of burn alerts that no amount of failure can fire, or that look further back than the objective.
func (r *reader) reachable(at *yaml.Node, o SLO) {
	for _, b := range o.BurnAlerts {
		if o.Objective > 0 && o.Objective < 100 && b.Factor*o.Budget() >= 1 {
			r.warnf(at, "write burn_alerts with a factor below "+fmt.Sprintf("%.3g", 1/o.Budget()),
				"the %s/%s burn alert can never fire: %.4g times the budget of an objective of %v %% is more than everything",
				b.Long, b.Short, b.Factor, o.Objective)
		}
		if o.Window > 0 && b.Long > o.Window {
			r.warnf(at, "write burn_alerts within the window", "the %s/%s burn alert looks further back than the window of %s",
				b.Long, b.Short, o.Window)
		}
	}
}

// cycles warns of services that depend on themselves through others: allowed, since production has them, but worth knowing.
func (r *reader) cycles(services []Service, at names) {
	next := map[string][]string{}
	for _, s := range services {
		next[s.Name] = s.DependsOn
	}
	done := map[string]bool{}
	var walk func(name string, path []string)
	walk = func(name string, path []string) {
		if i := slices.Index(path, name); i >= 0 {
			r.warnf(at[name], "", "services depend on each other in a circle: %s", strings.Join(append(path[i:], name), " → "))
			return
		}
		if done[name] || at[name] == nil {
			return
		}
		for _, dependency := range next[name] {
			walk(dependency, append(path, name))
		}
		done[name] = true
	}
	for _, s := range services {
		walk(s.Name, nil)
	}
}

func (r *reader) supportHours(n *yaml.Node) *SupportHours {
	h := &SupportHours{Outside: Low}
	seen := r.fields(n, "support_hours", map[string]func(*yaml.Node){
		"time_zone": func(n *yaml.Node) { h.TimeZone = r.zone(n) },
		"windows": func(n *yaml.Node) {
			r.items(n, "windows", func(n *yaml.Node) { h.Windows = append(h.Windows, r.window(n, "a window")...) })
		},
		"outside": func(n *yaml.Node) { h.Outside = r.oneOf(n, "outside", High, Low) },
	})
	if seen["time_zone"] == nil || len(h.Windows) == 0 {
		r.errorf(n, `write {time_zone: Europe/Paris, windows: [{days: [mon, tue], from: "09:00", to: "17:00"}]}`, "support hours need a time zone and windows")
		return nil
	}
	return h
}

func (r *reader) oneOf(n *yaml.Node, what string, known ...string) string {
	s := r.text(n, what)
	if s != "" && !slices.Contains(known, s) {
		r.errorf(n, "use "+strings.Join(known, ", "), "%q is not possible for %s", shorten(s), what)
		return ""
	}
	return s
}

func (r *reader) grouping(n *yaml.Node) *Grouping {
	g := &Grouping{By: []string{}}
	r.fields(n, "grouping", map[string]func(*yaml.Node){
		"by": func(n *yaml.Node) {
			r.items(n, "by", func(n *yaml.Node) { g.By = append(g.By, r.text(n, "a name in by")) })
		},
		"within": func(n *yaml.Node) { g.Within = r.positive(n, "within") },
	})
	return g
}

func (r *reader) integration(n *yaml.Node, known names) (i Integration) {
	seen := r.fields(n, "an integration", map[string]func(*yaml.Node){
		"name": func(n *yaml.Node) { i.Name = r.text(n, "name") },
		"type": func(n *yaml.Node) { i.Type = r.text(n, "type") },
		"key":  func(n *yaml.Node) { i.Key = r.text(n, "key") },
	})
	r.define(n, "integration", i.Name, seen["name"], known)
	if i.Key != "" && !keyForm.MatchString(i.Key) {
		r.errorf(seen["key"], "use 32 letters and digits, or leave it out and daytwo makes one", "this cannot be a key")
	}
	return i
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9]{16,64}$`)

// keys refuses a key that opens two doors.
func (r *reader) keys(services []Service, at names) {
	seen := map[string]string{}
	for _, s := range services {
		for _, i := range s.Integrations {
			if other, twice := seen[i.Key]; twice && i.Key != "" && at[s.Name] != nil {
				r.errorf(at[s.Name], "give each integration a key of its own", "the key of %s/%s is also that of %s", s.Name, i.Name, other)
			}
			seen[i.Key] = s.Name + "/" + i.Name
		}
	}
}
