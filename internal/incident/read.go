package incident

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Get returns an incident with everything that belongs to it. id may be its number.
func (s *Incidents) Get(ctx context.Context, id string) (d Detail, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		d, err = Load(ctx, tx, id)
		return err
	})
	return d, err
}

// Lookup returns an incident by itself. id may be its number.
func (s *Incidents) Lookup(ctx context.Context, id string) (i Incident, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		found, err := findByRef(ctx, tx, id)
		if err == nil {
			i = *found
		}
		return err
	})
	return i, err
}

// What of an incident is shown at once.
const (
	maxAlerts = 200
	maxLog    = 1000 // the newest
)

// Load is Get within a transaction.
func Load(ctx context.Context, tx *store.Tx, id string) (Detail, error) {
	i, err := findByRef(ctx, tx, id)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Incident: *i}
	if d.Alerts, err = query(ctx, tx, scanAlert, `SELECT alert_id, title, status, at FROM incident_alerts
		WHERE incident_id = ? ORDER BY status, at, alert_id LIMIT ?`, i.ID, maxAlerts); err != nil { // firing < resolved
		return Detail{}, err
	}
	slices.SortStableFunc(d.Alerts, func(a, b JoinedAlert) int { return a.At.Compare(b.At) })
	if d.Pages, err = query(ctx, tx, scanPage, `SELECT id, person, channel, address, level, status, attempts, at, error, kind,
		CASE bundle WHEN '' THEN 0 ELSE (SELECT COUNT(*) FROM pages b WHERE b.bundle = p.bundle) END, wake_at FROM pages p
		WHERE incident_id = ? ORDER BY id`, i.ID); err != nil {
		return Detail{}, err
	}
	if d.Log, err = query(ctx, tx, scanLog, `SELECT at, action, actor, text FROM incident_log
		WHERE incident_id = ? ORDER BY seq DESC LIMIT ?`, i.ID, maxLog); err != nil {
		return Detail{}, err
	}
	slices.Reverse(d.Log)
	err = tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM incident_alerts WHERE incident_id = ?),
		(SELECT COUNT(*) FROM incident_log WHERE incident_id = ?)`, i.ID, i.ID).Scan(&d.MoreAlerts, &d.EarlierLog)
	if err != nil {
		return Detail{}, fmt.Errorf("read incident: %w", err)
	}
	d.MoreAlerts, d.EarlierLog = d.MoreAlerts-len(d.Alerts), d.EarlierLog-len(d.Log)
	return d, nil
}

// People are those who were paged, acted or wrote a note, each once.
func (d Detail) People() []string {
	list := []string{}
	add := func(name string) {
		if name != "" && name != self && !strings.HasPrefix(name, auth.KindSystem+":") && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, p := range d.Pages {
		if p.Status == "sent" || p.Status == "delivered" {
			add(p.Person)
		}
	}
	for _, e := range d.Log {
		add(e.Actor)
	}
	add(d.AcknowledgedBy)
	return list
}

// findByRef takes an id, a number, or a number after #.
func findByRef(ctx context.Context, tx *store.Tx, ref string) (*Incident, error) {
	number, err := strconv.ParseInt(strings.TrimPrefix(ref, "#"), 10, 64)
	if err != nil {
		number = 0
	}
	i, err := findIncident(ctx, tx, `i.id = ? OR i.number = ?`, clip(ref, 100), number)
	if err == nil && i == nil {
		err = problem.New(problem.NotFound, "there is no incident %q", clip(ref, 100)).WithMend("see GET /api/incidents")
	}
	return i, err
}

// Filter selects incidents.
type Filter struct {
	Status  string // open (triggered or acknowledged), triggered, acknowledged, resolved; empty: any
	Service string
	Before  int64 // only those with a lower number; 0: all
	Limit   int
}

// List returns the incidents f selects, newest first, and whether there are more.
func (s *Incidents) List(ctx context.Context, f Filter) (list []Incident, more bool, err error) {
	where, args := `1 = 1`, []any{}
	add := func(term string, arg any) { where, args = where+` AND `+term, append(args, arg) }
	switch f.Status {
	case "":
	case "open":
		where += ` AND i.status <> 'resolved'` // as the index has it
	default:
		add(`i.status = ?`, f.Status)
	}
	if f.Service != "" {
		add(`i.service = ?`, f.Service)
	}
	if f.Before > 0 {
		add(`i.number < ?`, f.Before)
	}
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+`
			FROM incidents i WHERE `+where+` ORDER BY i.number DESC LIMIT ?`, append(args, f.Limit+1)...)
		return err
	})
	if len(list) > f.Limit {
		return list[:f.Limit], true, err
	}
	return list, false, err
}

// OnCall says who is paged for some services, and when.
type OnCall struct {
	Policy   string        `json:"policy"`
	Services []string      `json:"services"`
	Levels   []OnCallLevel `json:"levels"`
}

// OnCallLevel is one level of it.
type OnCallLevel struct {
	Level  int              `json:"level" doc:"from 1"`
	After  catalog.Duration `json:"after" doc:"since the incident opened"`
	People []string         `json:"people"`
}

// OnCalls lists every policy with the services it answers for.
func OnCalls(c *catalog.Catalog, at time.Time) []OnCall {
	list := []OnCall{}
	for _, p := range c.Policies {
		o := OnCall{Policy: p.Name, Services: []string{}, Levels: []OnCallLevel{}}
		for _, service := range c.Services {
			if service.EscalationPolicy == p.Name {
				o.Services = append(o.Services, service.Name)
			}
		}
		for i, l := range p.Levels {
			o.Levels = append(o.Levels, OnCallLevel{Level: i + 1, After: l.After, People: c.OnCallOf(l.Targets, at)})
		}
		list = append(list, o)
	}
	return list
}

// FirstLevel is who a policy pages first now.
func (s *Incidents) FirstLevel(policy string) []string {
	c := s.catalog.Current()
	p, ok := c.Policy(policy)
	if !ok || len(p.Levels) == 0 {
		return nil
	}
	return c.OnCallOf(p.Levels[0].Targets, s.clock())
}
