package incident

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Grouping says which alerts of a service become one incident.
type Grouping struct {
	By     string           `json:"by" enum:"service,fields,alert" doc:"service: all of them; fields: those that share some fields; alert: each is its own"`
	Fields []string         `json:"fields,omitempty" doc:"class, component, group, origin, severity, labels.NAME, details.NAME"`
	Window catalog.Duration `json:"window,omitempty" doc:"an incident takes no more alerts this long after it was opened; absent: as long as it is open"`
}

// validate checks a grouping.
func (g Grouping) validate() error {
	switch {
	case g.By != "service" && g.By != "fields" && g.By != "alert":
		return problem.New(problem.Invalid, "alerts cannot be grouped by %q", g.By).WithField("by").WithMend("use service, fields or alert")
	case g.By == "fields" && len(g.Fields) == 0:
		return problem.New(problem.Invalid, "grouping by fields names no field").WithField("fields").WithMend("name class, component, group, origin, severity, labels.NAME or details.NAME")
	case len(g.Fields) > 10:
		return problem.New(problem.Invalid, "%d fields are more than 10", len(g.Fields)).WithField("fields")
	}
	for _, f := range g.Fields {
		kind, name, dotted := strings.Cut(f, ".")
		plain := slices.Contains([]string{"class", "component", "group", "origin", "severity"}, f)
		if !plain && (!dotted || name == "" || kind != "labels" && kind != "details") {
			return problem.New(problem.Invalid, "%q is no field of an alert", f).WithField("fields").WithMend("name class, component, group, origin, severity, labels.NAME or details.NAME")
		}
	}
	return nil
}

// SetGrouping changes how alerts of a service are grouped from now on.
func (s *Incidents) SetGrouping(ctx context.Context, service string, g Grouping) error {
	if err := g.validate(); err != nil {
		return err
	}
	raw, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("grouping: %w", err)
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO alert_groupings (service, grouping_rule) VALUES (?, ?) ON CONFLICT (service) DO UPDATE SET grouping_rule = excluded.grouping_rule`,
			service, string(raw))
		return err
	})
}

// GroupingOf reads how alerts of a service are grouped.
func (s *Incidents) GroupingOf(ctx context.Context, service string) (g Grouping, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		g, err = groupingOf(ctx, tx, service)
		return err
	})
	return g, err
}

func groupingOf(ctx context.Context, tx *store.Tx, service string) (Grouping, error) {
	g := Grouping{By: "service"}
	if service == "" {
		return g, nil
	}
	var raw string
	err := tx.QueryRow(ctx, `SELECT grouping_rule FROM alert_groupings WHERE service = ?`, service).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return g, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(raw), &g)
	}
	if err != nil {
		return g, fmt.Errorf("grouping of %s: %w", service, err)
	}
	return g, nil
}

// key says what a trigger of a service has in common with those it is one incident with; common and reason are for people.
func (g Grouping) key(t Trigger) (key, common, reason string) {
	switch g.By {
	case "alert":
		return "alert/" + t.AlertID, "", "alert"
	case "fields":
		parts := make([]string, len(g.Fields))
		for i, f := range g.Fields {
			parts[i] = fmt.Sprintf("%s=%q", f, t.field(f))
		}
		common = clip(strings.Join(parts, ", "), maxGroup)
		return "fields/" + common, common, strings.Join(g.Fields, ", ")
	}
	return "", "", "service"
}

// field is what a trigger says under a name that Grouping.Fields takes.
func (t Trigger) field(name string) string {
	kind, of, _ := strings.Cut(name, ".")
	switch kind {
	case "class":
		return t.Fields.Class
	case "component":
		return t.Fields.Component
	case "group":
		return t.Fields.Group
	case "origin":
		return t.Fields.Origin
	case "severity":
		return t.Severity
	case "labels":
		if t.Labels[of] != "" {
			return t.Labels[of]
		}
		return t.Fields.Labels[of]
	}
	if v, ok := t.Fields.Details[of]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// closed tells whether an open incident takes no more alerts.
func (g Grouping) closed(open *Incident, now time.Time) bool {
	return open != nil && g.Window > 0 && !now.Before(open.OpenedAt.Add(time.Duration(g.Window)))
}
