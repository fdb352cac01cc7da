package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// The ledger is the append-only log of this package. A fact carries the whole state of what it is about, or, of pages that change
// together, what happened to them; so folding the facts in order gives the tables, at any point.
const (
	factIncident   = "incident"       // data: IncidentState
	factEscalation = "escalation"     // data: Escalation, when an incident gets one
	factAlert      = "alert"          // data: AlertState
	factEnded      = "alerts ended"   // data: alertsEnded; those of one incident that came in as events
	factPage       = "page"           // data: PageState
	factCanceled   = "pages canceled" // data: pagesChange; of one incident
	factReclaimed  = "pages reclaimed"
	factRecovered  = "pages recovered" // data: pagesChange; of a channel that works again
	factSetBack    = "pages set back"  // data: pagesChange; with the clock
	factRecord     = "record"          // data: Record
	factTurn       = "turn"            // data: turnTaken; of a round robin
)

// Fact is one entry of the ledger.
type Fact struct {
	Seq        int64
	IncidentID string
	Time       time.Time
	What       string
	Data       []byte
}

// IncidentState is what of an incident can change.
type IncidentState struct {
	Number         int64  `json:"number"`
	Service        string `json:"service"`
	Group          string `json:"group,omitempty"`
	GroupKey       string `json:"groupKey,omitempty"`
	Title          string `json:"title"`
	Severity       string `json:"severity"`
	Urgency        string `json:"urgency"`
	Priority       string `json:"priority,omitempty"`
	Status         Status `json:"status"`
	OpenedAt       int64  `json:"openedAt"`
	OpenedBy       string `json:"openedBy,omitempty"`
	AcknowledgedAt int64  `json:"acknowledgedAt,omitempty"`
	AcknowledgedBy string `json:"acknowledgedBy,omitempty"`
	ResolvedAt     int64  `json:"resolvedAt,omitempty"`
	ResolvedBy     string `json:"resolvedBy,omitempty"`
	MergedInto     string `json:"mergedInto,omitempty"`
	SnoozedUntil   int64  `json:"snoozedUntil,omitempty"`
	Cycle          int    `json:"cycle,omitempty"`
	Step           int    `json:"step"`
	NextAt         int64  `json:"nextAt,omitempty"`
	Unreached      string `json:"unreached,omitempty"`
	ResolveAt      int64  `json:"resolveAt,omitempty"`
	UpdatedAt      int64  `json:"updatedAt,omitempty"` // 0 in what an older daytwo wrote: the time of the fact
	Board          Board  `json:"board"`
}

// AlertState is one alert of an incident. Gone: it was moved to another one.
type AlertState struct {
	ID     string `json:"id"`
	Title  string `json:"title,omitempty"`
	Status string `json:"status,omitempty"`
	At     int64  `json:"at,omitempty"`
	Gone   bool   `json:"gone,omitempty"`
}

// alertsEnded is when the alerts of an incident ended together.
type alertsEnded struct {
	At int64 `json:"at"`
}

// PageState is one page.
type PageState struct {
	ID        string `json:"id"`
	Incident  string `json:"incident"`
	Kind      string `json:"kind,omitempty"`
	Step      int    `json:"step"`
	Level     int    `json:"level"`
	Person    string `json:"person"`
	Channel   string `json:"channel"`
	Address   string `json:"address"`
	Status    string `json:"status"`
	Attempts  int    `json:"attempts,omitempty"`
	CreatedAt int64  `json:"createdAt"`
	At        int64  `json:"at"`
	WakeAt    int64  `json:"wakeAt,omitempty"`
	Error     string `json:"error,omitempty"`
	Text      string `json:"text,omitempty"`
	Bundle    string `json:"bundle,omitempty"` // id of the message that carries it with others
}

// pagesChange is what happened to pages together.
type pagesChange struct {
	At      int64  `json:"at"`
	All     bool   `json:"all,omitempty"`     // those of responders and updates too
	Channel string `json:"channel,omitempty"` // of those that are tried again at once
	Address string `json:"address,omitempty"` // only these; empty: all of the channel
	Before  int64  `json:"before,omitempty"`  // of those that failed before then; 0: all
	Earlier int64  `json:"earlier,omitempty"` // microseconds that the clock was set back by
	Since   int64  `json:"since,omitempty"`   // when that was noticed: pages written from then to At stay; 0: none
}

// turnTaken is whose turn is next at a level of a policy.
type turnTaken struct {
	Policy string `json:"policy"`
	Level  int    `json:"level"` // from 0
	Turn   int64  `json:"turn"`
}

// key is the level of the policy.
func (t turnTaken) key() string { return fmt.Sprintf("%s/%d", t.Policy, t.Level) }

// State is everything the ledger tells.
type State struct {
	Incidents map[string]IncidentState
	Policies  map[string]Escalation // by incident
	Alerts    map[string]AlertState // by incident and alert
	Pages     map[string]PageState
	Records   map[string]Record
	Turns     map[string]int64 // by policy and level: whose turn is next, of all there ever were
}

// NewState is the state before the first fact.
func NewState() *State {
	return &State{Incidents: map[string]IncidentState{}, Policies: map[string]Escalation{}, Alerts: map[string]AlertState{},
		Pages: map[string]PageState{}, Records: map[string]Record{}, Turns: map[string]int64{}}
}

// Apply moves the state on by one fact.
func (st *State) Apply(f Fact) error {
	read := func(into any) error {
		if err := json.Unmarshal(f.Data, into); err != nil {
			return fmt.Errorf("ledger entry %d: %w", f.Seq, err)
		}
		return nil
	}
	switch f.What {
	case factIncident:
		var i IncidentState
		err := read(&i)
		if i.UpdatedAt == 0 {
			i.UpdatedAt = store.Micros(f.Time)
		}
		st.Incidents[f.IncidentID] = i
		return err
	case factEscalation:
		var e Escalation
		err := read(&e)
		st.Policies[f.IncidentID] = e
		return err
	case factAlert:
		var a AlertState
		err := read(&a)
		if key := f.IncidentID + "/" + a.ID; a.Gone {
			delete(st.Alerts, key)
		} else {
			st.Alerts[key] = a
		}
		return err
	case factEnded:
		var e alertsEnded
		err := read(&e)
		st.ended(f.IncidentID, e.At)
		return err
	case factPage:
		var p PageState
		err := read(&p)
		st.Pages[p.ID] = p
		return err
	case factRecord:
		var r Record
		err := read(&r)
		st.Records[r.ID] = r
		return err
	case factTurn:
		var t turnTaken
		err := read(&t)
		st.Turns[t.key()] = t.Turn
		return err
	case factCanceled, factReclaimed, factRecovered, factSetBack:
		var c pagesChange
		err := read(&c)
		st.pages(f, c)
		return err
	}
	return fmt.Errorf("ledger entry %d: there is no fact %q", f.Seq, f.What)
}

// ended ends the alerts of an incident that came in as events.
func (st *State) ended(incident string, at int64) {
	for key, a := range st.Alerts {
		r := st.Records[a.ID]
		if of, _, _ := strings.Cut(key, "/"); of != incident || a.Status != "firing" || r.Key == "" {
			continue
		}
		a.Status, a.At = "resolved", at
		st.Alerts[key] = a
		if r.Status == "triggered" {
			r.Status, r.ResolvedAt, r.UpdatedAt = "resolved", store.FromMicros(at), store.FromMicros(at)
			st.Records[a.ID] = r
		}
	}
}

func (st *State) pages(f Fact, c pagesChange) {
	for id, p := range st.Pages {
		switch {
		case f.What == factReclaimed && p.Status == "sending":
			p.WakeAt = c.At
		case f.What == factCanceled && p.Incident == f.IncidentID && (p.Status == "due" || p.Status == "retry") && (c.All || p.Kind == ""):
			p.Status, p.At, p.WakeAt = "canceled", c.At, 0
		case f.What == factCanceled && p.Incident == f.IncidentID && p.Status == "exhausted" && (c.All || p.Kind == ""):
			p.WakeAt = 0
		case f.What == factRecovered && (p.Status == "retry" || p.Status == "exhausted") && p.WakeAt > c.At && p.Channel == c.Channel && (c.Address == "" || p.Address == c.Address) &&
			(c.Before == 0 || p.At < c.Before):
			p.WakeAt = c.At
		case f.What == factSetBack && p.WakeAt > 0 && (c.Since == 0 || p.CreatedAt < c.Since || p.CreatedAt > c.At):
			p.WakeAt -= c.Earlier
		default:
			continue
		}
		st.Pages[id] = p
	}
}

// fact appends to the ledger.
func (s *Incidents) fact(ctx context.Context, tx *store.Tx, incidentID, what string, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("ledger of incidents: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_ledger (seq, incident_id, at, fact, data)
		SELECT COALESCE(MAX(seq), 0) + 1, ?, ?, ?, ? FROM incident_ledger`, incidentID, s.clock(), what, string(raw))
	if err != nil {
		return fmt.Errorf("ledger of incidents: %w", err)
	}
	return nil
}

// facts reads on in the ledger, at most n entries after seq.
func facts(ctx context.Context, tx *store.Tx, after int64, n int) ([]Fact, error) {
	return query(ctx, tx, func(row scanner) (f Fact, err error) {
		var at int64
		var data string
		err = row.Scan(&f.Seq, &f.IncidentID, &at, &f.What, &data)
		f.Time, f.Data = store.FromMicros(at), []byte(data)
		return f, err
	}, `SELECT seq, incident_id, at, fact, data FROM incident_ledger WHERE seq > ? ORDER BY seq LIMIT ?`, after, n)
}

// Replay folds the whole ledger.
func (s *Incidents) Replay(ctx context.Context) (*State, error) {
	st := NewState()
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		for after := int64(0); ; {
			list, err := facts(ctx, tx, after, 1000)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, f := range list {
				if err := st.Apply(f); err != nil {
					return err
				}
				after = f.Seq
			}
		}
	})
	return st, err
}

// Stored reads the projections as they are kept: Replay gives the same.
func (s *Incidents) Stored(ctx context.Context) (*State, error) {
	st := NewState()
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		incidents, err := query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) },
			`SELECT `+incidentColumns+` FROM incidents i`)
		if err != nil {
			return err
		}
		for _, i := range incidents {
			st.Incidents[i.ID], st.Policies[i.ID] = i.state(), i.escalation
		}
		_, err = query(ctx, tx, func(row scanner) (a AlertState, err error) {
			var of string
			err = row.Scan(&of, &a.ID, &a.Title, &a.Status, &a.At)
			st.Alerts[of+"/"+a.ID] = a
			return a, err
		}, `SELECT incident_id, alert_id, title, status, at FROM incident_alerts`)
		if err != nil {
			return err
		}
		pages, err := query(ctx, tx, scanPageState, `SELECT `+pageColumns+` FROM pages p`)
		if err != nil {
			return err
		}
		for _, p := range pages {
			st.Pages[p.ID] = p
		}
		records, err := query(ctx, tx, scanRecord, `SELECT `+recordColumns+` FROM alert_records r`)
		if err != nil {
			return err
		}
		for _, r := range records {
			st.Records[r.ID] = r
		}
		_, err = query(ctx, tx, func(row scanner) (t turnTaken, err error) {
			err = row.Scan(&t.Policy, &t.Level, &t.Turn)
			st.Turns[t.key()] = t.Turn
			return t, err
		}, `SELECT policy, level, turn FROM round_robins`)
		return err
	})
	return st, err
}

const pageColumns = `p.id, p.incident_id, p.kind, p.step, p.level, p.person, p.channel, p.address, p.status, p.attempts, p.created_at, p.at,
	p.wake_at, p.error, p.text, p.bundle`

func scanPageState(row scanner) (p PageState, err error) {
	err = row.Scan(&p.ID, &p.Incident, &p.Kind, &p.Step, &p.Level, &p.Person, &p.Channel, &p.Address, &p.Status, &p.Attempts, &p.CreatedAt,
		&p.At, &p.WakeAt, &p.Error, &p.Text, &p.Bundle)
	return p, err
}

// notePage writes a page as it is now to the ledger.
func (s *Incidents) notePage(ctx context.Context, tx *store.Tx, id string) error {
	p, err := scanPageState(tx.QueryRow(ctx, `SELECT `+pageColumns+` FROM pages p WHERE p.id = ?`, id))
	if err != nil {
		return fmt.Errorf("ledger of incidents: %w", err)
	}
	return s.fact(ctx, tx, p.Incident, factPage, p)
}

// state is the incident as the ledger has it.
func (i Incident) state() IncidentState {
	return IncidentState{Number: i.Number, Service: i.Service, Group: i.Group, GroupKey: i.groupKey, Title: i.Title, Severity: i.Severity,
		Urgency: i.Urgency, Priority: i.Priority, Status: i.Status, OpenedAt: store.Micros(i.OpenedAt), OpenedBy: i.OpenedBy,
		AcknowledgedAt: micros(i.AcknowledgedAt), AcknowledgedBy: i.AcknowledgedBy, ResolvedAt: micros(i.ResolvedAt),
		ResolvedBy: i.ResolvedBy, MergedInto: i.MergedInto, SnoozedUntil: micros(i.SnoozedUntil), Cycle: i.cycle, Step: i.step,
		NextAt: store.Micros(i.nextAt), Unreached: i.Unreached, ResolveAt: store.Micros(i.resolveAt), UpdatedAt: store.Micros(i.UpdatedAt),
		Board: i.Board.clone()}
}

func (b Board) clone() Board {
	b.Assigned, b.Tasks, b.Responders, b.Updates = slices.Clone(b.Assigned), slices.Clone(b.Tasks), slices.Clone(b.Responders), slices.Clone(b.Updates)
	return b
}
