package incident

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Search selects incidents by more than Filter does; what is empty selects all.
type Search struct {
	IDs, Statuses, Services, Urgencies, People []string

	Key           string // the incident key, or the deduplication key of one of its alerts
	Since, Until  time.Time
	OldestFirst   bool
	Limit, Offset int
}

func (f Search) where() (string, []any) {
	where, args := `1 = 1`, []any{}
	in := func(column string, values []string) {
		if len(values) == 0 {
			return
		}
		where += ` AND ` + column + ` IN (?` + strings.Repeat(`, ?`, len(values)-1) + `)`
		for _, v := range values {
			args = append(args, v)
		}
	}
	in(`i.id`, f.IDs)
	in(`i.status`, f.Statuses)
	in(`i.service`, f.Services)
	in(`i.urgency`, f.Urgencies)
	if len(f.People) > 0 {
		terms := make([]string, len(f.People))
		for n, p := range f.People {
			terms[n] = `i.board LIKE ? ESCAPE '~'`
			args = append(args, `%"assigned":[%"`+strings.NewReplacer("~", "~~", "%", "~%", "_", "~_").Replace(p)+`"%`)
		}
		where += ` AND i.status <> 'resolved' AND (` + strings.Join(terms, ` OR `) + `)`
	}
	if f.Key != "" {
		where += ` AND i.id IN (SELECT k.id FROM incidents k WHERE k.group_key = ?
			UNION SELECT a.incident_id FROM alert_records r JOIN incident_alerts a ON a.alert_id = r.id WHERE r.dedup_key = ?)`
		args = append(args, "key/"+f.Key, f.Key)
	}
	if !f.Since.IsZero() {
		where, args = where+` AND i.opened_at >= ?`, append(args, f.Since)
	}
	if !f.Until.IsZero() {
		where, args = where+` AND i.opened_at < ?`, append(args, f.Until)
	}
	return where, args
}

// Find returns a page of the incidents that f selects and, when count is set, how many there are in all.
func (s *Incidents) Find(ctx context.Context, f Search, count bool) (list []Incident, total int, err error) {
	where, args := f.where()
	order := `DESC`
	if f.OldestFirst {
		order = `ASC`
	}
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		if count {
			if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM incidents i WHERE `+where, args...).Scan(&total); err != nil {
				return fmt.Errorf("count incidents: %w", err)
			}
		}
		list, err = query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+`
			FROM incidents i WHERE `+where+` ORDER BY i.number `+order+` LIMIT ? OFFSET ?`, append(args, f.Limit, f.Offset)...)
		return err
	})
	return list, total, err
}

// Counts is how many alerts an incident has.
type Counts struct{ Firing, Resolved int }

// AlertCounts counts the alerts of incidents.
func (s *Incidents) AlertCounts(ctx context.Context, ids []string) (map[string]Counts, error) {
	counts := map[string]Counts{}
	if len(ids) == 0 {
		return counts, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		_, err := query(ctx, tx, func(row scanner) (string, error) {
			var id, status string
			var n int
			err := row.Scan(&id, &status, &n)
			c := counts[id]
			if status == "firing" {
				c.Firing = n
			} else {
				c.Resolved += n
			}
			counts[id] = c
			return id, err
		}, `SELECT incident_id, status, COUNT(*) FROM incident_alerts WHERE incident_id IN (?`+strings.Repeat(`, ?`, len(ids)-1)+`) GROUP BY incident_id, status`, args...)
		return err
	})
	return counts, err
}

// LogLine is a line of some incident's log.
type LogLine struct {
	IncidentID string
	Seq        int64
	LogEntry
}

// LogFilter selects lines of logs.
type LogFilter struct {
	Incident      string // its id; empty: of all
	Seq           int64  // only this one; 0: all
	Since, Until  time.Time
	Limit, Offset int
}

// where is the filter in SQL.
func (f LogFilter) where() (where string, args []any) {
	where = `1 = 1`
	add := func(term string, arg any) { where, args = where+` AND `+term, append(args, arg) }
	if f.Incident != "" {
		add(`incident_id = ?`, f.Incident)
	}
	if f.Seq > 0 {
		add(`seq = ?`, f.Seq)
	}
	if !f.Since.IsZero() {
		add(`at >= ?`, f.Since)
	}
	if !f.Until.IsZero() {
		add(`at < ?`, f.Until)
	}
	return where, args
}

// CountLines is how many lines of logs there are, whatever the limit and the offset.
func (s *Incidents) CountLines(ctx context.Context, f LogFilter) (total int, err error) {
	where, args := f.where()
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM incident_log WHERE `+where, args...).Scan(&total)
	})
	if err != nil {
		return 0, fmt.Errorf("count lines of logs: %w", err)
	}
	return total, nil
}

// Lines lists lines of logs, newest first, and whether there are more.
func (s *Incidents) Lines(ctx context.Context, f LogFilter) (list []LogLine, more bool, err error) {
	where, args := f.where()
	order := `at DESC, incident_id DESC, seq DESC`
	if f.Incident != "" {
		order = `seq DESC`
	}
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, func(row scanner) (l LogLine, err error) {
			var at int64
			err = row.Scan(&l.IncidentID, &l.Seq, &at, &l.Action, &l.Actor, &l.Text)
			l.Time = store.FromMicros(at)
			return l, err
		}, `SELECT incident_id, seq, at, action, actor, text FROM incident_log WHERE `+where+` ORDER BY `+order+` LIMIT ? OFFSET ?`,
			append(args, f.Limit+1, f.Offset)...)
		return err
	})
	if len(list) > f.Limit {
		return list[:f.Limit], true, err
	}
	return list, false, err
}

// NewIncident is an incident that somebody opens by hand.
type NewIncident struct {
	Service, Title, Severity, Urgency, Priority string
	Key                                         string   // an open incident with the same key is a conflict; empty: none
	Details                                     string   // what more there is to say
	People                                      []string // who it lies with, in place of the service's policy
	Policy                                      string   // the escalation policy, in place of the service's
	Conference                                  *Conference
}

// Declare opens an incident by hand. Unlike Create it does so also where the service has one already.
func (s *Incidents) Declare(ctx context.Context, n NewIncident, actor string) (d Detail, err error) {
	if _, ok := s.catalog.Current().Service(n.Service); !ok {
		return d, problem.New(problem.Invalid, "there is no service %q in the catalog", clip(n.Service, 100)).WithField("service").WithMend("name one of GET /api/services")
	}
	if n.Urgency != "" && n.Urgency != "high" && n.Urgency != "low" {
		return d, problem.New(problem.Invalid, "%q is not an urgency", n.Urgency).WithField("urgency").WithMend("use high or low")
	}
	if err := n.Conference.check(); err != nil {
		return d, err
	}
	i := Incident{Service: n.Service, Title: tidy(n.Title, maxTitle), Severity: cmp.Or(n.Severity, Critical), Urgency: n.Urgency, Priority: tidy(n.Priority, 50),
		OpenedBy: actor, groupKey: "hand/" + event.NewID()}
	i.Board = Board{Key: clip(n.Key, maxDedupKey), Details: clip(n.Details, maxNote), Conference: n.Conference, Assigned: n.People}
	if n.Key != "" {
		i.groupKey = "key/" + i.Board.Key
	}
	if len(n.People) > 0 || n.Policy != "" {
		e, _, err := s.escalationTo(n.People, n.Policy)
		if err != nil {
			return d, err
		}
		i.escalation = e
	}
	err = s.write(ctx, func(tx *store.Tx) error {
		open, err := findOpen(ctx, tx, i.Service, i.groupKey)
		if err != nil {
			return err
		}
		if open != nil {
			return problem.New(problem.Conflict, "an incident with the key %q is open already: #%d", n.Key, open.Number).WithField("incident_key")
		}
		opened, err := s.open(ctx, tx, i, "by hand")
		if err != nil {
			return err
		}
		d, err = Load(ctx, tx, opened.ID)
		return err
	})
	return d, err
}
