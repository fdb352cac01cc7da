package cli

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newOncall() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "oncall",
		Short:   "Who is on call now and next, and who is paged in which order",
		GroupID: "operate",
		Args:    noArgs,
	}
	connect := addClientFlags(cmd)
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		var list struct {
			Items []struct {
				Policy   string   `json:"policy"`
				Services []string `json:"services"`
				Levels   []struct {
					Level  int      `json:"level"`
					After  string   `json:"after"`
					People []string `json:"people"`
				} `json:"levels"`
			} `json:"items"`
		}
		if err := c.get(cmd.Context(), "/api/oncalls", &list); err != nil {
			return err
		}
		if *out == "table" {
			if err := printSchedules(cmd, c, out); err != nil {
				return err
			}
		}
		return out.print(cmd.OutOrStdout(), list.Items, func() table {
			t := table{header: []string{"policy", "level", "after", "people", "services"}}
			for _, p := range list.Items {
				for _, l := range p.Levels {
					t.add(p.Policy, fmt.Sprint(l.Level), l.After, strings.Join(l.People, ", "), strings.Join(p.Services, ", "))
				}
			}
			return t
		})
	}
	cmd.AddCommand(newOncallSchedules(connect), newOncallShow(connect))
	return cmd
}

// shiftView is a shift as the API tells it.
type shiftView struct {
	Person   string    `json:"person,omitempty"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Layer    string    `json:"layer,omitempty"`
	Override string    `json:"override,omitempty"`
}

// scheduleNow is one schedule as it stands.
type scheduleNow struct {
	Schedule string      `json:"schedule"`
	TimeZone string      `json:"timeZone"`
	On       *shiftView  `json:"on,omitempty"`
	Next     *shiftView  `json:"next,omitempty"`
	Gaps     []shiftView `json:"gaps"`
	Services []string    `json:"services"`
	File     string      `json:"file,omitempty"`
}

// clockForm shows a time where the reader is.
func clockForm(t time.Time) string { return t.Local().Format("Mon 02 Jan 15:04") }

func schedulesNow(cmd *cobra.Command, c *client) (list []scheduleNow, err error) {
	var answer struct {
		Items []scheduleNow `json:"items"`
	}
	err = c.get(cmd.Context(), "/api/oncall", &answer)
	return answer.Items, err
}

// printSchedules prints nothing where there are none.
func printSchedules(cmd *cobra.Command, c *client, out *output) error {
	list, err := schedulesNow(cmd, c)
	if err != nil || len(list) == 0 {
		return err
	}
	if err := out.print(cmd.OutOrStdout(), list, func() table { return scheduleTable(list) }); err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout())
	return err
}

func scheduleTable(list []scheduleNow) table {
	t := table{header: []string{"schedule", "now", "until", "next", "from", "gaps in 14 days"}}
	for _, s := range list {
		on, until, next, from := "nobody", "", "", ""
		if s.On != nil {
			on, until = s.On.Person, clockForm(s.On.End)
		}
		if s.Next != nil {
			next, from = s.Next.Person, clockForm(s.Next.Start)
		}
		gaps := "none"
		if len(s.Gaps) > 0 {
			gaps = fmt.Sprintf("%d, first %s", len(s.Gaps), clockForm(s.Gaps[0].Start))
		}
		t.add(s.Schedule, on, until, next, from, gaps)
	}
	return t
}

func newOncallSchedules(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "schedules", Short: "Who is on call for each schedule, who comes next, and gaps", Args: noArgs}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		list, err := schedulesNow(cmd, c)
		if err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), list, func() table { return scheduleTable(list) })
	}
	return cmd
}

func newOncallShow(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "show SCHEDULE", Short: "The shifts and gaps of a schedule", Args: exactArgs(1, "the name or id of a schedule")}
	out := addOutputFlag(cmd)
	days := cmd.Flags().Int("days", 14, "how far to look ahead")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		var r struct {
			Final []shiftView `json:"final"`
			Gaps  []shiftView `json:"gaps"`
		}
		path := fmt.Sprintf("/api/schedules/%s/rendered?from=now&to=now%%2B%dd", url.PathEscape(args[0]), *days)
		if err := c.get(cmd.Context(), path, &r); err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), r, func() table {
			t := table{header: []string{"from", "to", "person", "by"}}
			for len(r.Final)+len(r.Gaps) > 0 {
				if len(r.Gaps) > 0 && (len(r.Final) == 0 || r.Gaps[0].Start.Before(r.Final[0].Start)) {
					t.add(clockForm(r.Gaps[0].Start), clockForm(r.Gaps[0].End), "nobody", "gap")
					r.Gaps = r.Gaps[1:]
					continue
				}
				s := r.Final[0]
				by := s.Layer
				if s.Override != "" {
					by = "override"
				}
				t.add(clockForm(s.Start), clockForm(s.End), s.Person, by)
				r.Final = r.Final[1:]
			}
			return t
		})
	}
	return cmd
}
