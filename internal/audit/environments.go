package audit

import (
	"bytes"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// EnvSet is the configuration of one environment as a file states it.
type EnvSet struct {
	File   string
	Group  string // sets of one group belong together
	Values map[string]string
}

// environments are the words that tell the files of a group apart.
var environments = regexp.MustCompile(`(?i)^(?:dev(?:elopment)?|test|qa|stage|staging|preview|prod(?:uction)?|live|local)$`)

// readEnvSet reads a file that configures one environment: .env.production,
// config/staging.yml, settings.dev.json.
func readEnvSet(name string, text []byte) (EnvSet, bool) {
	dir, base := path.Split(name)
	if isTestFile(strings.ReplaceAll(dir, "test", "")) {
		return EnvSet{}, false
	}
	parts := strings.FieldsFunc(base, func(r rune) bool { return r == '.' || r == '-' || r == '_' })
	which := -1
	for i, p := range parts {
		if environments.MatchString(p) {
			which = i
		}
	}
	isEnv := strings.HasPrefix(base, ".env.") || strings.HasSuffix(base, ".env")
	if which < 0 {
		return EnvSet{}, false
	}
	group := dir + strings.Join(slices.Delete(slices.Clone(parts), which, which+1), ".")
	set := EnvSet{File: name, Group: group}
	switch ext := path.Ext(base); {
	case isEnv:
		set.Values = parseEnv(text)
	case ext == ".yml" || ext == ".yaml" || ext == ".json":
		if !strings.Contains(strings.ToLower(dir), "conf") && !strings.Contains(strings.ToLower(dir), "setting") && len(parts) == 2 {
			return EnvSet{}, false // any file may be called test.json
		}
		var tree any
		if yaml.Unmarshal(text, &tree) != nil {
			return EnvSet{}, false
		}
		set.Values = map[string]string{}
		flatten("", tree, set.Values)
	default:
		return EnvSet{}, false
	}
	return set, true
}

// parseEnv reads lines NAME=VALUE, with an export before and quotes around the
// value taken off.
func parseEnv(text []byte) map[string]string {
	values := map[string]string{}
	for line := range bytes.Lines(text) {
		l := strings.TrimPrefix(strings.TrimSpace(string(line)), "export ")
		name, value, ok := strings.Cut(l, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t#\"'") {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		values[name] = value
	}
	return values
}

// flatten names the leaves of a document: a.b.c. Lists count as one leaf.
func flatten(prefix string, tree any, into map[string]string) {
	m, ok := tree.(map[string]any)
	if !ok {
		if prefix != "" && len(into) < 5000 {
			s, _ := tree.(string)
			into[prefix] = s
		}
		return
	}
	for k, v := range m {
		if prefix != "" {
			k = prefix + "." + k
		}
		flatten(k, v, into)
	}
}

// difference is what tells the sets of one group apart.
type difference struct {
	files   []string
	missing []string // "NAME only in FILE"
	engines []string // "NAME is sqlite in FILE, postgres in FILE"
}

// differences compares the sets of each group that has more than one.
func differences(sets []EnvSet) []difference {
	groups := map[string][]EnvSet{}
	for _, s := range sets {
		groups[s.Group] = append(groups[s.Group], s)
	}
	var found []difference
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if group := groups[name]; len(group) > 1 {
			found = append(found, compare(group))
		}
	}
	return found
}

func compare(group []EnvSet) difference {
	var d difference
	keys := map[string]bool{}
	for _, s := range group {
		d.files = append(d.files, s.File)
		for k := range s.Values {
			keys[k] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		var in, engines []string
		for _, s := range group {
			v, ok := s.Values[k]
			if !ok {
				continue
			}
			in = append(in, s.File)
			if e := engine(v); e != "" {
				engines = append(engines, e)
			}
		}
		if len(in) < len(group) {
			d.missing = append(d.missing, k+" only in "+firstOf(in, 2))
		}
		slices.Sort(engines)
		if e := slices.Compact(engines); len(e) > 1 {
			d.engines = append(d.engines, k+" is "+strings.Join(e, " here and ")+" there")
		}
	}
	return d
}

// engine is the kind of backing service that a URL names, or "".
func engine(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" {
		return ""
	}
	scheme, _, _ := strings.Cut(u.Scheme, "+")
	switch scheme {
	case "postgres", "postgresql":
		return "PostgreSQL"
	case "sqlite", "sqlite3", "file":
		return "SQLite"
	case "mysql", "mariadb", "mongodb", "redis", "amqp", "nats", "memcached":
		return scheme
	}
	return ""
}
