package cli

import (
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// incidentView is the part of an incident that the command line shows.
type incidentView struct {
	ID       string    `json:"id"`
	Number   int64     `json:"number"`
	Title    string    `json:"title"`
	Service  string    `json:"service"`
	Status   string    `json:"status"`
	Severity string    `json:"severity"`
	OpenedAt time.Time `json:"openedAt"`
	Policy   string    `json:"policy,omitempty"`
	Log      []struct {
		Time   time.Time `json:"time"`
		Action string    `json:"action"`
		Actor  string    `json:"actor,omitempty"`
		Text   string    `json:"text"`
	} `json:"log,omitempty"`
}

func newIncident() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "incident",
		Aliases: []string{"incidents"},
		Short:   "List, open, acknowledge and resolve incidents",
		Example: `  daytwo incident list
  daytwo incident ack 7
  daytwo incident create --service checkout --title "Payments time out"`,
		GroupID: "operate",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	connect := addClientFlags(cmd)
	cmd.AddCommand(
		newIncidentList(connect), newIncidentShow(connect), newIncidentCreate(connect),
		newIncidentMove(connect, "ack", "Acknowledge an incident: no further pages are sent"),
		newIncidentMove(connect, "resolve", "Resolve an incident"),
	)
	return cmd
}

func newIncidentList(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List incidents, newest first", Args: noArgs}
	out := addOutputFlag(cmd)
	status := cmd.Flags().String("status", "open", "open, triggered, acknowledged, resolved or all")
	service := cmd.Flags().String("service", "", "only this service's")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		query := url.Values{}
		if *status != "all" {
			query.Set("status", *status)
		}
		if *service != "" {
			query.Set("service", *service)
		}
		var list struct {
			Items []incidentView `json:"items"`
		}
		if err := c.get(cmd.Context(), "/api/incidents?"+query.Encode(), &list); err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), list.Items, func() table { return incidentTable(list.Items) })
	}
	return cmd
}

func incidentTable(items []incidentView) table {
	t := table{header: []string{"number", "status", "severity", "service", "opened", "title"}}
	for _, i := range items {
		t.add(fmt.Sprint(i.Number), i.Status, i.Severity, i.Service, i.OpenedAt.Local().Format(time.DateTime), i.Title)
	}
	return t
}

func newIncidentShow(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "show NUMBER|ID", Short: "Show one incident and its log", Args: exactArgs(1, "the number or id of an incident")}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		if *out != "table" {
			var whole any
			if err := c.get(cmd.Context(), "/api/incidents/"+url.PathEscape(args[0]), &whole); err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), whole, nil)
		}
		var i incidentView
		if err := c.get(cmd.Context(), "/api/incidents/"+url.PathEscape(args[0]), &i); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "#%d %s\n%s · %s · %s · opened %s\n\n",
			i.Number, i.Title, i.Status, i.Severity, i.Service, i.OpenedAt.Local().Format(time.DateTime))
		return out.print(cmd.OutOrStdout(), i.Log, func() table {
			t := table{header: []string{"time", "action", "actor", "text"}}
			for _, l := range i.Log {
				t.add(l.Time.Local().Format(time.DateTime), l.Action, l.Actor, l.Text)
			}
			return t
		})
	}
	return cmd
}

func newIncidentCreate(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "create", Short: "Open an incident by hand", Args: noArgs}
	out := addOutputFlag(cmd)
	service := cmd.Flags().String("service", "", "service it is about")
	title := cmd.Flags().String("title", "", "what is wrong, in one line")
	severity := cmd.Flags().String("severity", "critical", "critical, warning or info")
	for _, name := range []string{"service", "title"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // defined above
		}
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		var i incidentView
		body := map[string]string{"service": *service, "title": *title, "severity": *severity}
		if err := c.post(cmd.Context(), "/api/incidents", body, &i); err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), i, func() table { return incidentTable([]incidentView{i}) })
	}
	return cmd
}

func newIncidentMove(connect func() (*client, error), verb, short string) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " NUMBER|ID", Short: short, Args: exactArgs(1, "the number or id of an incident")}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		var i incidentView
		if err := c.post(cmd.Context(), "/api/incidents/"+url.PathEscape(args[0])+"/"+verb, nil, &i); err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), i, func() table { return incidentTable([]incidentView{i}) })
	}
	return cmd
}
