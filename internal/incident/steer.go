package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// longestSnooze bounds how long an incident can be put off.
const longestSnooze = 7 * 24 * time.Hour

// rearm makes an acknowledged incident page again, from the first level on.
func (s *Incidents) rearm(ctx context.Context, tx *store.Tx, i *Incident, actor, why string) error {
	i.Status, i.AcknowledgedAt, i.AcknowledgedBy, i.SnoozedUntil = Triggered, nil, "", nil
	s.beginAnew(i)
	if err := s.saveIncident(ctx, tx, i); err != nil {
		return err
	}
	if err := s.writeLog(ctx, tx, i.ID, "unacknowledged", actor, "Paging again: "+why); err != nil {
		return err
	}
	return s.tell(ctx, tx, *i, timeline.Entry{Kind: timeline.Incident, Action: "unacknowledged", Actor: actor, Tone: timeline.Warning,
		Title: fmt.Sprintf("Incident #%d pages again: %s", i.Number, why)})
}

// beginAnew schedules the first step of the escalation.
func (s *Incidents) beginAnew(i *Incident) {
	i.cycle++
	i.step, i.Unreached = 0, ""
	i.nextAt = s.clock().Add(i.escalation.steps()[0].wait)
}

// mustBeOpen refuses what makes no sense for an incident that is over.
func (i Incident) mustBeOpen(what string) error {
	if i.Open() {
		return nil
	}
	return problem.New(problem.Conflict, "#%d is resolved: it cannot be %s", i.Number, what).WithMend("open another incident, or reopen it")
}

// Snooze acknowledges an incident until a time; then it pages again.
func (s *Incidents) Snooze(ctx context.Context, id, actor string, d time.Duration) (Detail, error) {
	if d <= 0 || d > longestSnooze {
		return Detail{}, problem.New(problem.Invalid, "an incident cannot be snoozed for %s", d).WithField("duration").
			WithMend("give a time above zero and up to a week")
	}
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		if err := i.mustBeOpen("snoozed"); err != nil {
			return err
		}
		if err := s.respond(ctx, tx, i, Acknowledged, actor, ""); err != nil {
			return err
		}
		until := s.clock().Add(d)
		i.SnoozedUntil, i.nextAt = &until, until
		return s.changed(ctx, tx, i, "snoozed", actor, "Snoozed until "+until.Format(time.RFC3339), nil)
	})
}

// changed saves an incident and tells what was done to it.
func (s *Incidents) changed(ctx context.Context, tx *store.Tx, i *Incident, action, actor, text string, data map[string]string) error {
	if err := s.saveIncident(ctx, tx, i); err != nil {
		return err
	}
	if err := s.writeLog(ctx, tx, i.ID, action, actor, text); err != nil {
		return err
	}
	tx.OnCommit(s.ring)
	return s.tell(ctx, tx, *i, timeline.Entry{Kind: timeline.Incident, Action: action, Actor: actor,
		Title: fmt.Sprintf("Incident #%d: %s", i.Number, text), Data: data})
}

// Escalate takes the next step of the escalation at once.
func (s *Incidents) Escalate(ctx context.Context, id, actor string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		if err := i.mustBeOpen("escalated"); err != nil {
			return err
		}
		if i.Status == Acknowledged {
			i.Status, i.AcknowledgedAt, i.AcknowledgedBy, i.SnoozedUntil = Triggered, nil, "", nil
		}
		if i.step >= len(i.escalation.steps()) {
			s.beginAnew(i)
		}
		i.nextAt = s.clock()
		return s.changed(ctx, tx, i, "delegated", actor, "Escalated by hand: "+i.escalation.steps()[i.step].String(), nil)
	})
}

// Reassign gives an incident to people, or to another escalation policy, and pages them; exactly one of both is given.
func (s *Incidents) Reassign(ctx context.Context, id, actor string, people []string, policy string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		if err := i.mustBeOpen("reassigned"); err != nil {
			return err
		}
		e, to, err := s.escalationTo(people, policy)
		if err != nil {
			return err
		}
		if err := s.cancelPages(ctx, tx, i.ID, false); err != nil {
			return err
		}
		id := i.ID
		tx.OnCommit(func() { s.underway.stop(id) })
		if err := s.saveEscalation(ctx, tx, i, e); err != nil {
			return err
		}
		i.Status, i.AcknowledgedAt, i.AcknowledgedBy, i.SnoozedUntil = Triggered, nil, "", nil
		i.Board.Assigned = slices.Clone(people)
		s.beginAnew(i)
		return s.changed(ctx, tx, i, "reassigned", actor, "Given to "+to, map[string]string{"to": to})
	})
}

// escalationTo is the escalation of an incident that was given to somebody.
func (s *Incidents) escalationTo(people []string, policy string) (e Escalation, to string, err error) {
	c := s.catalog.Current()
	if policy != "" {
		if _, ok := c.Policy(policy); !ok {
			return e, "", problem.New(problem.Invalid, "there is no escalation policy %q", policy).WithField("policy").WithMend("see GET /api/oncalls")
		}
		return ofPolicy(c, policy), "policy " + policy, nil
	}
	if len(people) == 0 {
		return e, "", problem.New(problem.Invalid, "nobody is named").WithField("people").WithMend("name people or a policy")
	}
	if err := s.mustKnow(people); err != nil {
		return e, "", err
	}
	return Escalation{Levels: []Level{{People: contacts(c, people)}}, LastResort: contacts(c, c.LastResort)}, strings.Join(people, ", "), nil
}

func (s *Incidents) mustKnow(people []string) error {
	for _, name := range people {
		if _, ok := s.catalog.Current().Person(name); !ok {
			return problem.New(problem.Invalid, "there is no person %q in the catalog", clip(name, 100)).WithField("people").WithMend("see GET /api/people")
		}
	}
	return nil
}

// AskResponders pages more people without changing who the incident lies with.
func (s *Incidents) AskResponders(ctx context.Context, id, actor string, people []string, message string) (Detail, error) {
	if err := s.mustKnow(people); err != nil {
		return Detail{}, err
	}
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		if err := i.mustBeOpen("joined"); err != nil {
			return err
		}
		now := s.clock()
		for _, c := range contacts(s.catalog.Current(), people) {
			unreached, err := s.pageAside(ctx, tx, *i, "responder", c, message, now)
			if err != nil {
				return err
			}
			r := Responder{Person: c.Name, Message: clip(message, maxUpdate), State: "pending", RequestedBy: actor, At: now, Unreached: unreached}
			if err := i.Board.ask(r); err != nil {
				return err
			}
		}
		return s.changed(ctx, tx, i, "responders", actor, "Asked for help: "+strings.Join(people, ", "), map[string]string{"people": strings.Join(people, ",")})
	})
}

// ask adds a responder, or asks them again.
func (b *Board) ask(r Responder) error {
	if at := slices.IndexFunc(b.Responders, func(o Responder) bool { return o.Person == r.Person }); at >= 0 {
		b.Responders[at] = r
		return nil
	}
	if len(b.Responders) >= maxResponders {
		return problem.New(problem.Exhausted, "%d responders were asked already", maxResponders).WithField("people")
	}
	b.Responders = append(b.Responders, r)
	return nil
}

// pageAside pages a person beside the escalation: at once, at every address. Of somebody who has none it says so, in the log too.
func (s *Incidents) pageAside(ctx context.Context, tx *store.Tx, i Incident, kind string, c Contact, text string, now time.Time) (unreached string, err error) {
	if len(c.Addresses) == 0 {
		const why = "no contact method of theirs may be used: give them one, or verify it"
		return why, s.writeLog(ctx, tx, i.ID, "failed", self, fmt.Sprintf("%s was told nothing: %s", c.Name, why))
	}
	var aside int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM pages WHERE incident_id = ? AND kind <> ''`, i.ID).Scan(&aside); err != nil {
		return "", fmt.Errorf("count pages: %w", err)
	}
	for _, a := range c.Addresses {
		aside++
		err := s.addPage(ctx, tx, PageState{Incident: i.ID, Kind: kind, Step: -aside, Person: c.Name, Channel: a.Channel, Address: a.To,
			WakeAt: store.Micros(now), Text: clip(text, maxUpdate)}, now)
		if err != nil {
			return "", err
		}
	}
	tx.OnCommit(s.ring)
	return "", nil
}

// AnswerRequest says whether somebody who was asked to help does.
func (s *Incidents) AnswerRequest(ctx context.Context, id, person string, joins bool) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		at := slices.IndexFunc(i.Board.Responders, func(r Responder) bool { return r.Person == person })
		if at < 0 {
			return problem.New(problem.NotFound, "%s was not asked to help with #%d", person, i.Number)
		}
		i.Board.Responders[at].State, i.Board.Responders[at].At = "declined", s.clock()
		if joins {
			i.Board.Responders[at].State = "joined"
		}
		return s.changed(ctx, tx, i, "responders", person, person+" "+i.Board.Responders[at].State, map[string]string{"people": person, "answer": i.Board.Responders[at].State})
	})
}

// SetRole gives a role of the incident to somebody; nobody takes it away.
func (s *Incidents) SetRole(ctx context.Context, id, actor, role, person string) (Detail, error) {
	if !slices.Contains(roles, role) {
		return Detail{}, problem.New(problem.Invalid, "there is no role %q", clip(role, 100)).WithField("role").WithMend("use commander, scribe or liaison")
	}
	if person != "" {
		if err := s.mustKnow([]string{person}); err != nil {
			return Detail{}, err
		}
	}
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		given := map[string]string{}
		for r, p := range i.Board.Roles {
			given[r] = p
		}
		text := person + " is " + role
		if given[role] = person; person == "" {
			delete(given, role)
			text = "Nobody is " + role + " any more"
		}
		i.Board.Roles = given
		return s.changed(ctx, tx, i, "role", actor, text, map[string]string{"role": role, "person": person})
	})
}

// SaveTask adds a task (without ID) or changes one.
func (s *Incidents) SaveTask(ctx context.Context, id, actor string, t Task) (Detail, error) {
	t.Text = tidy(t.Text, maxTitle)
	if t.Text == "" {
		return Detail{}, problem.New(problem.Invalid, "the task is empty").WithField("text").WithMend("say what is to be done")
	}
	if t.Owner != "" {
		if err := s.mustKnow([]string{t.Owner}); err != nil {
			return Detail{}, err
		}
	}
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		at := slices.IndexFunc(i.Board.Tasks, func(o Task) bool { return o.ID == t.ID })
		switch {
		case t.ID == "" && len(i.Board.Tasks) >= maxTasks:
			return problem.New(problem.Exhausted, "#%d has %d tasks already", i.Number, maxTasks)
		case t.ID == "":
			t.ID = event.NewID()
			i.Board.Tasks = append(i.Board.Tasks, t)
		case at < 0:
			return problem.New(problem.NotFound, "#%d has no task %q", i.Number, clip(t.ID, 100))
		default:
			i.Board.Tasks[at] = t
		}
		text := "Task: " + t.Text
		if t.Done {
			text = "Task done: " + t.Text
		}
		return s.changed(ctx, tx, i, "task", actor, text, nil)
	})
}

// Publish tells stakeholders how things stand: it is kept with the incident, and sent to the people named.
func (s *Incidents) Publish(ctx context.Context, id, actor, text string, people []string) (d Detail, u Update, err error) {
	text = strings.TrimSpace(clip(text, maxUpdate))
	if text == "" {
		return d, u, problem.New(problem.Invalid, "the update is empty").WithField("text").WithMend("say how things stand")
	}
	if err := s.mustKnow(people); err != nil {
		return d, u, err
	}
	d, err = s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		now := s.clock()
		u = Update{ID: event.NewID(), Time: now, By: actor, Text: text}
		for _, c := range contacts(s.catalog.Current(), people) {
			unreached, err := s.pageAside(ctx, tx, *i, "update", c, text, now)
			if err != nil {
				return err
			}
			if unreached != "" {
				u.Unreached = append(u.Unreached, c.Name)
			}
		}
		if i.Board.Updates = append(i.Board.Updates, u); len(i.Board.Updates) > maxUpdates {
			i.Board.Updates = i.Board.Updates[1:]
		}
		return s.changed(ctx, tx, i, "update", actor, text, map[string]string{"update": u.ID})
	})
	return d, u, err
}

// Edit is what of an incident people can change; nil leaves it.
type Edit struct {
	Title, Urgency, Priority *string
	Conference               *Conference
}

// Edit changes an incident.
func (s *Incidents) Edit(ctx context.Context, id, actor string, e Edit) (Detail, error) {
	if e.Urgency != nil && *e.Urgency != "high" && *e.Urgency != "low" {
		return Detail{}, problem.New(problem.Invalid, "%q is not an urgency", *e.Urgency).WithField("urgency").WithMend("use high or low")
	}
	if err := e.Conference.check(); err != nil {
		return Detail{}, err
	}
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		if e.Title != nil && *e.Title != i.Title {
			if i.Title = tidy(*e.Title, maxSummary); i.Title == "" {
				return problem.New(problem.Invalid, "the title is empty").WithField("title")
			}
			if err := s.changed(ctx, tx, i, "title", actor, "Now called "+i.Title, nil); err != nil {
				return err
			}
		}
		if e.Urgency != nil && *e.Urgency != i.Urgency {
			if i.Urgency = *e.Urgency; i.Urgency == catalog.High {
				if err := s.makeUrgent(ctx, tx, i); err != nil {
					return err
				}
			}
			if err := s.changed(ctx, tx, i, "urgency", actor, "The urgency is "+i.Urgency, nil); err != nil {
				return err
			}
		}
		if e.Priority != nil && *e.Priority != i.Priority {
			i.Priority = tidy(*e.Priority, 50)
			if err := s.changed(ctx, tx, i, "priority", actor, "The priority is "+cmp.Or(i.Priority, "none"), nil); err != nil {
				return err
			}
		}
		if e.Conference != nil {
			if *e.Conference == (Conference{}) {
				i.Board.Conference = nil
				return s.changed(ctx, tx, i, "conference", actor, "The conference is over", nil)
			}
			i.Board.Conference = &Conference{URL: clip(e.Conference.URL, 2000), Number: tidy(e.Conference.Number, 100)}
			return s.changed(ctx, tx, i, "conference", actor, "People talk at "+cmp.Or(e.Conference.URL, e.Conference.Number), nil)
		}
		return nil
	})
}

// Retake takes back that an incident was resolved or snoozed, as if the actor had acknowledged it instead: nobody is paged.
func (s *Incidents) Retake(ctx context.Context, id, actor string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		if i.Status == Acknowledged && i.SnoozedUntil != nil {
			now := s.clock()
			i.SnoozedUntil, i.nextAt, i.AcknowledgedAt, i.AcknowledgedBy = nil, time.Time{}, &now, actor
			if limit, _ := s.limits(i.Service); limit > 0 {
				i.nextAt = now.Add(limit)
			}
			return s.changed(ctx, tx, i, string(Acknowledged), actor, "No longer snoozed", nil)
		}
		if err := s.reopen(ctx, tx, i, actor); err != nil {
			return err
		}
		return s.respond(ctx, tx, i, Acknowledged, actor, "")
	})
}

// Reopen makes a resolved incident page again.
func (s *Incidents) Reopen(ctx context.Context, id, actor string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error { return s.reopen(ctx, tx, i, actor) })
}

func (s *Incidents) reopen(ctx context.Context, tx *store.Tx, i *Incident, actor string) error {
	if i.Open() {
		return nil
	}
	if i.MergedInto != "" {
		return problem.New(problem.Conflict, "#%d was merged into another incident", i.Number).WithMend("go on with that one")
	}
	i.Status, i.ResolvedAt, i.ResolvedBy, i.AcknowledgedAt, i.AcknowledgedBy = Triggered, nil, "", nil, ""
	i.groupKey = "reopened/" + i.ID
	if _, limit := s.limits(i.Service); limit > 0 {
		i.resolveAt = s.clock().Add(limit)
	}
	s.beginAnew(i)
	return s.changed(ctx, tx, i, "reopened", actor, "Reopened", nil)
}

// Merge moves the alerts of other incidents into one and resolves the others. What was logged of them stays theirs.
func (s *Incidents) Merge(ctx context.Context, id, actor string, sources []string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, into *Incident) error {
		if err := into.mustBeOpen("merged into"); err != nil {
			return err
		}
		for _, ref := range sources {
			from, err := findByRef(ctx, tx, ref)
			if err != nil {
				return err
			}
			if from.ID == into.ID {
				return problem.New(problem.Invalid, "#%d cannot be merged into itself", into.Number).WithField("sources")
			}
			if from.MergedInto == into.ID {
				continue
			}
			if err := s.mergeOne(ctx, tx, from, into, actor); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Incidents) mergeOne(ctx context.Context, tx *store.Tx, from, into *Incident, actor string) error {
	alerts, err := query(ctx, tx, func(row scanner) (a AlertState, err error) {
		err = row.Scan(&a.ID, &a.Title, &a.Status, &a.At)
		return a, err
	}, `SELECT alert_id, title, status, at FROM incident_alerts WHERE incident_id = ?`, from.ID)
	if err != nil {
		return err
	}
	for _, a := range alerts {
		if err := s.moveAlert(ctx, tx, from.ID, into.ID, a); err != nil {
			return err
		}
	}
	into.Severity = worse(into.Severity, from.Severity)
	if from.Urgency == catalog.High && into.Urgency != catalog.High {
		if err := s.makeUrgent(ctx, tx, into); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("Took over %s of #%d %s", plural(len(alerts), "alert"), from.Number, clip(from.Title, shownTitle))
	if err := s.changed(ctx, tx, into, "merged", actor, text, map[string]string{"from": from.ID}); err != nil {
		return err
	}
	now := s.clock()
	if from.Open() {
		from.Status, from.ResolvedAt, from.ResolvedBy = Resolved, &now, actor
	}
	from.nextAt, from.resolveAt, from.Unreached, from.SnoozedUntil, from.MergedInto = time.Time{}, time.Time{}, "", nil, into.ID
	if err := s.cancelPages(ctx, tx, from.ID, true); err != nil {
		return err
	}
	id := from.ID
	tx.OnCommit(func() { s.underway.stop(id) })
	return s.changed(ctx, tx, from, "merged", actor, fmt.Sprintf("Merged into #%d %s", into.Number, into.Title), map[string]string{"into": into.ID})
}

// moveAlert takes an alert from one incident to another, where it may be known already.
func (s *Incidents) moveAlert(ctx context.Context, tx *store.Tx, from, into string, a AlertState) error {
	if _, err := tx.Exec(ctx, `DELETE FROM incident_alerts WHERE incident_id = ? AND alert_id = ?`, from, a.ID); err != nil {
		return fmt.Errorf("move alert: %w", err)
	}
	if err := s.fact(ctx, tx, from, factAlert, AlertState{ID: a.ID, Gone: true}); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO incident_alerts (incident_id, alert_id, title, status, at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (incident_id, alert_id) DO UPDATE SET title = excluded.title, status = excluded.status, at = excluded.at`,
		into, a.ID, a.Title, a.Status, a.At)
	if err != nil {
		return fmt.Errorf("move alert: %w", err)
	}
	return s.fact(ctx, tx, into, factAlert, a)
}

// MoveAlert takes one alert to another incident.
func (s *Incidents) MoveAlert(ctx context.Context, id, actor, alertID, into string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		to, err := findByRef(ctx, tx, into)
		if err != nil {
			return err
		}
		if err := to.mustBeOpen("given an alert"); err != nil {
			return err
		}
		d, err := Load(ctx, tx, i.ID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(d.Alerts, func(a JoinedAlert) bool { return a.ID == alertID })
		if at < 0 {
			return problem.New(problem.NotFound, "#%d has no alert %q", i.Number, clip(alertID, 100))
		}
		a := d.Alerts[at]
		if err := s.moveAlert(ctx, tx, i.ID, to.ID, AlertState{ID: a.ID, Title: a.Title, Status: a.Status, At: store.Micros(a.At)}); err != nil {
			return err
		}
		if err := s.changed(ctx, tx, to, "joined", actor, fmt.Sprintf("Alert %q was moved here from #%d", clip(a.Title, shownTitle), i.Number), nil); err != nil {
			return err
		}
		return s.changed(ctx, tx, i, "moved", actor, fmt.Sprintf("Alert %q was moved to #%d", clip(a.Title, shownTitle), to.Number), nil)
	})
}

// ResolveAlert ends one alert by hand, and its incident when it was the last.
func (s *Incidents) ResolveAlert(ctx context.Context, id, alertID string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, _ *Incident) error { return s.AlertResolved(ctx, tx, alertID) })
}

// EscalateTo takes a level of the escalation at once; from 1.
func (s *Incidents) EscalateTo(ctx context.Context, id, actor string, level int) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		if err := i.mustBeOpen("escalated"); err != nil {
			return err
		}
		at := slices.IndexFunc(i.escalation.steps(), func(st step) bool { return st.level == level })
		if at < 0 {
			return problem.New(problem.Invalid, "the escalation of #%d has no level %d", i.Number, level).WithField("escalation_level")
		}
		i.Status, i.AcknowledgedAt, i.AcknowledgedBy, i.SnoozedUntil = Triggered, nil, "", nil
		s.beginAnew(i)
		i.step, i.nextAt = at, s.clock()
		return s.changed(ctx, tx, i, "delegated", actor, fmt.Sprintf("Escalated by hand to level %d", level), nil)
	})
}

// Unacknowledge gives an incident back: it pages again, from the first level on.
func (s *Incidents) Unacknowledge(ctx context.Context, id, actor string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		if i.Status != Acknowledged {
			return nil
		}
		tx.OnCommit(s.ring)
		return s.rearm(ctx, tx, i, actor, actor+" gave it back")
	})
}

// MaintenanceChanged looks again at what windows of maintenance keep from paging: one may have ended early.
func (s *Incidents) MaintenanceChanged(ctx context.Context) error {
	return s.write(ctx, func(tx *store.Tx) error {
		list, err := query(ctx, tx, scanRecord, `SELECT `+recordColumns+` FROM alert_records r WHERE r.ends_at > 0 AND r.suppressed LIKE 'maintenance: %'`)
		if err != nil {
			return err
		}
		tx.OnCommit(s.ring)
		for _, r := range list {
			now := s.clock()
			why, until, ok := s.maintenance(r.Service, now)
			if r.Suppressed, r.EndsAt = why, until; !ok {
				r.Suppressed, r.EndsAt = "maintenance ended early", now
			}
			if err := s.saveRecord(ctx, tx, &r); err != nil {
				return err
			}
		}
		return nil
	})
}

// resolveOverdue resolves incidents that were open as long as their service allows.
func (s *Incidents) resolveOverdue(ctx context.Context, tx *store.Tx, now time.Time) error {
	list, err := query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+`
		FROM incidents i WHERE i.resolve_at > 0 AND i.resolve_at <= ? ORDER BY i.resolve_at LIMIT ?`, now, maxSteps)
	if err != nil {
		return err
	}
	for _, i := range list {
		if err := s.respond(ctx, tx, &i, Resolved, self, "it was open as long as the service allows"); err != nil {
			return err
		}
	}
	return nil
}
