package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func newLogsPipeline() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pipeline",
		Short: "Try Logstash configuration files",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLogsPipelineTest())
	return cmd
}

func newLogsPipelineTest() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test FILE|FOLDER",
		Short: "Show what each stage of a Logstash pipeline does to sample lines",
		Long: `Takes every line of standard input, or of the file given with --input, through
the filters of a Logstash configuration file, or of all *.conf of a folder, and
shows what each stage changed and which outputs the event would reach. No input
is opened and nothing is written. Lines are decoded as the first input would.`,
		Example: `  daytwo logs pipeline test ops/logstash/web.conf --input access.log
  daytwo logs pipeline test ops/logstash --input access.log
  tail -5 access.log | daytwo logs pipeline test ops/logstash/web.conf -o json`,
		Args: exactArgs(1, "a configuration file or a folder of them"),
	}
	out := addOutputFlag(cmd)
	input := cmd.Flags().String("input", "", "read sample lines from this file instead of standard input")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		samples := cmd.InOrStdin()
		if *input != "" {
			f, err := os.Open(*input)
			if err != nil {
				return problem.New(problem.Invalid, "%v", err).WithMend("give a file with sample lines")
			}
			defer f.Close()
			samples = f
		}
		w := cmd.OutOrStdout()
		n := 0
		findings, err := logs.TryPipeline(args[0], samples, func(r logs.PipelineResult) error {
			n++
			if *out != "table" {
				line, err := json.Marshal(r)
				if err == nil {
					_, err = fmt.Fprintf(w, "%s\n", line)
				}
				return err
			}
			return showResult(w, n, r)
		})
		for _, f := range findings {
			fmt.Fprintln(cmd.ErrOrStderr(), f)
		}
		if err == nil && problem.Broken(findings) {
			err = errSilent
		}
		return err
	}
	return cmd
}

// showResult prints one event with the effect of every stage, for people.
func showResult(w io.Writer, n int, r logs.PipelineResult) error {
	fmt.Fprintf(w, "%d  %s\n", n, shortLine(r.Input))
	for _, s := range r.Steps {
		place := fmt.Sprintf("%s:%d", s.File, s.Line)
		switch s.Effect {
		case "nothing":
			fmt.Fprintf(w, "   %-16s %s: changes nothing\n", s.Stage, place)
		case "dropped":
			fmt.Fprintf(w, "   %-16s %s: drops the event\n", s.Stage, place)
		case "made":
			fmt.Fprintf(w, "   %-16s %s: makes this event\n", s.Stage, place)
		case "chose":
			fmt.Fprintf(w, "   %s  %s\n", s.Stage, place)
		default:
			fmt.Fprintf(w, "   %-16s %s:\n", s.Stage, place)
		}
		for _, c := range s.Changes {
			switch {
			case c.Before == nil:
				fmt.Fprintf(w, "      + %s = %s\n", c.Field, shortLine(jsonOf(c.After)))
			case c.After == nil:
				fmt.Fprintf(w, "      - %s\n", c.Field)
			default:
				fmt.Fprintf(w, "      ~ %s = %s, was %s\n", c.Field, shortLine(jsonOf(c.After)), shortLine(jsonOf(c.Before)))
			}
		}
	}
	if r.Event != nil {
		to := "no output"
		if len(r.Outputs) > 0 {
			to = strings.Join(r.Outputs, ", ")
		}
		fmt.Fprintf(w, "   → %s\n", to)
	}
	_, err := fmt.Fprintln(w)
	return err
}

func jsonOf(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

func shortLine(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\n", "⏎"), "\t", " ")
	if r := []rune(s); len(r) > 160 {
		return string(r[:159]) + "…"
	}
	return s
}
