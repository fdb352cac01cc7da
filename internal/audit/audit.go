// Package audit grades a program by the twelve factors. It reads the
// repository, and with a command it runs the program, measures it, and ends
// everything it started. What it reads and measures are facts (Source,
// Measured); what they mean for a factor is decided by pure functions of them,
// and every grade carries its evidence. What could not be tested is said to be
// so, with the reason, and never guessed.
package audit

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Factor names one of the twelve factors (https://12factor.net).
type Factor string

// The factors, in their order.
const (
	Codebase        Factor = "codebase"
	Dependencies    Factor = "dependencies"
	Configuration   Factor = "config"
	BackingServices Factor = "backing services"
	BuildReleaseRun Factor = "build, release, run"
	Processes       Factor = "processes"
	PortBinding     Factor = "port binding"
	Concurrency     Factor = "concurrency"
	Disposability   Factor = "disposability"
	Parity          Factor = "dev/prod parity"
	Logs            Factor = "logs"
	AdminProcesses  Factor = "admin processes"
)

// Grade is how well a factor is met.
type Grade string

// The grades, best first.
const (
	Pass      Grade = "pass"
	Partial   Grade = "partial"
	Fail      Grade = "fail"
	NotTested Grade = "not tested"
)

// Verdict is what one piece of evidence says of its factor.
type Verdict string

// The verdicts. Holds alone makes a pass; one Breaks makes a failure.
const (
	Holds    Verdict = "holds"
	Weakens  Verdict = "weakens"
	Breaks   Verdict = "breaks"
	Untested Verdict = "untested" // the text says why; keeps a factor from passing
	Note     Verdict = "note"     // changes nothing
)

// Evidence is one fact about a factor.
type Evidence struct {
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
	File    string  `json:"file,omitempty"` // relative to the audited folder
	Line    int     `json:"line,omitempty"` // from 1
}

// Finding is the grade of one factor.
type Finding struct {
	Number   int        `json:"number"` // 1 to 12
	Factor   Factor     `json:"factor"`
	Grade    Grade      `json:"grade"`
	Evidence []Evidence `json:"evidence"`
}

// Report is the outcome of an audit: twelve findings in order.
type Report struct {
	Path     string    `json:"path"`
	Command  []string  `json:"command,omitempty"`
	Commit   string    `json:"commit,omitempty"`
	Began    time.Time `json:"began"`
	Seconds  float64   `json:"seconds"`
	Passed   int       `json:"passed"`
	Findings []Finding `json:"findings"`
}

// Config says what to audit and how. Path alone is enough.
type Config struct {
	Path    string   // folder of the program's source; the program runs in it
	Command []string // how to run it; {port} and {data} in it are filled in; none: only the source is read
	Env     []string // NAME=VALUE, its configuration; beyond these it gets PATH, HOME, TMPDIR, LANG and PORT
	Build   []string // how to build it into {out}; optional
	Admin   []string // one of its administrative tasks; optional
	Ready   string   // path that answers 2xx when it is ready; "": the usual ones are tried
	Request string   // path of the requests of the load; "": /

	ReadyTimeout time.Duration // 0: 30 s
	Grace        time.Duration // longest wait for the end after SIGTERM; 0: 15 s
	Log          *slog.Logger  // progress; nil: none
}

// Validate fills in the defaults and says what is wrong.
func (c *Config) Validate() error {
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return problem.New(problem.Invalid, "%s: %w", c.Path, err)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return problem.New(problem.Invalid, "%s is no folder", c.Path).WithMend("name the folder of the program's source")
	}
	c.Path = path
	for _, e := range c.Env {
		if name, _, ok := strings.Cut(e, "="); !ok || name == "" {
			return problem.New(problem.Invalid, "%q is not NAME=VALUE", e).WithField("env")
		}
	}
	for _, p := range []*string{&c.Ready, &c.Request} {
		if *p != "" && !strings.HasPrefix(*p, "/") {
			return problem.New(problem.Invalid, "%q does not begin with /", *p).WithMend("give a path, such as /orders?id=1")
		}
	}
	if c.Request == "" {
		c.Request = "/"
	}
	if len(c.Build) > 0 && !slices.ContainsFunc(c.Build, func(a string) bool { return strings.Contains(a, "{out}") }) {
		return problem.New(problem.Invalid, "the build command does not say where the program goes").WithField("build").
			WithMend("put {out} where the path of the built program belongs: go build -o {out} ./cmd/it")
	}
	if c.ReadyTimeout <= 0 {
		c.ReadyTimeout = 30 * time.Second
	}
	if c.Grace <= 0 {
		c.Grace = 15 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Run audits. The error says why there is no report; what is wrong with the
// program is in the report. When Run returns, nothing that it started is left.
func Run(ctx context.Context, c Config) (Report, error) {
	if err := c.Validate(); err != nil {
		return Report{}, err
	}
	began := time.Now()
	c.Log.Info("reading the source", "path", c.Path)
	source, err := ReadSource(ctx, c.Path)
	if err != nil {
		return Report{}, err
	}
	var measured *Measured
	if len(c.Command) > 0 {
		if measured, err = measure(ctx, c); err != nil {
			return Report{}, err
		}
	}
	r := Judge(source, measured)
	r.Path, r.Command, r.Began, r.Seconds = c.Path, c.Command, began.UTC(), time.Since(began).Round(time.Millisecond).Seconds()
	return r, nil
}

// factors are the twelve with what tells their evidence.
var factors = []struct {
	factor Factor
	judge  func(Source, *Measured) []Evidence
}{
	{Codebase, judgeCodebase},
	{Dependencies, judgeDependencies},
	{Configuration, judgeConfiguration},
	{BackingServices, judgeBackingServices},
	{BuildReleaseRun, judgeBuild},
	{Processes, judgeProcesses},
	{PortBinding, judgePortBinding},
	{Concurrency, judgeConcurrency},
	{Disposability, judgeDisposability},
	{Parity, judgeParity},
	{Logs, judgeLogs},
	{AdminProcesses, judgeAdmin},
}

// Judge grades facts. Without measurements (nil) the best grade is partial.
func Judge(s Source, m *Measured) Report {
	r := Report{Commit: s.Commit}
	for i, f := range factors {
		evidence := f.judge(s, m)
		finding := Finding{Number: i + 1, Factor: f.factor, Grade: grade(evidence, m != nil && m.Ready), Evidence: evidence}
		if finding.Grade == Pass {
			r.Passed++
		}
		r.Findings = append(r.Findings, finding)
	}
	return r
}

// grade is the grade that evidence means; ran tells whether any of it was
// measured on the running program.
func grade(evidence []Evidence, ran bool) Grade {
	seen := map[Verdict]bool{}
	for _, e := range evidence {
		seen[e.Verdict] = true
	}
	switch {
	case seen[Breaks]:
		return Fail
	case !seen[Holds] && !seen[Weakens]:
		return NotTested
	case seen[Weakens] || seen[Untested] || !ran:
		return Partial
	}
	return Pass
}
