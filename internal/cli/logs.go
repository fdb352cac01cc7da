package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs"
)

// logRow is one log line as the API gives it.
type logRow struct {
	ID     string         `json:"id"`
	Time   string         `json:"time"`
	Level  string         `json:"level,omitempty"`
	Fields map[string]any `json:"fields"`
}

func newLogs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "logs [QUERY]",
		Short: "Find log lines, and follow them",
		Long: `Finds the newest log lines that match a query in KQL (or Lucene syntax with
--lucene) and prints them oldest first; --follow goes on with what comes.`,
		Example: `  daytwo logs 'level: error and service.name: checkout' --since 1h
  daytwo logs '"connection refused"' --follow
  daytwo logs --lucene 'http.status:[500 TO *]' -o json`,
		GroupID: "operate",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(fmt.Errorf("give the query as one argument, in quotes, got %d arguments", len(args)))
			}
			return nil
		},
	}
	connect := addClientFlags(cmd)
	out := addOutputFlag(cmd)
	since := cmd.Flags().String("since", "1h", "how far back")
	limit := cmd.Flags().Int("limit", 200, "how many lines at most, 1 to 5000")
	service := cmd.Flags().String("service", "", "only of this service")
	lucene := cmd.Flags().Bool("lucene", false, "the query is in Lucene syntax")
	followed := cmd.Flags().BoolP("follow", "f", false, "go on with lines as they come")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		if _, err := event.ParseDuration(*since); err != nil {
			return usage(fmt.Errorf("--since: %w", err))
		}
		if *limit < 1 || *limit > logs.MaxLines {
			return usage(fmt.Errorf("--limit is 1 to %d, got %d: for more, export them on the page Logs or narrow --since", logs.MaxLines, *limit))
		}
		q := url.Values{}
		if len(args) == 1 {
			q.Set("q", args[0])
		}
		if *lucene {
			q.Set("language", "lucene")
		}
		if *service != "" {
			q.Set("service", *service)
		}
		find := url.Values{"from": {"now-" + *since}, "limit": {strconv.Itoa(*limit)}}
		for name, v := range q {
			find[name] = v
		}
		var answer struct {
			Rows []logRow `json:"rows"`
		}
		if err := c.get(cmd.Context(), "/api/logs/search?"+find.Encode(), &answer); err != nil {
			return err
		}
		rows := answer.Rows
		for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
			rows[i], rows[j] = rows[j], rows[i]
		}
		if !*followed {
			return out.print(cmd.OutOrStdout(), rows, func() table { return logTable(rows) })
		}
		for _, r := range rows {
			printLogRow(cmd.OutOrStdout(), out, r)
		}
		return c.follow(cmd.Context(), "/api/logs/follow?"+q.Encode(), func(name string, data []byte) error {
			var part struct {
				Rows    []logRow `json:"rows"`
				Dropped int64    `json:"dropped"`
			}
			if name != "followed" {
				return nil
			}
			if err := json.Unmarshal(data, &part); err != nil {
				return err
			}
			if part.Dropped > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "%d lines passed over: they come faster than they are shown\n", part.Dropped)
			}
			for _, r := range part.Rows {
				printLogRow(cmd.OutOrStdout(), out, r)
			}
			return nil
		})
	}
	cmd.AddCommand(newLogsPipeline())
	return cmd
}

func logTable(rows []logRow) table {
	t := table{header: []string{"time", "level", "service", "message"}}
	for _, r := range rows {
		t.add(r.Time, r.Level, printable(r.text("service.name")), printable(r.message()))
	}
	return t
}

// printLogRow prints one line at once, for following.
func printLogRow(w io.Writer, out *output, r logRow) {
	if *out == "table" {
		fmt.Fprintf(w, "%s  %-5s  %s  %s\n", r.Time, r.Level, printable(r.text("service.name")), printable(r.message()))
		return
	}
	data, err := json.Marshal(r)
	if err == nil {
		fmt.Fprintln(w, string(data))
	}
}

func (r *logRow) text(name string) string {
	switch v := r.Fields[name].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// message is the text of a line, also where a document calls it otherwise.
func (r *logRow) message() string {
	for _, name := range []string{"message", "msg", "log", "body", "MESSAGE"} {
		if s := r.text(name); s != "" {
			return s
		}
	}
	data, err := json.Marshal(r.Fields)
	if err != nil {
		return ""
	}
	return string(data)
}

// follow reads server-sent events until ctx ends or the server closes, and
// connects again when the connection is lost.
func (c *client) follow(ctx context.Context, path string, each func(name string, data []byte) error) error {
	for {
		err := c.followOnce(ctx, path, each)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, errLost) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
	}
}

var errLost = errors.New("the connection was lost")

func (c *client) followOnce(ctx context.Context, path string, each func(name string, data []byte) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return errLost
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		return decodeProblem(res)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 64<<20)
	name := ""
	for lines.Scan() {
		if after, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = after
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if err := each(name, []byte(data)); err != nil {
				return err
			}
		}
	}
	return errLost
}
