package metrics

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/file"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Check says everything that is wrong with a prometheus.yml and the files it names: rules, targets and credentials. It is
// what New and Reload go by: they refuse a file that has an error here. A file that does not exist has no findings. self is
// Config.Self.
func Check(path, self string) []problem.Finding {
	_, findings := load(path, time.Hour, self)
	problem.SortFindings(findings)
	return findings
}

// document is a configuration file as text, to say where something stands.
type document struct {
	file    string
	content []byte
}

func (d document) finding(severity problem.Severity, at *yaml.Node, mend, message string, args ...any) problem.Finding {
	f := problem.Finding{File: d.file, Line: 1, Column: 1, Message: fmt.Sprintf(message, args...), Mend: mend, Severity: severity}
	if at != nil {
		f.Line, f.Column = max(at.Line, 1), max(at.Column, 1)
	}
	return f
}

// walk visits every key and scalar of the document with the keys above it. A document that does not parse has none.
func (d document) walk(visit func(path []string, key, value *yaml.Node)) {
	var root yaml.Node
	if yaml.Unmarshal(d.content, &root) != nil {
		return
	}
	var descend func(path []string, n *yaml.Node)
	descend = func(path []string, n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			for _, child := range n.Content {
				if n.Kind == yaml.SequenceNode && child.Kind == yaml.ScalarNode {
					visit(path, nil, child)
				}
				descend(path, child)
			}
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			below := append(slices.Clone(path), n.Content[i].Value)
			visit(below, n.Content[i], n.Content[i+1])
			descend(below, n.Content[i+1])
		}
	}
	descend(nil, &root)
}

var (
	atLine   = regexp.MustCompile(`(?s)^(?:yaml: )?line (\d+): (.*)$`)
	atColumn = regexp.MustCompile(`(?s)^(\d+):(\d+): (?:\d+:\d+: )?(.*)$`)
	inQuotes = regexp.MustCompile(`"([^"]+)"`)
)

// locate turns an error of Prometheus's parsers into findings: by the line it names, or else by the last place of what it
// quotes last. What names no place is said of the file as a whole.
func (d document) locate(err error) []problem.Finding {
	var findings []problem.Finding
	message := strings.TrimPrefix(err.Error(), d.file+": ")
	for line := range strings.SplitSeq(strings.TrimPrefix(message, "yaml: unmarshal errors:\n"), "\n") {
		line = strings.TrimSpace(line)
		f := problem.Finding{File: d.file, Message: line, Severity: problem.SeverityError}
		if m := atLine.FindStringSubmatch(line); m != nil {
			f.Line, f.Column, f.Message = max(number(m[1]), 1), 1, m[2]
		} else if m := atColumn.FindStringSubmatch(line); m != nil {
			f.Line, f.Column, f.Message = max(number(m[1]), 1), max(number(m[2]), 1), m[3]
		} else {
			for _, m := range inQuotes.FindAllStringSubmatch(line, -1) {
				d.walk(func(_ []string, key, value *yaml.Node) {
					if value.Value == m[1] || key != nil && key.Value == m[1] {
						f.Line, f.Column = value.Line, value.Column
					}
				})
			}
		}
		if at := d.place(line); f.Line == 0 && at != nil {
			f.Line, f.Column = at.Line, at.Column
		}
		f.Message = plainly(f.Message)
		f.Mend = mend(f.Message)
		findings = append(findings, f)
	}
	return findings
}

// placedRules are the rules of a file where they stand.
type placedRules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Labels      map[string]yaml.Node
			Annotations map[string]yaml.Node
			Alert       yaml.Node
			Record      yaml.Node
		}
	}
}

var inRule = regexp.MustCompile(`(?s)^(label|annotation) "([^"]+)": `)

// locateRule is locate for an error of a rule file: what names a group and a rule is looked for there.
func (d document) locateRule(err error) []problem.Finding {
	findings := d.locate(err)
	about, ok := errors.AsType[*rulefmt.Error](err)
	if !ok || atColumn.MatchString(err.Error()) {
		return findings
	}
	var placed placedRules
	if yaml.Unmarshal(d.content, &placed) != nil {
		return findings
	}
	for _, group := range placed.Groups {
		if group.Name != about.Group || about.Rule < 1 || about.Rule > len(group.Rules) {
			continue
		}
		rule := group.Rules[about.Rule-1]
		at := rule.Alert
		if at.Line == 0 {
			at = rule.Record
		}
		if m := inRule.FindStringSubmatch(about.Err.Error()); m != nil {
			text, has := map[string]map[string]yaml.Node{"label": rule.Labels, "annotation": rule.Annotations}[m[1]][m[2]]
			if has {
				at = text
			}
		}
		for i := range findings {
			findings[i].Line, findings[i].Column = max(at.Line, 1), max(at.Column, 1)
		}
		return findings
	}
	return findings
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // the caller matched digits
	return n
}

// checkReferences checks the files that a configuration names and what would fail only later.
func (d document) checkReferences(c *config.Config, self string) []problem.Finding {
	findings := append(d.checkSecretFiles(), d.checkRuleFiles(c)...)
	for _, pattern := range c.ScrapeConfigFiles {
		for _, name := range glob(pattern) {
			content, err := configfile.Read(name)
			if err != nil {
				findings = append(findings, configfile.Finding(name, err))
				continue
			}
			jobs := document{name, content}
			findings = append(findings, append(jobs.checkSecretFiles(), jobs.checkSupport()...)...)
		}
	}
	if problem.Broken(findings) {
		return findings
	}
	findings = append(findings, d.checkAlertmanagers(c)...)
	for _, remote := range c.RemoteWriteConfigs {
		if u := remote.URL; u != nil && u.Scheme != "http" && u.Scheme != "https" {
			findings = append(findings, d.finding(problem.SeverityWarning, d.find(u.String()), "write a whole URL, https://…", "remote_write cannot send to %s", u.Redacted()))
		}
	}
	jobs, err := c.GetScrapeConfigs()
	if err != nil {
		return append(findings, d.locate(err)...)
	}
	for _, job := range jobs {
		findings = append(findings, d.checkJob(job)...)
		findings = append(findings, d.checkSelf(job, self)...)
	}
	return findings
}

func (d document) checkAlertmanagers(c *config.Config) (findings []problem.Finding) {
	for _, one := range c.AlertingConfig.AlertmanagerConfigs {
		if _, err := commoncfg.NewClientFromConfig(one.HTTPClientConfig, "alertmanager"); err != nil {
			findings = append(findings, d.finding(problem.SeverityError, d.key("alerting", "alertmanagers"), "", "alertmanagers: %v", err))
		}
		for _, sd := range one.ServiceDiscoveryConfigs {
			if static, ok := sd.(discovery.StaticConfig); ok {
				findings = append(findings, d.checkAlertmanagerTargets(one, static)...)
			}
		}
	}
	return findings
}

// checkAlertmanagerTargets refuses addresses that are none after relabelling: nobody would be told of an alert there.
func (d document) checkAlertmanagerTargets(c *config.AlertmanagerConfig, groups discovery.StaticConfig) (findings []problem.Finding) {
	for _, group := range groups {
		for _, target := range group.Targets {
			alone := &targetgroup.Group{Targets: []model.LabelSet{target}, Labels: group.Labels}
			if _, _, err := notifier.AlertmanagerFromGroup(alone, c); err != nil {
				findings = append(findings, d.finding(problem.SeverityError, d.find(string(target[model.AddressLabel])),
					"targets are host:port; scheme and path_prefix are settings beside them", "alertmanagers: %v", err))
			}
		}
	}
	return findings
}

// key is where a key stands, nil where it does not.
func (d document) key(path ...string) (at *yaml.Node) {
	d.walk(func(p []string, key, _ *yaml.Node) {
		if key != nil && slices.Equal(p, path) {
			at = key
		}
	})
	return at
}

func (d document) checkJob(job *config.ScrapeConfig) []problem.Finding {
	at := d.find(job.JobName)
	var findings []problem.Finding
	if job.JobName == ownPool || job.JobName == pushPool {
		findings = append(findings, d.finding(problem.SeverityError, at, "give the job another name", "job_name %q is what daytwo calls targets of its own", job.JobName))
	}
	if _, err := commoncfg.NewClientFromConfig(job.HTTPClientConfig, job.JobName); err != nil {
		findings = append(findings, d.finding(problem.SeverityError, at, "", "job %q: %v", job.JobName, err))
	}
	if time.Duration(job.ScrapeInterval) >= lookback {
		findings = append(findings, d.finding(problem.SeverityWarning, at, "scrape at least every 4m",
			"job %q is scraped every %s: between scrapes its samples count as gone after %s", job.JobName, job.ScrapeInterval, lookback))
	}
	if job.Scheme != "" && job.Scheme != "http" && job.Scheme != "https" {
		findings = append(findings, d.finding(problem.SeverityWarning, d.find(job.Scheme), "write http or https", "job %q cannot be scraped by %q", job.JobName, job.Scheme))
	}
	findings = append(findings, d.checkStaticTargets(job)...)
	for _, sd := range job.ServiceDiscoveryConfigs {
		files, ok := sd.(*file.SDConfig)
		if !ok {
			continue
		}
		for _, pattern := range files.Files {
			names := glob(pattern)
			if len(names) == 0 {
				findings = append(findings, d.finding(problem.SeverityWarning, d.find(pattern), "", "job %q: no file matches %s yet", job.JobName, pattern))
			}
			for _, name := range names {
				findings = append(findings, checkTargetFile(name)...)
			}
		}
	}
	return findings
}

// checkStaticTargets warns of targets that would never be scraped, after relabelling.
func (d document) checkStaticTargets(job *config.ScrapeConfig) (findings []problem.Finding) {
	for _, sd := range job.ServiceDiscoveryConfigs {
		static, ok := sd.(discovery.StaticConfig)
		if !ok {
			continue
		}
		for _, group := range static {
			_, failures := scrape.TargetsFromGroup(group, job, nil, labels.NewBuilder(labels.EmptyLabels()))
			for _, err := range failures {
				findings = append(findings, d.finding(problem.SeverityWarning, d.find(job.JobName), "targets are host:port, and metrics_path is a setting of the job",
					"job %q has a target that cannot be scraped: %v", job.JobName, err))
			}
		}
	}
	return findings
}

// find is the last place that holds a scalar, or one whose path ends in it.
func (d document) find(scalar string) (at *yaml.Node) {
	d.walk(func(_ []string, _, value *yaml.Node) {
		if value.Kind == yaml.ScalarNode && value.Value != "" && (value.Value == scalar || strings.HasSuffix(scalar, "/"+value.Value)) {
			at = value
		}
	})
	return at
}

// secretFiles are the keys whose files Prometheus reads by itself, some of them before a request, some at each.
var secretFiles = append([]string{
	"username_file", "password_file", "credentials_file", "bearer_token_file", "client_secret_file", "client_certificate_key_file",
}, tlsFiles...)

// tlsFiles are those that are read to make a client: where one is missing, that says so.
var tlsFiles = []string{"ca_file", "cert_file", "key_file"}

// checkSecretFiles refuses files of credentials and certificates that would hold up whoever reads them, or never end. One
// that is not there yet may still come: Prometheus starts without it too.
func (d document) checkSecretFiles() (findings []problem.Finding) {
	d.walk(func(path []string, key, value *yaml.Node) {
		named := key != nil && slices.Contains(secretFiles, key.Value) ||
			key == nil && slices.Contains(path, "http_headers") && path[len(path)-1] == "files"
		if !named || value.Kind != yaml.ScalarNode || value.Value == "" {
			return
		}
		name := commoncfg.JoinDir(filepath.Dir(d.file), value.Value)
		_, err := configfile.Read(name)
		if refused, ok := errors.AsType[*problem.Error](err); ok {
			findings = append(findings, d.finding(problem.SeverityError, value, refused.Mend, "%s cannot be read: %v", name, refused))
		} else if errors.Is(err, fs.ErrNotExist) && key != nil && !slices.Contains(tlsFiles, key.Value) {
			findings = append(findings, d.finding(problem.SeverityWarning, value, "correct the path or make the file", "%s %s does not exist", key.Value, name))
		}
	})
	return findings
}

func checkTargetFile(name string) []problem.Finding {
	content, err := configfile.Read(name)
	if err != nil {
		return []problem.Finding{configfile.Finding(name, err)}
	}
	var groups []*targetgroup.Group
	if strings.EqualFold(filepath.Ext(name), ".json") {
		err = json.Unmarshal(content, &groups)
	} else {
		err = yaml.Unmarshal(content, &groups)
	}
	if err == nil && slices.Contains(groups, nil) {
		err = errors.New("an empty group of targets")
	}
	if err != nil {
		return document{name, content}.locate(err)
	}
	return nil
}

func (d document) checkRuleFiles(c *config.Config) []problem.Finding {
	var findings []problem.Finding
	for _, pattern := range c.RuleFiles {
		names := glob(pattern)
		switch {
		case len(names) > 0:
		case strings.ContainsAny(pattern, "*?["):
			findings = append(findings, d.finding(problem.SeverityWarning, d.find(pattern), "", "no file matches %s", pattern))
		default:
			findings = append(findings, d.finding(problem.SeverityError, d.find(pattern), "correct the path or make the file", "rule file %s does not exist", pattern))
		}
		for _, name := range names {
			findings = append(findings, checkRuleFile(name, c)...)
		}
	}
	return findings
}

func checkRuleFile(name string, c *config.Config) []problem.Finding {
	content, err := configfile.Read(name)
	if err != nil {
		return []problem.Finding{configfile.Finding(name, err)}
	}
	d := document{name, content}
	if at := d.operators(); at != nil {
		return []problem.Finding{d.finding(problem.SeverityError, at, "take what is under spec", "a PrometheusRule of the Prometheus operator is no rule file")}
	}
	groups, errs := rulefmt.Parse(content, false, c.GlobalConfig.MetricNameValidationScheme, parser.NewParser(parser.Options{}), promslog.NewNopLogger())
	var findings []problem.Finding
	for _, err := range errs {
		findings = append(findings, d.locateRule(err)...)
	}
	if groups == nil {
		return slices.Compact(findings) // the file is decoded twice, which may fail twice
	}
	seen := map[string]bool{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			name := rule.Record + rule.Alert
			key := name + rules.FromMaps(group.Labels, rule.Labels).String()
			if seen[key] {
				findings = append(findings, d.finding(problem.SeverityWarning, d.find(name), "tell them apart by a label",
					"%s stands here twice with the same labels", name))
			}
			seen[key] = true
		}
	}
	return findings
}

// operators is where a document says that it is a PrometheusRule, the resource in which Kubernetes keeps rules; nil if it does not.
func (d document) operators() (at *yaml.Node) {
	d.walk(func(path []string, _, value *yaml.Node) {
		if slices.Equal(path, []string{"kind"}) && value.Value == "PrometheusRule" {
			at = value
		}
	})
	return at
}

// glob is filepath.Glob for patterns that config.Load has already accepted.
func glob(pattern string) []string {
	names, _ := filepath.Glob(pattern)
	return names
}

// notCarriedOut lists what a prometheus.yml may hold that daytwo does not carry out, by the path of keys.
var notCarriedOut = map[string]string{
	"tracing":           "daytwo does not send traces of its metrics engine yet",
	"runtime.log_level": "set DAYTWO_LOG_LEVEL",
}

// instead says what to use for discovery mechanisms that are not built in.
var instead = map[string]string{
	"kubernetes_sd_configs":  "serve the pods' addresses with http_sd_configs or write them to a file_sd_configs file; workloads that daytwo runs itself need no configuration",
	"consul_sd_configs":      "use dns_sd_configs with Consul's DNS names (NAME.service.consul)",
	"nerve_sd_configs":       "write the targets to a file_sd_configs file",
	"serverset_sd_configs":   "write the targets to a file_sd_configs file",
	"eureka_sd_configs":      "serve the targets with http_sd_configs",
	"puppetdb_sd_configs":    "serve the targets with http_sd_configs",
	"docker_sd_configs":      "write the targets to a file_sd_configs file",
	"dockerswarm_sd_configs": "use dns_sd_configs with tasks.SERVICE",
}

// checkSupport finds what Prometheus would do and daytwo does not: an error where targets would be missing, a warning where
// the rest works without.
func (d document) checkSupport() []problem.Finding {
	var findings []problem.Finding
	d.walk(func(path []string, key, value *yaml.Node) {
		if key == nil {
			return
		}
		if why, ok := notCarriedOut[strings.Join(path, ".")]; ok {
			findings = append(findings, d.finding(problem.SeverityWarning, key, "", "%s has no effect: %s", key.Value, why))
		}
		mechanism, is := strings.CutSuffix(key.Value, "_sd_configs")
		if !is || mechanism == "file" || mechanism == "http" || mechanism == "dns" {
			return
		}
		mend := cmp.Or(instead[key.Value], "write the targets to a file_sd_configs file or serve them with http_sd_configs")
		findings = append(findings, d.finding(problem.SeverityError, key, mend, "%s is not built into daytwo", key.Value))
	})
	return findings
}
