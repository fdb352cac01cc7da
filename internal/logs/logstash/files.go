package logstash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// ReadDir builds the pipelines of a folder of configuration files. As Logstash does, it takes all *.conf together, in the order of their
// names, for one pipeline called main, unless pipelines.yml says which files make which pipeline. Without the folder there are none.
func ReadDir(dir string, env Env) ([]*Pipeline, []problem.Finding) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	env.Dir = dir
	list, findings := definitions(dir)
	var out []*Pipeline
	for _, d := range list {
		sources, found := d.sources(dir)
		findings = append(findings, found...)
		if len(sources) == 0 {
			continue
		}
		p, found := Build(d.ID, sources, d.settings, env)
		findings = append(findings, found...)
		if p != nil {
			out = append(out, p)
		}
	}
	if problem.Broken(findings) {
		return nil, findings
	}
	return out, findings
}

// definition is an entry of pipelines.yml.
type definition struct {
	ID       string
	path     string
	text     string // the configuration itself
	settings Settings
	line     int
}

// definitions reads pipelines.yml; without one, everything is one pipeline.
func definitions(dir string) ([]definition, []problem.Finding) {
	name := filepath.Join(dir, "pipelines.yml")
	standard := definition{ID: "main", path: filepath.Join(dir, "*.conf"), settings: DefaultSettings(runtime.NumCPU())}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return []definition{standard}, nil
	}
	content, err := configfile.Read(name)
	if err != nil {
		return nil, []problem.Finding{configfile.Finding(name, err)}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil {
		return nil, []problem.Finding{{File: name, Severity: problem.SeverityError, Message: err.Error(), Mend: "write a list of pipelines: - pipeline.id: main"}}
	}
	if len(root.Content) == 0 {
		return []definition{standard}, nil
	}
	var out []definition
	var findings []problem.Finding
	for _, entry := range root.Content[0].Content {
		d, found := readDefinition(name, dir, entry)
		findings = append(findings, found...)
		if slices.ContainsFunc(out, func(other definition) bool { return other.ID == d.ID }) {
			findings = append(findings, problem.Finding{File: name, Line: entry.Line, Column: entry.Column, Severity: problem.SeverityError,
				Message: fmt.Sprintf("pipeline %q stands twice", d.ID), Mend: "give each its own pipeline.id"})
		}
		out = append(out, d)
	}
	return out, findings
}

// knownSettings of pipelines.yml are those that mean nothing here, or that are read below.
var knownSettings = []string{"pipeline.id", "path.config", "config.string", "pipeline.workers", "pipeline.batch.size", "pipeline.batch.delay", "pipeline.ecs_compatibility",
	"pipeline.ordered", "pipeline.reloadable", "queue.type", "queue.max_events", "queue.max_bytes", "queue.page_capacity", "queue.checkpoint.writes", "path.queue", "queue.drain",
	"dead_letter_queue.enable", "pipeline.unsafe_shutdown", "pipeline.plugin_classloaders", "config.debug", "config.reload.automatic"}

func readDefinition(name, dir string, entry *yaml.Node) (definition, []problem.Finding) {
	d := definition{settings: DefaultSettings(runtime.NumCPU()), line: entry.Line}
	var findings []problem.Finding
	wrong := func(n *yaml.Node, severity problem.Severity, message, mend string) {
		findings = append(findings, problem.Finding{File: name, Line: n.Line, Column: n.Column, Severity: severity, Message: message, Mend: mend})
	}
	if entry.Kind != yaml.MappingNode {
		wrong(entry, problem.SeverityError, "this is no pipeline", "write - pipeline.id: main")
		return d, findings
	}
	for i := 0; i+1 < len(entry.Content); i += 2 {
		key, value := entry.Content[i], entry.Content[i+1]
		whole := func(into *int, most int) {
			if value.Decode(into) != nil || *into < 1 || *into > most {
				wrong(value, problem.SeverityError, key.Value+" is out of range", fmt.Sprintf("give 1 to %d", most))
			}
		}
		switch key.Value {
		case "pipeline.id":
			d.ID = value.Value
		case "path.config":
			if d.path = value.Value; !filepath.IsAbs(d.path) {
				d.path = filepath.Join(dir, d.path)
			}
		case "config.string":
			d.text = value.Value
		case "pipeline.workers":
			whole(&d.settings.Workers, 256)
		case "pipeline.batch.size":
			whole(&d.settings.BatchSize, 10_000)
		case "queue.max_events":
			whole(&d.settings.Queue, 1_000_000)
		case "pipeline.ecs_compatibility":
			d.settings.ECS = value.Value != "disabled"
		case "queue.type":
			if value.Value == "persisted" {
				wrong(value, problem.SeverityWarning, "queues are kept in memory: inputs that can do so send again what has not gone through", "take queue.type out")
			}
		default:
			if !slices.Contains(knownSettings, key.Value) {
				wrong(key, problem.SeverityError, fmt.Sprintf("%q is no setting of a pipeline", key.Value), "the settings are pipeline.id, path.config, config.string, pipeline.workers, pipeline.batch.size, pipeline.ecs_compatibility, queue.max_events")
			}
		}
	}
	if d.ID == "" {
		wrong(entry, problem.SeverityError, "the pipeline has no id", "write pipeline.id: name")
	}
	if (d.path == "") == (d.text == "") {
		wrong(entry, problem.SeverityError, fmt.Sprintf("pipeline %q has no configuration, or two", d.ID), `write path.config: "web/*.conf", or config.string`)
	}
	return d, findings
}

// sources are the files of a pipeline in the order of their names.
func (d definition) sources(dir string) ([]Source, []problem.Finding) {
	if d.text != "" {
		return []Source{{filepath.Join(dir, "pipelines.yml"), d.text}}, nil
	}
	if info, err := os.Stat(d.path); err == nil && info.IsDir() {
		d.path = filepath.Join(d.path, "*.conf")
	}
	names, err := filepath.Glob(d.path)
	if err != nil {
		return nil, []problem.Finding{{File: d.path, Severity: problem.SeverityError, Message: "path.config is no pattern of names", Mend: `write "web/*.conf"`}}
	}
	var out []Source
	var findings []problem.Finding
	for _, name := range names {
		content, err := configfile.Read(name)
		if err != nil {
			findings = append(findings, configfile.Finding(name, err))
			continue
		}
		out = append(out, Source{name, string(content)})
	}
	if len(names) == 0 && d.line > 0 {
		findings = append(findings, problem.Finding{File: filepath.Join(dir, "pipelines.yml"), Line: d.line, Severity: problem.SeverityError,
			Message: fmt.Sprintf("pipeline %q has no file: nothing is called %s", d.ID, d.path), Mend: "mend path.config"})
	}
	return out, findings
}
