package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	// Time zones of people must be known on machines that carry no zone files.
	_ "time/tzdata"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// FileName is the file of the catalog inside a configuration directory.
const FileName = "daytwo.yml"

// Load reads dir's daytwo.yml. The catalog is never nil, but may be put in force only if the findings are not Broken. A directory
// without the file is an empty catalog and a warning.
func Load(dir string) (*Catalog, []problem.Finding) {
	file := filepath.Join(dir, FileName)
	data, err := configfile.Read(file)
	if err == nil {
		return Parse(file, data)
	}
	finding := configfile.Finding(file, err)
	if errors.Is(err, fs.ErrNotExist) {
		finding.Severity, finding.Message = problem.SeverityWarning, "there is no such file: no services are known and nobody can be paged"
		finding.Mend = "write one; the guide shows how under \"daytwo.yml\""
	}
	return empty(), []problem.Finding{finding}
}

// Parse reads the text of one daytwo.yml; file is its name in the findings. It accepts nothing it would ignore: unknown and
// duplicate keys, dangling references and a second document are errors.
func Parse(file string, data []byte) (*Catalog, []problem.Finding) {
	r := &reader{file: file}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		r.warnf(&yaml.Node{}, "", "the file is empty: no services are known and nobody can be paged")
		return empty(), r.findings
	case err != nil:
		r.syntax(err, data)
		return empty(), r.findings
	}
	if err := decoder.Decode(&second); err == nil {
		r.errorf(&second, "put everything into one document", "a second YAML document starts here")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err, data)
	}
	c := r.catalog(doc.Content[0])
	for _, check := range r.later {
		check()
	}
	r.markCut(data)
	problem.SortFindings(r.findings)
	return c.seal(), r.findings
}

func empty() *Catalog {
	c := &Catalog{People: []Person{}, Teams: []Team{}, Schedules: []Schedule{}, Policies: []Policy{}, Services: []Service{},
		Priorities: []Priority{}, Maintenance: []Maintenance{}, LastResort: []string{}}
	return c.seal()
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

func (r *reader) syntax(err error, data []byte) {
	at, message := &yaml.Node{}, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
		message = m[2]
	}
	if strings.HasPrefix(message, "did not find expected") {
		at.Line++ // the YAML parser counts from 0 in these
	}
	last, cut := lastLine(data)
	at.Line = min(at.Line, last)
	mend := "mind the indentation, and put text with : or # in quotes"
	if cut {
		mend += "; " + cutMend(last)
	}
	r.errorf(at, mend, "not valid YAML: %s", message)
}

// markCut tells whoever reads an error of the last line that the line may not be whole.
func (r *reader) markCut(data []byte) {
	last, cut := lastLine(data)
	for i := range r.findings {
		if f := &r.findings[i]; cut && f.Line == last && f.Severity == problem.SeverityError && !strings.Contains(f.Mend, cutMend(last)) {
			f.Mend += "; " + cutMend(last)
		}
	}
}

// lastLine counts the lines of a file and tells whether the last one does not end.
func lastLine(data []byte) (n int, cut bool) {
	cut = len(data) > 0 && data[len(data)-1] != '\n'
	n = bytes.Count(data, []byte{'\n'})
	if cut {
		n++
	}
	return n, cut
}

func cutMend(last int) string {
	return fmt.Sprintf("the file ends in the middle of line %d: is it whole?", last)
}
