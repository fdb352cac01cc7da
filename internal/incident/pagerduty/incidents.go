package pagerduty

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func (a *API) incidentRoutes() {
	a.read("/incidents", a.listIncidents)
	a.read("/incidents/{id}", a.getIncident)
	a.route("POST /incidents", auth.Responder, "incident.create", a.createIncident)
	a.route("PUT /incidents", auth.Responder, "incident.update", a.updateIncidents)
	a.route("PUT /incidents/{id}", auth.Responder, "incident.update", a.updateIncident)
	a.route("PUT /incidents/{id}/merge", auth.Responder, "incident.merge", a.mergeIncidents)
	a.route("POST /incidents/{id}/snooze", auth.Responder, "incident.snooze", a.snooze)
	a.read("/incidents/{id}/notes", a.listNotes)
	a.route("POST /incidents/{id}/notes", auth.Responder, "incident.note", a.addNote)
	a.read("/incidents/{id}/alerts", a.listAlerts)
	a.read("/incidents/{id}/alerts/{alert}", a.getAlert)
	a.route("PUT /incidents/{id}/alerts", auth.Responder, "incident.alerts", a.updateAlerts)
	a.route("PUT /incidents/{id}/alerts/{alert}", auth.Responder, "incident.alerts", a.updateAlert)
	a.route("POST /incidents/{id}/responder_requests", auth.Responder, "incident.responders", a.requestResponders)
	a.route("POST /incidents/{id}/status_updates", auth.Responder, "incident.update", a.publishUpdate)
}

// show is an incident as clients know it.
func (a *API) show(i incident.Incident, c incident.Counts) ref {
	d := incident.Detail{Incident: i}
	changedAt, changedBy := i.OpenedAt, a.serviceRef(i.Service)
	acks := []any{}
	if i.AcknowledgedAt != nil && i.Status == incident.Acknowledged {
		acks = append(acks, ref{"at": rfc(*i.AcknowledgedAt), "acknowledger": a.agentRef(i.AcknowledgedBy)})
		changedAt, changedBy = *i.AcknowledgedAt, a.agentRef(i.AcknowledgedBy)
	}
	if i.ResolvedAt != nil {
		changedAt, changedBy = *i.ResolvedAt, a.agentRef(i.ResolvedBy)
	}
	assignments := []any{}
	if i.Open() {
		for _, u := range a.userRefs(i.Board.Assigned) {
			assignments = append(assignments, ref{"at": rfc(i.OpenedAt), "assignee": u})
		}
	}
	pending := []any{}
	switch {
	case i.SnoozedUntil != nil:
		pending = append(pending, ref{"type": "unacknowledge", "at": rfc(*i.SnoozedUntil)})
	case i.NextStep != nil && i.NextStep.At != nil:
		pending = append(pending, ref{"type": "escalate", "at": rfc(*i.NextStep.At)})
	}
	responders := []any{}
	for _, r := range i.Board.Responders {
		responders = append(responders, ref{"state": r.State, "user": a.userRef(r.Person), "incident": ref{"id": i.ID, "type": "incident_reference"},
			"updated_at": rfc(r.At), "message": r.Message, "requester": a.agentRef(r.RequestedBy), "requested_at": rfc(r.At)})
	}
	var body any
	if i.Board.Details != "" {
		body = ref{"type": "incident_body", "details": i.Board.Details}
	}
	return ref{"id": i.ID, "type": "incident", "summary": "[#" + strconv.FormatInt(i.Number, 10) + "] " + i.Title, "self": a.self("incidents", i.ID), "html_url": a.page(i.ID),
		"incident_number": i.Number, "title": i.Title, "description": i.Title, "created_at": rfc(i.OpenedAt), "updated_at": rfc(i.UpdatedAt),
		"resolved_at": rfcOrNil(i.ResolvedAt), "status": string(i.Status), "incident_key": a.incidentKey(d), "service": a.serviceRef(i.Service),
		"assignments": assignments, "assigned_via": "escalation_policy", "acknowledgements": acks, "last_status_change_at": rfc(changedAt), "last_status_change_by": changedBy,
		"escalation_policy": a.policyRef(i.Policy), "teams": a.teamRefs(i.Service), "priority": a.priorityRef(i.Priority), "urgency": i.Urgency,
		"pending_actions": pending, "resolve_reason": a.resolveReason(i.MergedInto), "is_mergeable": i.Open(), "conference_bridge": bridge(i.Board.Conference),
		"alert_counts": ref{"triggered": c.Firing, "resolved": c.Resolved, "all": c.Firing + c.Resolved}, "incidents_responders": responders,
		"responder_requests": []any{}, "body": body,
		"first_trigger_log_entry": ref{"id": i.ID + ".1", "type": "trigger_log_entry_reference", "summary": i.Title, "self": a.self("log_entries", i.ID+".1"), "html_url": nil}}
}

func (a *API) showOne(r request, i incident.Incident) (any, error) {
	counts, err := a.Incidents.AlertCounts(r.Context(), []string{i.ID})
	return ref{"incident": a.show(i, counts[i.ID])}, err
}

func (a *API) showAll(r request, list []incident.Incident) ([]any, error) {
	ids := make([]string, len(list))
	for n, i := range list {
		ids[n] = i.ID
	}
	counts, err := a.Incidents.AlertCounts(r.Context(), ids)
	out := []any{}
	for _, i := range list {
		out = append(out, a.show(i, counts[i.ID]))
	}
	return out, err
}

func (a *API) listIncidents(r request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	f := incident.Search{Statuses: r.values("statuses"), Urgencies: r.values("urgencies"), Key: q.Get("incident_key"), Limit: p.limit + 1, Offset: p.offset,
		OldestFirst: strings.HasSuffix(q.Get("sort_by"), ":asc") || q.Get("sort_by") == "" && q.Get("date_range") == ""}
	for _, s := range f.Statuses {
		if !slices.Contains([]string{"triggered", "acknowledged", "resolved"}, s) {
			return nil, problem.New(problem.Invalid, "%q is not a status", clip(s, 50)).WithField("statuses[]").WithMend("use triggered, acknowledged or resolved")
		}
	}
	for _, id := range r.values("service_ids") {
		f.Services = append(f.Services, a.serviceName(id))
	}
	for _, id := range r.values("team_ids") {
		found := false
		for _, s := range a.Catalog.Current().Services {
			if s.Team != "" && a.teamID(s.Team) == id {
				f.Services, found = append(f.Services, s.Name), true
			}
		}
		if !found {
			f.Services = append(f.Services, "\x00") // a team without services has no incidents
		}
	}
	for _, id := range r.values("user_ids") {
		f.People = append(f.People, a.userName(id))
	}
	if q.Get("date_range") != "all" {
		if f.Since, err = r.time("since"); err != nil {
			return nil, err
		}
		if f.Until, err = r.time("until"); err != nil {
			return nil, err
		}
		if f.Until.IsZero() && !f.Since.IsZero() {
			f.Until = time.Now()
		}
	}
	found, total, err := a.Incidents.Find(r.Context(), f, p.total)
	if err != nil {
		return nil, err
	}
	more := len(found) > p.limit
	items, err := a.showAll(r, found[:min(len(found), p.limit)])
	return p.listing("incidents", items, more, total), err
}

func (a *API) getIncident(r request) (any, error) {
	i, err := a.Incidents.Lookup(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return a.showOne(r, i)
}

// incidentBody is what clients say of an incident.
type incidentBody struct {
	ID               string                    `json:"id"`
	Title            *string                   `json:"title"`
	Status           string                    `json:"status"`
	Service          *given                    `json:"service"`
	Priority         *given                    `json:"priority"`
	Urgency          *string                   `json:"urgency"`
	IncidentKey      string                    `json:"incident_key"`
	Body             *struct{ Details string } `json:"body"`
	EscalationPolicy *given                    `json:"escalation_policy"`
	EscalationLevel  int                       `json:"escalation_level"`
	Resolution       string                    `json:"resolution"`
	Assignments      []struct {
		Assignee given `json:"assignee"`
	} `json:"assignments"`
	ConferenceBridge *struct {
		URL    string `json:"conference_url"`
		Number string `json:"conference_number"`
	} `json:"conference_bridge"`
}

// people are those the body assigns the incident to.
func (b incidentBody) people(a *API) (names []string) {
	for _, as := range b.Assignments {
		names = append(names, a.userName(as.Assignee.ID))
	}
	return names
}

func (b incidentBody) conference() *incident.Conference {
	if b.ConferenceBridge == nil {
		return nil
	}
	return &incident.Conference{URL: b.ConferenceBridge.URL, Number: b.ConferenceBridge.Number}
}

func (a *API) createIncident(r request) (any, error) {
	var in struct {
		Incident *incidentBody `json:"incident"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	b := in.Incident
	switch {
	case b == nil:
		return nil, problem.New(problem.Invalid, "there is no incident in the body").WithField("incident")
	case b.Title == nil || strings.TrimSpace(*b.Title) == "":
		return nil, problem.New(problem.Invalid, "it cannot be empty").WithField("incident.title")
	case b.Service.id() == "":
		return nil, problem.New(problem.Invalid, "it cannot be empty").WithField("incident.service")
	}
	n := incident.NewIncident{Service: a.serviceName(b.Service.ID), Title: *b.Title, Key: b.IncidentKey, People: b.people(a), Conference: b.conference()}
	if b.EscalationPolicy.id() != "" {
		n.Policy = a.policyName(b.EscalationPolicy.ID)
	}
	if b.Priority.id() != "" {
		n.Priority = a.priorityName(b.Priority.ID)
	}
	if b.Urgency != nil {
		n.Urgency = *b.Urgency
	}
	if b.Body != nil {
		n.Details = b.Body.Details
	}
	d, err := a.Incidents.Declare(r.Context(), n, a.actor(r))
	if err != nil {
		return nil, err
	}
	return a.showOne(r, d.Incident)
}

func (a *API) updateIncident(r request) (any, error) {
	var in struct {
		Incident *incidentBody `json:"incident"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Incident == nil {
		return nil, problem.New(problem.Invalid, "there is no incident in the body").WithField("incident")
	}
	in.Incident.ID = r.PathValue("id")
	i, err := a.change(r, *in.Incident)
	if err != nil {
		return nil, err
	}
	return a.showOne(r, i)
}

func (a *API) updateIncidents(r request) (any, error) {
	var in struct {
		Incidents []incidentBody `json:"incidents"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Incidents) == 0 || len(in.Incidents) > 250 {
		return nil, problem.New(problem.Invalid, "%d incidents are not 1 to 250", len(in.Incidents)).WithField("incidents")
	}
	for _, b := range in.Incidents { // all of them exist, or nothing happens
		if _, err := a.Incidents.Lookup(r.Context(), b.ID); err != nil {
			return nil, err
		}
	}
	changed := []incident.Incident{}
	for _, b := range in.Incidents {
		i, err := a.change(r, b)
		if err != nil {
			return nil, err
		}
		changed = append(changed, i)
	}
	items, err := a.showAll(r, changed)
	return ref{"incidents": items, "limit": len(items), "offset": 0, "more": false, "total": nil}, err
}

// change does to an incident what a client asks, one thing after the other.
func (a *API) change(r request, b incidentBody) (incident.Incident, error) {
	ctx, who := r.Context(), a.actor(r)
	d, err := a.Incidents.Get(ctx, b.ID)
	do := func(next incident.Detail, failed error) {
		if err == nil {
			d, err = next, failed
		}
	}
	if err != nil {
		return d.Incident, err
	}
	e := incident.Edit{Title: b.Title, Urgency: b.Urgency, Conference: b.conference()}
	if b.Priority != nil {
		name := ""
		if b.Priority.ID != "" {
			name = a.priorityName(b.Priority.ID)
		}
		e.Priority = &name
	}
	do(a.Incidents.Edit(ctx, b.ID, who, e))
	if people := b.people(a); err == nil && len(people) > 0 {
		do(a.Incidents.Reassign(ctx, b.ID, who, people, ""))
	} else if err == nil && b.EscalationPolicy.id() != "" {
		do(a.Incidents.Reassign(ctx, b.ID, who, nil, a.policyName(b.EscalationPolicy.ID)))
	}
	if err == nil && b.EscalationLevel > 0 {
		do(a.Incidents.EscalateTo(ctx, b.ID, who, b.EscalationLevel))
	}
	if err == nil && b.Resolution != "" {
		do(a.Incidents.AddNote(ctx, b.ID, who, "Resolution: "+b.Resolution))
	}
	if err != nil {
		return d.Incident, err
	}
	switch b.Status {
	case "":
	case "acknowledged":
		if !d.Open() {
			return d.Incident, problem.New(problem.Conflict, "Incident Already Resolved")
		}
		do(a.Incidents.Acknowledge(ctx, b.ID, who))
	case "resolved":
		do(a.Incidents.Resolve(ctx, b.ID, who))
	case "triggered":
		if d.Open() {
			do(a.Incidents.Unacknowledge(ctx, b.ID, who))
		} else {
			do(a.Incidents.Reopen(ctx, b.ID, who))
		}
	default:
		return d.Incident, problem.New(problem.Invalid, "%q is not a status", clip(b.Status, 50)).WithField("status").WithMend("use triggered, acknowledged or resolved")
	}
	return d.Incident, err
}

func (a *API) mergeIncidents(r request) (any, error) {
	var in struct {
		Sources []given `json:"source_incidents"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Sources) == 0 {
		return nil, problem.New(problem.Invalid, "it names no incident").WithField("source_incidents")
	}
	ids := []string{}
	for _, s := range in.Sources {
		ids = append(ids, s.ID)
	}
	d, err := a.Incidents.Merge(r.Context(), r.PathValue("id"), a.actor(r), ids)
	if err != nil {
		return nil, err
	}
	return a.showOne(r, d.Incident)
}

func (a *API) snooze(r request) (any, error) {
	var in struct {
		Duration int64 `json:"duration"` // seconds
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	d, err := a.Incidents.Snooze(r.Context(), r.PathValue("id"), a.actor(r), time.Duration(min(max(in.Duration, 0), 1<<30))*time.Second)
	if err != nil {
		return nil, err
	}
	return a.showOne(r, d.Incident)
}

func (a *API) note(l incident.LogLine) ref {
	return ref{"id": lineID(l), "user": a.agentRef(l.Actor), "channel": ref{"summary": "The PagerDuty website or APIs"}, "content": l.Text, "created_at": rfc(l.Time)}
}

func (a *API) listNotes(r request) (any, error) {
	i, err := a.Incidents.Lookup(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	lines, _, err := a.Incidents.Lines(r.Context(), incident.LogFilter{Incident: i.ID, Limit: 2000})
	notes := []any{}
	for _, l := range lines {
		if l.Action == "note" {
			notes = append(notes, a.note(l))
		}
	}
	return ref{"notes": notes}, err
}

func (a *API) addNote(r request) (any, error) {
	var in struct {
		Note struct {
			Content string `json:"content"`
		} `json:"note"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	d, err := a.Incidents.AddNote(r.Context(), r.PathValue("id"), a.actor(r), in.Note.Content)
	if err != nil {
		return nil, err
	}
	at := len(d.Log) - 1
	for at > 0 && d.Log[at].Action != "note" {
		at--
	}
	return ref{"note": a.note(incident.LogLine{IncidentID: d.ID, Seq: int64(d.EarlierLog + at + 1), LogEntry: d.Log[at]})}, nil
}

// showAlert is an alert as clients know it.
func (a *API) showAlert(d incident.Incident, rec incident.Record) ref {
	details := rec.Fields.Details
	if details == nil {
		details = map[string]any{}
	}
	contexts := []any{}
	for _, l := range rec.Fields.Links {
		contexts = append(contexts, ref{"type": "link", "href": l.Href, "text": l.Text})
	}
	for _, i := range rec.Fields.Images {
		contexts = append(contexts, ref{"type": "image", "src": i.Src, "href": i.Href, "alt": i.Alt})
	}
	body := ref{"type": "alert_body", "details": details, "contexts": contexts, "cef_details": ref{"severity": rec.Severity, "summary": rec.Title,
		"source_origin": rec.Fields.Origin, "source_component": rec.Fields.Component, "service_group": rec.Fields.Group, "event_class": rec.Fields.Class,
		"dedup_key": rec.DedupKey, "message": rec.Title, "details": details, "client": rec.Fields.Client, "client_url": rec.Fields.ClientURL, "annotation": rec.Fields.Annotation}}
	return ref{"id": rec.ID, "type": "alert", "summary": rec.Title, "self": a.self("incidents", d.ID+"/alerts/"+rec.ID), "html_url": a.page(d.ID), "created_at": rfc(rec.CreatedAt),
		"status": rec.Status, "alert_key": rec.DedupKey, "service": a.serviceRef(d.Service), "severity": rec.Severity, "suppressed": rec.Suppressed != "",
		"incident": ref{"id": d.ID, "type": "incident_reference", "summary": d.Title, "self": a.self("incidents", d.ID), "html_url": a.page(d.ID)}, "body": body,
		"integration": ref{"id": rec.Source, "type": "events_api_v2_inbound_integration_reference", "summary": rec.Source}}
}

func (a *API) listAlerts(r request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	i, err := a.Incidents.Lookup(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	records, total, err := a.Incidents.FindAlerts(r.Context(), i, incident.AlertFilter{Statuses: r.values("statuses"), Limit: p.limit, Offset: p.offset})
	items := []any{}
	for _, rec := range records {
		items = append(items, a.showAlert(i, rec))
	}
	return p.listing("alerts", items, p.offset+len(items) < total, total), err
}

// alert finds an alert of the incident of a call.
func (a *API) alert(r request, id string) (ref, error) {
	i, err := a.Incidents.Lookup(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	records, _, err := a.Incidents.FindAlerts(r.Context(), i, incident.AlertFilter{Alert: clip(id, 300), Limit: 1})
	if err == nil && len(records) == 0 {
		err = problem.New(problem.NotFound, "the incident has no alert %q", clip(id, 100))
	}
	if err != nil {
		return nil, err
	}
	return a.showAlert(i, records[0]), nil
}

func (a *API) getAlert(r request) (any, error) {
	found, err := a.alert(r, r.PathValue("alert"))
	return ref{"alert": found}, err
}

// mostAlerts is how many alerts one call changes.
const mostAlerts = 1000

// alertBody is what clients say of an alert.
type alertBody struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Incident *given `json:"incident"`
}

func (a *API) changeAlert(r request, b alertBody) error {
	id := r.PathValue("id")
	if b.Incident.id() != "" && b.Incident.ID != id {
		_, err := a.Incidents.MoveAlert(r.Context(), id, a.actor(r), b.ID, b.Incident.ID)
		return err
	}
	switch b.Status {
	case "", "triggered":
		return nil
	case "resolved":
		_, err := a.Incidents.ResolveAlert(r.Context(), id, b.ID)
		return err
	}
	return problem.New(problem.Invalid, "%q is not a status of an alert", clip(b.Status, 50)).WithField("status").WithMend("use resolved")
}

func (a *API) updateAlerts(r request) (any, error) {
	var in struct {
		Alerts []alertBody `json:"alerts"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Alerts) > mostAlerts {
		return nil, problem.New(problem.Invalid, "%d alerts are more than %d", len(in.Alerts), mostAlerts).WithField("alerts")
	}
	for _, b := range in.Alerts { // all of them exist, or nothing happens
		if _, err := a.alert(r, b.ID); err != nil {
			return nil, err
		}
	}
	items := []any{}
	for _, b := range in.Alerts {
		if err := a.changeAlert(r, b); err != nil {
			return nil, err
		}
		if b.Incident.id() != "" && b.Incident.ID != r.PathValue("id") {
			continue // it is part of another now
		}
		changed, err := a.alert(r, b.ID)
		if err != nil {
			return nil, err
		}
		items = append(items, changed)
	}
	return ref{"alerts": items, "limit": len(items), "offset": 0, "more": false, "total": nil}, nil
}

func (a *API) updateAlert(r request) (any, error) {
	var in struct {
		Alert alertBody `json:"alert"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	in.Alert.ID = r.PathValue("alert")
	if _, err := a.getAlert(r); err != nil {
		return nil, err
	}
	if err := a.changeAlert(r, in.Alert); err != nil {
		return nil, err
	}
	if in.Alert.Incident.id() != "" {
		r.SetPathValue("id", in.Alert.Incident.ID)
	}
	return a.getAlert(r)
}

func (a *API) requestResponders(r request) (any, error) {
	var in struct {
		Message string `json:"message"`
		Targets []struct {
			Target given `json:"responder_request_target"`
		} `json:"responder_request_targets"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	people := []string{}
	add := func(names ...string) {
		for _, n := range names {
			if !slices.Contains(people, n) {
				people = append(people, n)
			}
		}
	}
	for _, t := range in.Targets {
		if strings.HasPrefix(t.Target.Type, "escalation_policy") {
			add(a.Incidents.FirstLevel(a.policyName(t.Target.ID))...)
		} else {
			add(a.userName(t.Target.ID))
		}
	}
	if len(people) == 0 {
		return nil, problem.New(problem.Invalid, "nobody is asked").WithField("responder_request_targets").WithMend("name users or escalation policies")
	}
	d, err := a.Incidents.AskResponders(r.Context(), r.PathValue("id"), a.actor(r), people, in.Message)
	if err != nil {
		return nil, err
	}
	targets := []any{}
	for _, p := range people {
		target := ref{"id": a.userID(p), "type": "user", "summary": p, "incidents_responders": []any{ref{"state": "pending", "user": a.userRef(p),
			"incident": ref{"id": d.ID, "type": "incident_reference"}, "updated_at": rfc(d.UpdatedAt), "message": in.Message, "requester": a.agentRef(a.actor(r)), "requested_at": rfc(d.UpdatedAt)}}}
		targets = append(targets, ref{"responder_request_target": target})
	}
	counts, err := a.Incidents.AlertCounts(r.Context(), []string{d.ID})
	return ref{"responder_request": ref{"incident": a.show(d.Incident, counts[d.ID]), "requester": a.agentRef(a.actor(r)), "requested_at": rfc(d.UpdatedAt),
		"message": in.Message, "responder_request_targets": targets}}, err
}

func (a *API) publishUpdate(r request) (any, error) {
	var in struct {
		Message string `json:"message"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	_, u, err := a.Incidents.Publish(r.Context(), r.PathValue("id"), a.actor(r), in.Message, nil)
	if err != nil {
		return nil, err
	}
	return ref{"status_update": ref{"id": u.ID, "message": u.Text, "created_at": rfc(u.Time), "sender": a.agentRef(u.By)}}, nil
}

func lineID(l incident.LogLine) string { return l.IncidentID + "." + strconv.FormatInt(l.Seq, 10) }
