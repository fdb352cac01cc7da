package catalog

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"

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
		finding.Mend = "write one, see docs/adr/0014-daytwo-yml.md"
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
		r.syntax(err)
		return empty(), r.findings
	}
	if err := decoder.Decode(&second); err == nil {
		r.errorf(&second, "put everything into one document", "a second YAML document starts here")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	c := r.catalog(doc.Content[0])
	for _, check := range r.later {
		check()
	}
	problem.SortFindings(r.findings)
	return c, r.findings
}

func empty() *Catalog {
	return &Catalog{People: []Person{}, Teams: []Team{}, Policies: []Policy{}, Services: []Service{}, LastResort: []string{}}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

func (r *reader) syntax(err error) {
	at, message := &yaml.Node{}, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
		message = m[2]
	}
	r.errorf(at, "mind the indentation, and put text with : or # in quotes", "not valid YAML: %s", message)
}
