package incident

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Heartbeat is a monitor that triggers an alert when something falls silent: a backup, a cron job, another alerting system.
type Heartbeat struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Token    string           `json:"token" doc:"the secret part of the address that is to be called"`
	Service  string           `json:"service"`
	Severity string           `json:"severity" enum:"critical,warning,info"`
	Every    catalog.Duration `json:"every" doc:"how often it is to be heard of"`
	Grace    catalog.Duration `json:"grace" doc:"how much later is still fine"`
	LastAt   *time.Time       `json:"lastAt,omitempty" doc:"when it was heard of last; absent: never"`
	DueAt    *time.Time       `json:"dueAt,omitempty" doc:"when it counts as missed; absent: it is missed"`
	Missed   bool             `json:"missed"`

	alert string
}

const maxHeartbeats = 1000

const heartbeatColumns = `id, name, token, service, severity, every_us, grace_us, last_at, due_at, alert_id`

func scanHeartbeat(row scanner) (h Heartbeat, err error) {
	var every, grace, last, due int64
	err = row.Scan(&h.ID, &h.Name, &h.Token, &h.Service, &h.Severity, &every, &grace, &last, &due, &h.alert)
	h.Every, h.Grace = catalog.Duration(every*1000), catalog.Duration(grace*1000)
	h.LastAt, h.DueAt, h.Missed = pointer(last), pointer(due), h.alert != ""
	return h, err
}

// Heartbeats lists the monitors by name.
func (s *Incidents) Heartbeats(ctx context.Context) (list []Heartbeat, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, scanHeartbeat, `SELECT `+heartbeatColumns+` FROM heartbeats ORDER BY name`)
		return err
	})
	return list, err
}

// CreateHeartbeat begins to wait for a heartbeat. The first is expected after Every and Grace.
func (s *Incidents) CreateHeartbeat(ctx context.Context, h Heartbeat) (Heartbeat, error) {
	h.Name, h.Severity = tidy(h.Name, 200), cmp.Or(h.Severity, Critical)
	switch {
	case h.Name == "":
		return h, problem.New(problem.Invalid, "the heartbeat has no name").WithField("name").WithMend("say what is heard of, for example \"nightly backup\"")
	case time.Duration(h.Every) < time.Second || time.Duration(h.Every) > 366*24*time.Hour:
		return h, problem.New(problem.Invalid, "a heartbeat cannot come every %s", h.Every).WithField("every").WithMend("give 1s to 1y")
	case h.Grace < 0:
		return h, problem.New(problem.Invalid, "the grace is negative").WithField("grace")
	case !slices.Contains([]string{Critical, Warning, Info}, h.Severity):
		return h, problem.New(problem.Invalid, "%q is not a severity", h.Severity).WithField("severity").WithMend("use critical, warning or info")
	}
	if _, ok := s.catalog.Current().Service(h.Service); !ok {
		return h, problem.New(problem.Invalid, "there is no service %q in the catalog", clip(h.Service, 100)).WithField("service").WithMend("name one of GET /api/services")
	}
	h.ID, h.Token = event.NewID(), rand.Text()
	now := s.clock()
	due := now.Add(time.Duration(h.Every + h.Grace))
	h.DueAt = &due
	err := s.write(ctx, func(tx *store.Tx) error {
		var total, named int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*), COUNT(CASE WHEN name = ? THEN 1 END) FROM heartbeats`, h.Name).Scan(&total, &named); err != nil {
			return fmt.Errorf("create heartbeat: %w", err)
		}
		if named > 0 {
			return problem.New(problem.Conflict, "there is a heartbeat %q already", h.Name).WithField("name")
		}
		if total >= maxHeartbeats {
			return problem.New(problem.Exhausted, "there are %d heartbeats already", total)
		}
		tx.OnCommit(s.ring)
		_, err := tx.Exec(ctx, `INSERT INTO heartbeats (id, name, token, service, severity, every_us, grace_us, last_at, due_at, alert_id, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, '', ?)`, h.ID, h.Name, h.Token, h.Service, h.Severity,
			time.Duration(h.Every).Microseconds(), time.Duration(h.Grace).Microseconds(), due, now)
		return err
	})
	return h, err
}

// RemoveHeartbeat ends a monitor, and the alert that it is missed.
func (s *Incidents) RemoveHeartbeat(ctx context.Context, id string) error {
	return s.write(ctx, func(tx *store.Tx) error {
		list, err := query(ctx, tx, scanHeartbeat, `SELECT `+heartbeatColumns+` FROM heartbeats WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return problem.New(problem.NotFound, "there is no heartbeat %q", clip(id, 100)).WithMend("see GET /api/heartbeats")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM heartbeats WHERE id = ?`, id); err != nil {
			return err
		}
		return s.AlertResolved(ctx, tx, list[0].alert)
	})
}

// Beat takes a heartbeat by the token of its address. The alert that it was missed is over.
func (s *Incidents) Beat(ctx context.Context, token string) error {
	return s.write(ctx, func(tx *store.Tx) error {
		list, err := query(ctx, tx, scanHeartbeat, `SELECT `+heartbeatColumns+` FROM heartbeats WHERE token = ?`, clip(token, 100))
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return problem.New(problem.NotFound, "no heartbeat has this address").WithMend("copy the address from GET /api/heartbeats")
		}
		h, now := list[0], s.clock()
		_, err = tx.Exec(ctx, `UPDATE heartbeats SET last_at = ?, due_at = ?, alert_id = '' WHERE id = ?`, now, now.Add(time.Duration(h.Every+h.Grace)), h.ID)
		if err != nil || h.alert == "" {
			return err
		}
		return s.AlertResolved(ctx, tx, h.alert)
	})
}

// missHeartbeats triggers alerts for those that are overdue.
func (s *Incidents) missHeartbeats(ctx context.Context, tx *store.Tx, now time.Time) error {
	list, err := query(ctx, tx, scanHeartbeat, `SELECT `+heartbeatColumns+` FROM heartbeats WHERE due_at > 0 AND due_at <= ? ORDER BY due_at LIMIT ?`, now, maxSteps)
	if err != nil {
		return err
	}
	for _, h := range list {
		alert, since := event.NewID(), "it was never heard of"
		if h.LastAt != nil {
			since = "last heard of at " + h.LastAt.Format(time.RFC3339)
		}
		if _, err := tx.Exec(ctx, `UPDATE heartbeats SET due_at = 0, alert_id = ? WHERE id = ?`, alert, h.ID); err != nil {
			return fmt.Errorf("miss heartbeat: %w", err)
		}
		_, err := s.Trigger(ctx, tx, Trigger{AlertID: alert, Service: h.Service, Severity: h.Severity, Source: "heartbeat",
			Title: fmt.Sprintf("Heartbeat %s is missing: %s", h.Name, since), Labels: event.Labels{"alertname": "HeartbeatMissing", "heartbeat": h.Name}})
		if err != nil {
			return err
		}
	}
	return nil
}
