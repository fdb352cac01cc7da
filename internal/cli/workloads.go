package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// runView is the part of a run that the command line shows.
type runView struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Status string `json:"status"`
	Error  string `json:"error,omitempty"`
}

func (r runView) done() bool { return r.Status != "queued" && r.Status != "running" }

func newApply() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Deploy the workloads of a manifest and wait for them",
		Long: `Sends a Kubernetes Deployment manifest whose image is "process:" to the server,
which deploys it as a run: the new version must become ready, or the previous
one comes back.`,
		Example: `  daytwo apply -f ops/workloads/checkout.yaml`,
		GroupID: "operate",
		Args:    noArgs,
	}
	connect := addClientFlags(cmd)
	file := cmd.Flags().StringP("filename", "f", "", "manifest file, - for standard input")
	if err := cmd.MarkFlagRequired("filename"); err != nil {
		panic(err) // defined above
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		manifest, err := readInput(*file, cmd.InOrStdin())
		if err != nil {
			return err
		}
		return c.startRun(cmd.Context(), cmd.OutOrStdout(), "/api/workloads", map[string]string{"manifest": manifest})
	}
	return cmd
}

func newRollout() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rollout",
		Short:   "Status, history and undo of a workload's deploys",
		GroupID: "operate",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	connect := addClientFlags(cmd)
	cmd.AddCommand(newRolloutStatus(connect), newRolloutHistory(connect), newRolloutUndo(connect))
	return cmd
}

func newRolloutStatus(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "status", Short: "Every workload, its version and state", Args: noArgs}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		var list struct {
			Items []struct {
				Name     string `json:"name"`
				Version  string `json:"version"`
				Revision int    `json:"revision"`
				Status   string `json:"status"`
				Reason   string `json:"reason,omitempty"`
				Restarts int    `json:"restarts"`
				Address  string `json:"address,omitempty"`
			} `json:"items"`
		}
		if err := c.get(cmd.Context(), "/api/workloads", &list); err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), list.Items, func() table {
			t := table{header: []string{"name", "version", "revision", "status", "restarts", "address", "reason"}}
			for _, w := range list.Items {
				t.add(w.Name, w.Version, fmt.Sprint(w.Revision), w.Status, fmt.Sprint(w.Restarts), w.Address, w.Reason)
			}
			return t
		})
	}
	return cmd
}

func newRolloutHistory(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "history WORKLOAD", Short: "The revisions a workload had", Args: exactArgs(1, "the name of a workload")}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		var list struct {
			Items []struct {
				Revision int       `json:"revision"`
				Version  string    `json:"version"`
				At       time.Time `json:"at"`
				Actor    string    `json:"actor"`
				Current  bool      `json:"current"`
			} `json:"items"`
		}
		if err := c.get(cmd.Context(), "/api/workloads/"+url.PathEscape(args[0])+"/revisions", &list); err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), list.Items, func() table {
			t := table{header: []string{"revision", "version", "at", "by", "current"}}
			for _, r := range list.Items {
				t.add(fmt.Sprint(r.Revision), r.Version, r.At.Local().Format(time.DateTime), r.Actor, fmt.Sprint(r.Current))
			}
			return t
		})
	}
	return cmd
}

func newRolloutUndo(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "undo WORKLOAD", Short: "Put the previous revision back and wait for it", Args: exactArgs(1, "the name of a workload")}
	revision := cmd.Flags().Int("to-revision", 0, "revision to go to (0: the previous one)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		path := "/api/workloads/" + url.PathEscape(args[0]) + "/rollback"
		return c.startRun(cmd.Context(), cmd.OutOrStdout(), path, map[string]int{"revision": *revision})
	}
	return cmd
}

// startRun posts body to path, which answers with a run, and follows the run's
// log until it ends. A run that did not succeed is an error.
func (c *client) startRun(ctx context.Context, w io.Writer, path string, body any) error {
	var r runView
	if err := c.post(ctx, path, body, &r); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s (run %s)\n", r.Title, r.ID)
	var seen int64
	for {
		finished := r.done()
		if err := c.printLog(ctx, w, r.ID, &seen); err != nil {
			return err
		}
		if finished {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
		if err := c.get(ctx, "/api/runs/"+r.ID, &r); err != nil {
			return err
		}
	}
	if r.Status != "succeeded" {
		return fmt.Errorf("run %s %s: %s", r.ID, r.Status, r.Error)
	}
	return nil
}

func (c *client) printLog(ctx context.Context, w io.Writer, run string, seen *int64) error {
	for {
		var log struct {
			Items []struct {
				Seq  int64  `json:"seq"`
				Text string `json:"text"`
			} `json:"items"`
		}
		if err := c.get(ctx, fmt.Sprintf("/api/runs/%s/log?after=%d&limit=500", run, *seen), &log); err != nil {
			return err
		}
		for _, l := range log.Items {
			fmt.Fprintln(w, " ", l.Text)
			*seen = l.Seq
		}
		if len(log.Items) < 500 {
			return nil
		}
	}
}

func readInput(file string, stdin io.Reader) (string, error) {
	if file == "-" {
		data, err := io.ReadAll(stdin)
		return string(data), err
	}
	data, err := os.ReadFile(file)
	return string(data), err
}
