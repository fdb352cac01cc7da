package metrics

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// mends are what helps against the mistakes that people make, by a part of what the parsers say of them.
var mends = []struct{ in, mend string }{
	{"not a valid duration string", "write a number with its unit: 15s, 5m, 1h30m"},
	{"unknown unit", "write a number with its unit: 15s, 5m, 1h30m"},
	{"cannot start any token", "indent with spaces, and quote what begins with @, ` or %"},
	{"did not find expected", "look at the indentation here and above, and quote a text that begins with { or [ or holds a quote"},
	{"mapping values are not allowed", "look at the indentation here and above, put a space after each colon, and quote a text that holds one"},
	{"already set in type", "keep one of them"},
	{"is not a list", "write [one, another], or each in a line of its own after a dash"},
	{"what stands here is not a mapping", "write names and values, `name: value`; a file of rules begins with `groups:`"},
	{"multiple scrape configs with job name", "give each job its own name, or make one job of them"},
	{"job_name is empty", "give each job a job_name"},
	{"scrape timeout greater than scrape interval", "lower scrape_timeout, or raise scrape_interval"},
	{"unknown relabel action", "replace, keep, drop, keepequal, dropequal, hashmod, lowercase, uppercase, labelmap, labeldrop or labelkeep"},
	{"requires 'target_label'", "add target_label, the label that gets the value"},
	{"is not a valid hostname", "targets are host:port; scheme and metrics_path are settings of the job"},
	{"is not valid for file discovery", "names end in .json, .yml or .yaml"},
	{"at most one of", "keep one of them"},
	{"error parsing regexp", "correct the regular expression; a backslash before ( . [ and the like takes them as they are"},
	{"unable to read", "correct the path or make the file"},
	{`unexpected "="`, "compare by =="},
	{"in label matching, expected string", `quote the value: {job="node"}`},
	{"expected type range vector", "add a range, as in x[5m]"},
	{"expected type instant vector", "take the range in brackets away, or put a function such as rate around it"},
	{"unclosed left parenthesis", "close it by )"},
	{`in grouping opts, expected "("`, "put parentheses around the labels: by (instance)"},
	{"not defined", "correct the name of the function; prometheus.io/docs/prometheus/latest/configuration/template_reference lists them"},
	{"undefined variable", "there are $labels, $value, $externalLabels and $externalURL"},
	{`unexpected "}" in operand`, "close it by }}"},
	{"only one of 'record' and 'alert'", "make two rules of it"},
	{"one of 'record' or 'alert' must be set", "add the name of the alert (alert) or of the metric (record)"},
	{"is repeated in the same file", "give each group its own name"},
	{"Groupname must not be empty", "give each group a name"},
	{"in recording rule", "take it out, or make an alert of it"},
}

// elsewhere are keys that people put where they do not belong.
var elsewhere = map[string]string{
	"summary":     "put it below annotations",
	"description": "put it below annotations",
	"severity":    "put it below labels",
	"rules":       "rule files are named by rule_files; a file of rules begins with `groups:`",
	"targets":     "put it below static_configs",
	"name":        "a job has a job_name; a file of rules begins with `groups:`",
}

// mend says what helps, or nothing.
func mend(message string) string {
	if m := isNoField.FindStringSubmatch(message); m != nil {
		return meant(m[1])
	}
	for _, known := range mends {
		if strings.Contains(message, known.in) {
			return known.mend
		}
	}
	return ""
}

var isNoField = regexp.MustCompile(`^field (\S+) not found`)

// meant is the key that was probably meant.
func meant(key string) string {
	known := fields()
	if slices.Contains(known, key) {
		return cmp.Or(elsewhere[key], "it is a key of another place: look at its indentation")
	}
	for _, other := range known {
		if problem.Resembles(key, other) {
			return fmt.Sprintf("did you mean %s?", other)
		}
	}
	return cmp.Or(elsewhere[key], "correct it or take it out")
}

// fields are the keys of a prometheus.yml and of a file of rules, in order.
func fields() []string {
	all := []string{"static_configs", "file_sd_configs", "http_sd_configs", "dns_sd_configs", "targets", "files", "names", "url", "port", "type", "refresh_interval"}
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(t.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[t] {
			return
		}
		seen[t] = true
		for field := range t.Fields() {
			if name, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); name != "" && name != "-" {
				all = append(all, name)
			}
			visit(field.Type)
		}
	}
	visit(reflect.TypeFor[config.Config]())
	visit(reflect.TypeFor[rulefmt.RuleGroups]())
	slices.Sort(all)
	return slices.Compact(all)
}

// place is where an error that names no place can only come from: a key that stands once in the file, or a text that the
// error repeats.
func (d document) place(message string) (at *yaml.Node) {
	for _, about := range []struct{ in, key string }{
		{"job_name is empty", "scrape_configs"}, {"relabel configuration", "relabel_configs"}, {"basic_auth", "basic_auth"},
	} {
		if !strings.Contains(message, about.in) {
			continue
		}
		found := 0
		d.walk(func(_ []string, key, _ *yaml.Node) {
			if key != nil && key.Value == about.key {
				at, found = key, found+1
			}
		})
		if found != 1 {
			at = nil
		}
		return at
	}
	if m := inRegexp.FindStringSubmatch(message); m != nil {
		return d.find(m[1])
	}
	return nil
}

var inRegexp = regexp.MustCompile("(?s)`\\^\\(\\?s:(.+)\\)\\$`$")
