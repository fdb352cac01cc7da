package alertmanager

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/template"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Check says everything there is to say about the alertmanager.yml of an operations directory and the files it names. Without
// such a file there is nothing.
func Check(dir, url string) []problem.Finding {
	_, findings := Load(dir, url, slog.New(slog.DiscardHandler))
	problem.SortFindings(findings)
	return findings
}

// CheckFile says the same of an alertmanager.yml of any name, and is false of a file that is none: one with neither a route
// nor receivers.
func CheckFile(path, url string) (findings []problem.Finding, is bool) {
	content, err := configfile.Read(path)
	if err != nil {
		return nil, false
	}
	if d := (document{path, content}); d.top("route") == nil && d.top("receivers") == nil {
		return nil, false
	}
	_, findings = load(path, url, slog.New(slog.DiscardHandler))
	problem.SortFindings(findings)
	return findings, true
}

// document is the file as text, to say where something stands.
type document struct {
	file    string
	content []byte
}

// walk visits every key with its value and every scalar in a list. A document that does not parse has none.
func (d document) walk(visit func(key string, value *yaml.Node)) {
	var root yaml.Node
	if yaml.Unmarshal(d.content, &root) != nil {
		return
	}
	var descend func(key string, n *yaml.Node)
	descend = func(key string, n *yaml.Node) {
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				visit(n.Content[i].Value, n.Content[i+1])
				descend(n.Content[i].Value, n.Content[i+1])
			}
			return
		}
		for _, child := range n.Content {
			if n.Kind == yaml.SequenceNode {
				visit(key, child)
			}
			descend(key, child)
		}
	}
	descend("", &root)
}

// find is where a key has a value, or nil. With an empty value it is the first such key.
func (d document) find(key, value string) (at *yaml.Node) {
	d.walk(func(k string, v *yaml.Node) {
		if at == nil && k == key && (value == "" || v.Kind == yaml.ScalarNode && v.Value == value) {
			at = v
		}
	})
	return at
}

// top is the key of that name at the top of the file, or nil.
func (d document) top(name string) *yaml.Node {
	var root yaml.Node
	if yaml.Unmarshal(d.content, &root) != nil || len(root.Content) == 0 {
		return nil
	}
	keys := root.Content[0].Content
	for i := 0; i+1 < len(keys); i += 2 {
		if keys[i].Value == name {
			return keys[i]
		}
	}
	return nil
}

// at is an empty finding at a place; nil is the file as a whole.
func (d document) at(n *yaml.Node) problem.Finding {
	f := problem.Finding{File: d.file, Severity: problem.SeverityError}
	if n != nil {
		f.Line, f.Column = max(n.Line, 1), max(n.Column, 1)
	}
	return f
}

var (
	atLine   = regexp.MustCompile(`(?s)^(?:yaml: )?line (\d+): (.*)$`)
	inRegexp = regexp.MustCompile("(?s)`\\^\\(\\?:(.+)\\)\\$`")
	inWords  = regexp.MustCompile(`^address (\S+): |^(\S+) is not a valid (?:weekday|month)`)
	inQuotes = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
)

// locate turns an error of Alertmanager's parser into findings: by the line it names, else by what it quotes, else by the key
// that it is about.
func (d document) locate(err error) []problem.Finding {
	var findings []problem.Finding
	message := strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:\n")
	for line := range strings.SplitSeq(message, "\n") {
		line = strings.TrimSpace(line)
		f := d.at(nil)
		if m := atLine.FindStringSubmatch(line); m != nil {
			f.Line, _ = strconv.Atoi(m[1]) // digits
			f.Message = m[2]
			f.Line, f.Column = max(f.Line, 1), d.firstColumn(f.Line)
		} else {
			f = d.at(d.quoted(line))
			f.Message = line
		}
		f.Mend = mend(f.Message)
		findings = append(findings, f)
	}
	return findings
}

// quoted is the place of what an error is about.
func (d document) quoted(message string) (at *yaml.Node) {
	for _, m := range inQuotes.FindAllStringSubmatch(message, -1) {
		text, err := strconv.Unquote(m[0])
		if err != nil {
			text = m[1]
		}
		d.walk(func(key string, v *yaml.Node) {
			defines := key == "name" && !strings.Contains(message, "not unique")
			if v.Kind == yaml.ScalarNode && v.Value == text && !defines {
				at = v
			}
		})
		if at != nil {
			return at
		}
	}
	if strings.Contains(message, "for URL") {
		d.walk(func(key string, v *yaml.Node) {
			is := key == "url" || strings.HasSuffix(key, "_url")
			if at == nil && is && v.Kind == yaml.ScalarNode && !strings.HasPrefix(v.Value, "http://") && !strings.HasPrefix(v.Value, "https://") {
				at = v
			}
		})
		if at != nil {
			return at
		}
	}
	if m := inWords.FindStringSubmatch(message); m != nil {
		d.walk(func(_ string, v *yaml.Node) {
			if at == nil && v.Kind == yaml.ScalarNode && v.Value == m[1]+m[2] {
				at = v
			}
		})
		if at != nil {
			return at
		}
	}
	if m := inRegexp.FindStringSubmatch(message); m != nil {
		d.walk(func(_ string, v *yaml.Node) {
			if at == nil && v.Kind == yaml.ScalarNode && strings.Contains(v.Value, m[1]) {
				at = v
			}
		})
		if at != nil {
			return at
		}
	}
	for _, known := range []struct{ in, key string }{
		{"SMTP", "email_configs"}, {"Slack", "slack_configs"}, {"OpsGenie", "opsgenie_configs"}, {"PagerDuty", "pagerduty_configs"},
		{"VictorOps", "victorops_configs"}, {"Wechat", "wechat_configs"}, {"telegram", "telegram_configs"}, {"discord", "discord_configs"},
		{"webex", "webex_configs"}, {"msteams", "msteams_configs"}, {"Jira", "jira_configs"}, {"Rocketchat", "rocketchat_configs"},
		{"mattermost", "mattermost_configs"}, {"webhook", "webhook_configs"}, {"url_file", "webhook_configs"}, {"start time", "times"}, {"group_interval", "group_interval"},
		{"repeat_interval", "repeat_interval"}, {"time interval", "time_intervals"}, {"receiver", "receivers"}, {"route", "route"},
		{"matcher", "matchers"},
	} {
		if at = d.find(known.key, ""); at != nil && strings.Contains(message, known.in) {
			return at
		}
	}
	return nil
}

// firstColumn is where the text of a line begins.
func (d document) firstColumn(line int) int {
	lines := strings.Split(string(d.content), "\n")
	if line > len(lines) {
		return 1
	}
	text := lines[line-1]
	return len(text) - len(strings.TrimLeft(text, " \t-")) + 1
}

// mend says what helps against the errors that people make.
func mend(message string) string {
	for _, known := range []struct{ in, mend string }{
		{"undefined receiver", "add a receiver of that name, or correct the route"},
		{"undefined time interval", "add it to time_intervals, or correct the route"},
		{"is not unique", "give each its own name"},
		{"no route", "add `route: {receiver: …}`"},
		{"root route must specify", "add `receiver: …` to the route at the top"},
		{"root route must not have any matchers", "put the matchers on a route below it"},
		{"for URL", "write a whole URL, https://…; variables of the environment are not filled in"},
		{"missing port in address", "write host:port; variables of the environment are not filled in"},
		{"smarthost", "set global.smtp_smarthost, or smarthost on the receiver"},
		{"SMTP from", "set global.smtp_from, or from on the receiver"},
		{"Slack API URL", "set api_url on the receiver, or global.slack_api_url"},
		{"not found in type", "correct the name of the field, or take it out"},
		{"at most one of", "keep one of them"},
		{"bad matcher format", `write matchers such as severity="critical"`},
		{"error parsing regexp", "correct the regular expression"},
		{"group_interval cannot be zero", "write a duration such as 5m"},
		{"not a valid duration string", "write a number with its unit: 30s, 5m, 4h"},
		{"unknown unit", "write a number with its unit: 30s, 5m, 4h"},
		{"PagerDuty", "set routing_key on the receiver"},
		{"url or url_file", "set url"},
		{"start time cannot be", "a range ends on the day it begins: make two of it, one until 24:00 and one from 00:00"},
		{"is not a valid weekday", "write monday, or monday:friday"},
		{"is not a valid month", "write january, 1, or january:march"},
		{"!!map into []string", "write a list; matchers are such as [severity=\"critical\"]"},
		{"!!map into string", "write a text; a matcher is such as severity=\"critical\""},
		{"into []string", "write a list: [one, another]"},
		{"into []", "write a list: each in a line of its own after a dash"},
		{"cannot start any token", "indent with spaces, and quote what begins with @, ` or %"},
		{"did not find expected", "look at the indentation here and above, and quote a text that begins with { or [ or holds a quote"},
		{"mapping values are not allowed", "look at the indentation here and above, and quote a text that holds a colon"},
	} {
		if strings.Contains(message, known.in) {
			return known.mend
		}
	}
	return ""
}

// checkFiles refuses files of secrets that would hold up whoever reads them. One that is not there yet may still come.
func (d document) checkFiles() (findings []problem.Finding) {
	d.walk(func(key string, v *yaml.Node) {
		if !strings.HasSuffix(key, "_file") || v.Kind != yaml.ScalarNode || v.Value == "" {
			return
		}
		name := v.Value
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(d.file), name)
		}
		_, err := configfile.Read(name)
		if refused, ok := errors.AsType[*problem.Error](err); ok {
			f := d.at(v)
			f.Message, f.Mend = fmt.Sprintf("%s cannot be read: %v", name, refused), refused.Mend
			findings = append(findings, f)
		}
	})
	return findings
}

var templateLine = regexp.MustCompile(`(?s)^template: [^:]*:(\d+):(?:(\d+):)? ?(.*)$`)

// templates reads the files that the patterns name; what is wrong in one is said at its line.
func (d document) templates(patterns []string) (*template.Template, []problem.Finding) {
	var findings []problem.Finding
	t, err := template.FromGlobs(nil)
	if err != nil {
		return nil, d.locate(err)
	}
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f := d.at(d.find("templates", ""))
			f.Severity, f.Message = problem.SeverityWarning, "no template file matches "+pattern
			if err != nil {
				f.Severity, f.Message = problem.SeverityError, fmt.Sprintf("the pattern %s is not one: %v", pattern, err)
			}
			findings = append(findings, f)
			continue
		}
		for _, name := range names {
			content, err := configfile.Read(name)
			if err != nil {
				findings = append(findings, configfile.Finding(name, err))
				continue
			}
			if err := t.Parse(strings.NewReader(string(content))); err != nil {
				f := problem.Finding{File: name, Line: 1, Column: 1, Severity: problem.SeverityError, Message: err.Error()}
				if m := templateLine.FindStringSubmatch(f.Message); m != nil {
					f.Line, _ = strconv.Atoi(m[1]) // digits
					f.Message = m[3]
				}
				findings = append(findings, f)
			}
		}
	}
	return t, findings
}

// checkReach warns of receivers whose alerts reach nobody at all.
func (d document) checkReach(r *Routing) (findings []problem.Finding) {
	if r.file == "" {
		return nil
	}
	for _, key := range []string{"tracing", "event_recorder"} {
		if at := d.top(key); at != nil {
			f := d.at(at)
			f.Severity, f.Message = problem.SeverityWarning, key+" has no effect"
			f.Mend = "the timeline has what happens to alerts; take it out"
			findings = append(findings, f)
		}
	}
	reported := []string{}
	r.root.Walk(func(route *dispatch.Route) {
		name := route.RouteOpts.Receiver
		opens, explicit := r.opens(route)
		if opens || explicit || len(r.receivers[name]) > 0 || slices.Contains(reported, name) {
			return
		}
		reported = append(reported, name)
		f := d.at(d.find("name", name))
		f.Severity = problem.SeverityWarning
		f.Message = fmt.Sprintf("receiver %s notifies nobody: alerts routed to it end here", quote(name))
		f.Mend = "to open incidents of them, route them to a receiver named daytwo; if they shall end here, give it the label `daytwo: none`"
		findings = append(findings, f)
	})
	return findings
}

func quote(s string) string { return strconv.Quote(s) }

func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("address of this server: %w", err)
	}
	return u, nil
}
