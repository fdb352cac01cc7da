package incident

import (
	"context"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// Trial is one past event and what a rule would have made of it.
type Trial struct {
	EventID  string    `json:"eventId"`
	Time     time.Time `json:"time"`
	Source   string    `json:"source"`
	Service  string    `json:"service"`
	Severity string    `json:"severity,omitempty"`
	Title    string    `json:"title"`
	Outcome  string    `json:"outcome,omitempty" doc:"what became of it then, see inbound events; of daytwo's own alerts only whether they were suppressed"`
	Reason   string    `json:"reason,omitempty"`
	Matched  bool      `json:"matched"`
	Verdict  Verdict   `json:"verdict"`
}

// TryRule asks one rule about what came in before, newest first, without changing anything: events of integrations, and daytwo's own
// alerts and missed heartbeats, these as the rules that were in force left them.
func (s *Incidents) TryRule(ctx context.Context, r Rule, limit int) (list []Trial, err error) {
	c, err := r.compile()
	if err != nil {
		return nil, err
	}
	events, err := s.Events(ctx, EventFilter{Action: "trigger", Limit: limit})
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		list = append(list, c.try(e.trigger(), Trial{EventID: e.ID, Time: e.Time, Outcome: e.Outcome, Reason: e.Reason}))
	}
	own, err := s.ownAlerts(ctx, limit)
	for _, r := range own {
		past := Trial{EventID: r.ID, Time: r.CreatedAt, Reason: r.Suppressed}
		if r.Suppressed != "" {
			past.Outcome = "suppressed"
		}
		list = append(list, c.try(Trigger{Service: r.Service, Title: r.Title, Severity: r.Severity, Source: r.Source, DedupKey: r.DedupKey, Fields: r.Fields}, past))
	}
	slices.SortStableFunc(list, func(a, b Trial) int { return b.Time.Compare(a.Time) })
	return list[:min(len(list), limit)], err
}

// try completes what is known of a past trigger with what the rule says of it.
func (r compiled) try(t Trigger, past Trial) Trial {
	past.Verdict = judge([]compiled{r}, t.env(past.Time))
	past.Source, past.Service, past.Severity, past.Title, past.Matched = t.Source, t.Service, t.Severity, t.Title, len(past.Verdict.Rules) > 0
	return past
}

// ownAlerts are the newest that came in by no integration.
func (s *Incidents) ownAlerts(ctx context.Context, limit int) (list []Record, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, scanRecord, `SELECT `+recordColumns+` FROM alert_records r
			WHERE r.key_id = '' ORDER BY r.id DESC LIMIT ?`, limit)
		return err
	})
	return list, err
}
