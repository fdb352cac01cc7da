package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/audit"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// auditFlags are the flags of daytwo audit as they are typed.
type auditFlags struct {
	config    audit.Config
	env       []string
	build     string
	admin     string
	output    string
	files     []string
	failUnder int
	service   string
	connect   func() (*client, error)
	quiet     bool
}

func newAudit() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit PATH [-- COMMAND...] | audit --service NAME",
		Short: "Grade a program by the twelve factors, or a service by its readiness",
		Long: `Reads the repository at PATH and, with a command, runs the program and measures
it: two replicas on two ports, kill -9 and restart, SIGTERM under load with the
requests on their way counted, a backing service cut off, a read-only root, a
variable left out, a reader of its logs that stops. Each of the twelve factors is
graded pass, partial, fail or not tested, with the evidence.

The program runs in PATH with PATH, HOME, TMPDIR, LANG and PORT and what --env
gives it, nothing else. In COMMAND, --admin and --env {port} is the port to listen
on, {data} an empty folder that stands for a volume (the second replica has its
own), {out} what --build built.
Nothing that was started outlives the audit. A program that is not trusted should
be audited in a container: it is not kept from the network or from files.

With --service it asks a running server instead whether a service of its catalog
is ready for production: owner, on-call without gaps, runbook, objectives, alerts
that have fired, deploys.

Exit status 1 if fewer factors pass than --fail-under says.`,
		Example: `  daytwo audit .
  daytwo audit . --env DATABASE_URL=postgres://localhost/shop -- ./bin/shop
  daytwo audit . --build 'go build -trimpath -o {out} ./cmd/shop' --admin '{out} migrate' -- {out}
  daytwo audit --service checkout
  daytwo audit . --request /orders --fail-under 10 --write audit.sarif --write audit.html -- node server.js`,
		GroupID: "files",
		Args: func(cmd *cobra.Command, args []string) error {
			if f.service != "" {
				return noArgs(cmd, args)
			}
			if n := cmd.ArgsLenAtDash(); n == 1 && len(args) > 1 || n < 0 && len(args) == 1 {
				return nil
			}
			return usage(fmt.Errorf("%s needs one folder, and the command after -- (see %s --help)", cmd.CommandPath(), cmd.CommandPath()))
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.connect = addClientFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.service, "service", "", "grade the readiness of a service in a server's catalog")
	flags.StringArrayVarP(&f.env, "env", "e", nil, "variable of the program, NAME=VALUE or NAME to pass ours on; repeatable")
	flags.StringVar(&f.build, "build", "", "command that builds the program into {out}")
	flags.StringVar(&f.admin, "admin", "", "command of one of its administrative tasks")
	flags.StringVar(&f.config.Request, "request", "/", "path that the load asks for; one that takes its time shows more")
	flags.StringVar(&f.config.Ready, "ready", "", "path that answers 2xx when it is ready (default: the usual ones are tried)")
	flags.DurationVar(&f.config.ReadyTimeout, "ready-timeout", 30*time.Second, "longest wait for it to be ready")
	flags.DurationVar(&f.config.Grace, "grace", 15*time.Second, "longest wait for its end after SIGTERM")
	flags.IntVar(&f.failUnder, "fail-under", 0, "fail if fewer factors pass")
	flags.StringArrayVarP(&f.files, "write", "w", nil, "write a report to a file as well: .json, .sarif, .xml (JUnit), .html, .svg (badge); repeatable")
	flags.StringVarP(&f.output, "output", "o", "table", "how to print: table, "+strings.Join(audit.Formats, ", "))
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "do not tell what is being done")
	return cmd
}

// formatOf is the format of a file that a report is written to.
var formatOf = map[string]string{".json": "json", ".sarif": "sarif", ".xml": "junit", ".html": "html", ".svg": "badge"}

func (f *auditFlags) run(cmd *cobra.Command, args []string) error {
	if err := f.complete(args); err != nil {
		return err
	}
	if f.service != "" {
		return f.runService(cmd)
	}
	if !f.quiet {
		f.config.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		}}))
	}
	report, err := audit.Run(cmd.Context(), f.config)
	if err != nil {
		return err
	}
	for _, name := range f.files {
		var text bytes.Buffer
		if err := report.Write(&text, formatOf[filepath.Ext(name)]); err != nil {
			return err
		}
		if err := os.WriteFile(name, text.Bytes(), 0o644); err != nil { //nolint:gosec // a report is for everyone
			return err
		}
	}
	return f.print(cmd, report)
}

func (f *auditFlags) print(cmd *cobra.Command, report audit.Report) error {
	if f.output == "table" {
		printAudit(cmd.OutOrStdout(), report)
	} else if err := report.Write(cmd.OutOrStdout(), f.output); err != nil {
		return err
	}
	if report.Passed < f.failUnder {
		fmt.Fprintf(cmd.ErrOrStderr(), "daytwo: %d of %d factors pass; --fail-under asks for %d\n", report.Passed, len(report.Findings), f.failUnder)
		return errSilent
	}
	return nil
}

func (f *auditFlags) runService(cmd *cobra.Command) error {
	began := time.Now()
	c, err := f.connect()
	if err != nil {
		return err
	}
	facts, err := serviceFacts(cmd.Context(), c, f.service)
	if err != nil {
		return err
	}
	report := audit.JudgeService(facts)
	report.Began, report.Seconds = began.UTC(), time.Since(began).Round(time.Millisecond).Seconds()
	return f.print(cmd, report)
}

// complete takes the flags over into the configuration.
func (f *auditFlags) complete(args []string) error {
	if f.output != "table" && !slices.Contains(audit.Formats, f.output) {
		return usage(fmt.Errorf("-o %q is not one of table, %s", f.output, strings.Join(audit.Formats, ", ")))
	}
	if f.failUnder < 0 || f.failUnder > 12 {
		return usage(fmt.Errorf("--fail-under %d is not between 0 and 12", f.failUnder))
	}
	for _, name := range f.files {
		if formatOf[filepath.Ext(name)] == "" {
			return usage(fmt.Errorf("--write %s: the name must end in .json, .sarif, .xml, .html or .svg", name))
		}
	}
	if f.service != "" {
		if f.output != "table" && f.output != "json" || len(f.files) > 0 {
			return usage(errors.New("--service is told as a table or as -o json"))
		}
		return nil
	}
	f.config.Path, f.config.Command = args[0], args[1:]
	f.config.Build, f.config.Admin = strings.Fields(f.build), strings.Fields(f.admin)
	for _, e := range f.env {
		if !strings.Contains(e, "=") {
			value, ok := os.LookupEnv(e)
			if !ok {
				return problem.New(problem.Invalid, "--env %s: there is no such variable here", e).WithMend("give its value: --env %s=VALUE", e)
			}
			e += "=" + value
		}
		f.config.Env = append(f.config.Env, e)
	}
	return nil
}

// printAudit prints a factor a paragraph: the grade, then its evidence.
func printAudit(w io.Writer, r audit.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%2d  %-20s %s\n", f.Number, f.Factor, strings.ToUpper(string(f.Grade)))
		for _, e := range f.Evidence {
			where := ""
			if e.File != "" {
				where = " (" + e.Where() + ")"
			}
			fmt.Fprintf(w, "      %-8s  %s%s\n", e.Verdict, e.Text, where)
		}
	}
	fmt.Fprintf(w, "\n%s  (%.0f s)\n", r.Summary(), r.Seconds)
}

// newAuditInside is what the audit starts in namespaces of its own.
func newAuditInside() *cobra.Command {
	return &cobra.Command{
		Use: audit.InsideVerb, Hidden: true, DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error { os.Exit(audit.Inside(args)); return nil },
	}
}
