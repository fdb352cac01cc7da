package incident

import (
	"context"
	"fmt"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// worsen brings an incident up to the severity of one of its alerts, and with it its urgency: then whoever was paged is paged again, by
// the rules that they have for what is urgent. It returns what to add to the log; empty: the incident is as bad already, and unchanged.
func (s *Incidents) worsen(ctx context.Context, tx *store.Tx, i *Incident, severity string) (text string, err error) {
	now := worse(i.Severity, severity)
	if now == i.Severity {
		return "", nil
	}
	text = fmt.Sprintf("the incident is now %s, not %s", now, i.Severity)
	i.Severity = now
	if i.Urgency == catalog.Low && s.urgency(i.Service, now, s.clock()) == catalog.High {
		text += ", and its urgency is high"
		if err := s.makeUrgent(ctx, tx, i); err != nil {
			return "", err
		}
	}
	return text, s.saveIncident(ctx, tx, i)
}

// makeUrgent raises the urgency of an incident to high. If nobody took it, those who were paged are paged by their rules for what is
// urgent, at once and also where they were paged quietly; an escalation that ran out begins anew. The caller saves i.
func (s *Incidents) makeUrgent(ctx context.Context, tx *store.Tx, i *Incident) error {
	i.Urgency = catalog.High
	if i.Status != Triggered || i.step == 0 {
		return nil
	}
	tx.OnCommit(s.ring)
	steps := i.escalation.steps()
	if i.step >= len(steps) && i.Unreached != "" {
		i.nextAt = s.clock() // it starts over
		return nil
	}
	if err := s.cancelPages(ctx, tx, i.ID, false); err != nil {
		return err
	}
	if i.nextAt.IsZero() {
		s.beginAnew(i)
		i.nextAt = s.clock()
		return nil
	}
	told, err := query(ctx, tx, func(row scanner) (p PageState, err error) { return p, row.Scan(&p.Person, &p.Step) },
		`SELECT person, MAX(step) FROM pages WHERE incident_id = ? AND kind = '' AND step >= ? GROUP BY person ORDER BY person`, i.ID, i.stepNumber(0))
	if err != nil || len(told) == 0 {
		return err
	}
	i.cycle++ // their pages are others than those before
	for _, p := range told {
		contact, ok := i.escalation.contact(p.Person)
		if !ok { // from a schedule
			contact = contacts(s.catalog.Current(), []string{p.Person})[0]
		}
		at := p.Step % stepsPerCycle
		if err := s.addPages(ctx, tx, *i, at, steps[at].level, contact, s.clock()); err != nil {
			return err
		}
	}
	return nil
}

// contact is somebody whom an escalation names.
func (e Escalation) contact(person string) (Contact, bool) {
	levels := append([]Level{{People: e.LastResort}}, e.Levels...)
	for _, part := range e.Then {
		levels = append(levels, part.Levels...)
	}
	for _, l := range levels {
		for _, p := range l.People {
			if p.Name == person {
				return p, true
			}
		}
	}
	return Contact{}, false
}
