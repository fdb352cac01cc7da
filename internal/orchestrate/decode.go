package orchestrate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	maxManifest  = 1 << 20 // bytes of one file
	maxDocuments = 256
	maxMessage   = 300     // bytes of one finding
	maxValues    = 100_000 // so that aliases cannot expand without end
)

// Parse reads a file of Deployments (a YAML stream). It reports everything
// there is to say, with lines; the manifests are usable only if no finding is
// an error.
func Parse(file string, data []byte) ([]Manifest, []problem.Finding) {
	d := &decoder{file: file}
	if len(data) > maxManifest {
		d.findings = append(d.findings, problem.Finding{File: file, Severity: problem.SeverityError,
			Message: fmt.Sprintf("the file has %d bytes, more than %d", len(data), maxManifest), Mend: "split it"})
		return nil, d.findings
	}
	var all []Manifest
	named := map[string]int{}
	stream := yaml.NewDecoder(bytes.NewReader(data))
	for n := 0; ; n++ {
		var doc yaml.Node
		err := stream.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && n == maxDocuments {
			err = fmt.Errorf("yaml: line %d: more than %d documents", doc.Line, maxDocuments)
		}
		if err != nil {
			d.syntax(err)
			break
		}
		if len(doc.Content) == 0 || isNull(doc.Content[0]) {
			continue
		}
		m, ok := d.document(&doc)
		if !ok {
			continue
		}
		if first, twice := named[m.Name]; twice {
			d.errorf(doc.Content[0], "give each its own name", "workload %q is already described on line %d", m.Name, first)
		}
		named[m.Name] = doc.Content[0].Line
		all = append(all, m)
	}
	problem.SortFindings(d.findings)
	return all, d.findings
}

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s+)?(?:line (\d+): )?`)

// syntax reports an error of the YAML library at its line.
func (d *decoder) syntax(err error) {
	f := problem.Finding{File: d.file, Severity: problem.SeverityError, Mend: "mend the YAML"}
	m := yamlLine.FindStringSubmatch(err.Error())
	if m != nil {
		f.Line, _ = strconv.Atoi(m[1])
		f.Message = "not valid YAML: " + strings.TrimPrefix(err.Error(), m[0])
	} else {
		f.Message = "not valid YAML: " + err.Error()
	}
	d.findings = append(d.findings, f)
}

// document reads one Deployment; ok is false if it had an error.
func (d *decoder) document(doc *yaml.Node) (m Manifest, ok bool) {
	before := len(d.findings)
	m = d.deployment(doc.Content[0])
	if problem.Broken(d.findings[before:]) {
		return Manifest{}, false
	}
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		d.errorf(doc.Content[0], "", "cannot be written again: %v", err)
		return Manifest{}, false
	}
	m.Text = text.String()
	return m, true
}

// decoder walks nodes. Every method reports what does not fit and goes on with
// a zero value, so that one pass finds everything.
type decoder struct {
	file     string
	findings []problem.Finding
	visited  int
}

func (d *decoder) errorf(n *yaml.Node, mend, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if len(message) > maxMessage { // it quotes what it found
		message = strings.ToValidUTF8(message[:maxMessage/2], "") + " … " + strings.ToValidUTF8(message[len(message)-maxMessage/2:], "")
	}
	d.findings = append(d.findings, problem.Finding{
		File: d.file, Line: n.Line, Column: n.Column, Severity: problem.SeverityError, Message: message, Mend: mend,
	})
}

// enter resolves aliases; false means the document has grown too large.
func (d *decoder) enter(n *yaml.Node) (*yaml.Node, bool) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if d.visited++; d.visited == maxValues {
		d.errorf(n, "use fewer aliases", "the file holds more than %d values", maxValues)
	}
	return n, d.visited < maxValues
}

// entries calls each for the pairs of a mapping, whose keys must be strings
// and stand once.
func (d *decoder) entries(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	n, ok := d.enter(n)
	if !ok {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.errorf(n, "write `key: value` lines", "%s must be a mapping", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if k, _ := d.enter(key); k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" {
			d.errorf(key, "", "a key of %s is not a word", what)
			continue
		} else if line := seen[k.Value]; line > 0 {
			d.errorf(key, "keep one", "%s has %q already on line %d", what, k.Value, line)
		} else {
			seen[k.Value] = max(key.Line, 1)
			each(k, n.Content[i+1])
		}
	}
}

// field reads the value of one key and is missed if need is set.
type field struct {
	read func(*yaml.Node)
	need bool
}

// object reads a mapping with known fields. What it does not know it refuses
// by name: a manifest must not promise what nobody keeps.
func (d *decoder) object(n *yaml.Node, what string, fields map[string]field) {
	given := map[string]bool{}
	d.entries(n, what, func(key, value *yaml.Node) {
		f, known := fields[key.Value]
		if !known {
			d.errorf(key, "remove it; here daytwo reads "+strings.Join(slices.Sorted(maps.Keys(fields)), ", "),
				"%s: daytwo does not act on %q", what, key.Value)
			return
		}
		given[key.Value] = true
		f.read(value)
	})
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name].need && !given[name] {
			d.errorf(n, "add it", "%s: %s is missing", what, name)
		}
	}
}

func (d *decoder) list(n *yaml.Node, what string, each func(*yaml.Node)) {
	n, ok := d.enter(n)
	if !ok {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.errorf(n, "write a list: `- item` lines or [a, b]", "%s must be a list", what)
		return
	}
	for _, item := range n.Content {
		each(item)
	}
}

// text reads a string. Unquoted numbers and booleans are refused, as
// Kubernetes does.
func (d *decoder) text(n *yaml.Node, what string) (string, bool) {
	n, ok := d.enter(n)
	if !ok {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		d.errorf(n, "put it in quotes", "%s must be text", what)
		return "", false
	}
	if strings.ContainsRune(n.Value, 0) {
		d.errorf(n, "", "%s holds a zero byte", what)
		return "", false
	}
	return n.Value, true
}

// is reads a string that can have one value only.
func (d *decoder) is(what, mend string, want ...string) field {
	return field{read: func(n *yaml.Node) {
		if s, ok := d.text(n, what); ok && !slices.Contains(want, s) {
			d.errorf(n, mend, "%s %q is not supported, only %s", what, s, strings.Join(want, ", "))
		}
	}}
}

func (d *decoder) str(what string, to *string) field {
	return field{read: func(n *yaml.Node) { *to, _ = d.text(n, what) }}
}

func (d *decoder) strs(what string, to *[]string) field {
	return field{read: func(n *yaml.Node) {
		d.list(n, what, func(item *yaml.Node) {
			s, _ := d.text(item, "an item of "+what)
			*to = append(*to, s)
		})
	}}
}

// number reads an integer between least and most.
func (d *decoder) number(what string, least, most int, set func(int)) field {
	return field{read: func(n *yaml.Node) {
		n, ok := d.enter(n)
		if !ok {
			return
		}
		v, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil || v < least || v > most {
			d.errorf(n, "", "%s must be a whole number from %d to %d", what, least, most)
			return
		}
		set(v)
	}}
}

func (d *decoder) words(what string, to map[string]string, places map[string]*yaml.Node) field {
	return field{read: func(n *yaml.Node) {
		d.entries(n, what, func(key, value *yaml.Node) {
			if s, ok := d.text(value, what+" "+key.Value); ok {
				to[key.Value] = s
				if places != nil {
					places[key.Value] = key
				}
			}
		})
	}}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
