package logs

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/logstash"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// PipelinesFolder is the folder of the operations directory with Logstash's configuration files.
const PipelinesFolder = "logstash"

// PipelinesConfig is what the pipelines of a server need.
type PipelinesConfig struct {
	Dir   string // the operations directory; empty: none
	State string // the directory for how far files were read
	Sink  interface {
		Append(ctx context.Context, events []event.Event) error
	}
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Pipelines runs the Logstash pipelines of an operations directory.
type Pipelines struct {
	dir     string
	env     logstash.Env
	running *logstash.Pipelines
}

// PipelineSet is pipelines that were read without error.
type PipelineSet struct{ list []*logstash.Pipeline }

// NewPipelines makes them without starting one: Apply says which.
func NewPipelines(c PipelinesConfig) (*Pipelines, error) {
	env := pipelineEnv()
	env.Sink, env.State, env.Out = c.Sink, c.State, &logstash.Console{Out: logstash.LogWriter(c.Logger)}
	running, err := logstash.New(logstash.Config{Logger: c.Logger, Registerer: c.Registerer, Env: env})
	return &Pipelines{dir: c.Dir, env: env, running: running}, err
}

func pipelineEnv() logstash.Env {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return logstash.Env{Lookup: os.LookupEnv, Host: host}
}

// Read reads the files again and changes nothing that runs.
func (p *Pipelines) Read() (PipelineSet, error) {
	if p.dir == "" {
		return PipelineSet{}, nil
	}
	list, findings := logstash.ReadDir(filepath.Join(p.dir, PipelinesFolder), p.env)
	for _, f := range findings {
		if f.Severity == problem.SeverityError {
			return PipelineSet{}, problem.New(problem.Invalid, "%s", f).WithMend("daytwo check %s", p.dir)
		}
	}
	return PipelineSet{list}, nil
}

// Apply makes the pipelines of a set the ones that run. Those that have not changed are not disturbed.
func (p *Pipelines) Apply(s PipelineSet) { p.running.Apply(s.list) }

// Run runs them until ctx ends, and then until what is in them has gone through.
func (p *Pipelines) Run(ctx context.Context) error { return p.running.Run(ctx) }

// Routes registers the pipelines' part of the API.
func (p *Pipelines) Routes(w *web.Server) {
	web.Get(w, "/api/logs/pipelines", web.Op{ID: "list-log-pipelines", Summary: "List the Logstash pipelines with what each input and stage has done", Tag: "logs"},
		func(context.Context, *struct{}) (*PipelineList, error) {
			return &PipelineList{p.running.Status()}, nil
		})
}

// PipelineList is the pipelines that run.
type PipelineList struct {
	Pipelines []logstash.PipelineStatus `json:"pipelines"`
}

// CheckPipelines says what there is to say about the pipelines of an operations directory.
func CheckPipelines(dir string) []problem.Finding {
	_, findings := logstash.ReadDir(filepath.Join(dir, PipelinesFolder), pipelineEnv())
	return findings
}

// TryPipeline takes every line of r through the filters of a configuration file, or of the pipeline that a folder makes, and gives what
// each stage did to it. The findings are those of the files; with an error among them nothing is tried.
func TryPipeline(path string, r io.Reader, give func(logstash.Result) error) ([]problem.Finding, error) {
	env := pipelineEnv()
	p, findings, err := readTried(path, &env)
	if p == nil || err != nil {
		return findings, err
	}
	return findings, logstash.NewTrial(p, env).Run(r, give)
}

func readTried(path string, env *logstash.Env) (*logstash.Pipeline, []problem.Finding, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		list, findings := logstash.ReadDir(path, *env)
		switch {
		case problem.Broken(findings):
			return nil, findings, nil
		case len(list) == 1:
			return list[0], findings, nil
		}
		return nil, findings, problem.New(problem.Invalid, "%s makes %d pipelines, and one can be tried", path, len(list)).WithMend("give a folder with the *.conf of one pipeline, or one file")
	}
	content, err := configfile.Read(path)
	if err != nil {
		return nil, []problem.Finding{configfile.Finding(path, err)}, nil
	}
	env.Dir = filepath.Dir(path)
	p, findings := logstash.Build("test", []logstash.Source{{Name: path, Text: string(content)}}, logstash.DefaultSettings(runtime.NumCPU()), *env)
	findings = slices.DeleteFunc(findings, func(f problem.Finding) bool { return f.Line == 0 && f.Severity == problem.SeverityWarning }) // a part of a pipeline may be tried too
	return p, findings, nil
}

// PipelineResult is what became of one sample.
type PipelineResult = logstash.Result
