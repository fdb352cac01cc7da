package orchestrate

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// expand replaces $(NAME) by what lookup knows, leaves alone what it does not
// know, and turns $$ into $, as Kubernetes does (third_party/forked/golang/
// expansion in kubernetes/kubernetes).
func expand(s string, lookup func(string) (string, bool)) string {
	var out strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i+1 == len(s) {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:i])
		switch s = s[i:]; s[1] {
		case '$':
			out.WriteByte('$')
			s = s[2:]
		case '(':
			end := strings.IndexByte(s, ')')
			if end < 0 {
				out.WriteString(s)
				return out.String()
			}
			if v, ok := lookup(s[2:end]); ok {
				out.WriteString(v)
			} else {
				out.WriteString(s[:end+1])
			}
			s = s[end+1:]
		default:
			out.WriteByte('$')
			s = s[1:]
		}
	}
}

var serviceVariable = regexp.MustCompile(`^([A-Z0-9]+(?:_[A-Z0-9]+)*)_SERVICE_(?:HOST|PORT)$`)

// references lists the workloads whose addresses a manifest refers to.
func (m Manifest) references() []string {
	var names []string
	declared := map[string]bool{}
	collect := func(s string) {
		expand(s, func(v string) (string, bool) {
			if match := serviceVariable.FindStringSubmatch(v); match != nil && !declared[v] {
				if name := strings.ToLower(strings.ReplaceAll(match[1], "_", "-")); dnsLabel.MatchString(name) {
					names = append(names, name)
				}
			}
			return "", false
		})
	}
	for _, e := range m.Env {
		collect(e.Value)
		declared[e.Name] = true
	}
	for _, s := range slices.Concat(m.Command, m.Args) {
		collect(s)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

const loopback = "127.0.0.1"

// serviceVariables are {NAME}_SERVICE_HOST and _PORT for each workload, as
// Kubernetes sets them for each Service.
func serviceVariables(ports map[string]int) []EnvVar {
	var vars []EnvVar
	for name, port := range ports {
		prefix := strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_SERVICE_"
		vars = append(vars, EnvVar{prefix + "HOST", loopback}, EnvVar{prefix + "PORT", fmt.Sprint(port)})
	}
	slices.SortFunc(vars, func(a, b EnvVar) int { return strings.Compare(a.Name, b.Name) })
	return vars
}

// environment is everything the process will know, and its command line. It
// holds nothing of daytwo's own environment but PATH, HOME and the time zone.
func (m Manifest) environment(port int, ports map[string]int) (env, argv []string) {
	known := map[string]string{}
	add := func(name, value string) {
		known[name] = value
		env = append(env, name+"="+value)
	}
	for _, name := range []string{"PATH", "HOME", "TZ"} {
		if v := os.Getenv(name); v != "" {
			add(name, v)
		}
	}
	for _, v := range serviceVariables(ports) {
		add(v.Name, v.Value)
	}
	add("PORT", fmt.Sprint(port))
	lookup := func(name string) (string, bool) { v, ok := known[name]; return v, ok }
	for _, v := range m.Env {
		add(v.Name, expand(v.Value, lookup))
	}
	for _, s := range slices.Concat(m.Command, m.Args) {
		argv = append(argv, expand(s, lookup))
	}
	return env, argv
}
