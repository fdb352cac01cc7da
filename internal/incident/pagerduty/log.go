package pagerduty

import (
	"slices"
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func (a *API) logRoutes() {
	a.read("/log_entries", func(r request) (any, error) { return a.listLog(r, "") })
	a.read("/log_entries/{id}", a.getLogEntry)
	a.read("/incidents/{id}/log_entries", func(r request) (any, error) {
		i, err := a.Incidents.Lookup(r.Context(), r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return a.listLog(r, i.ID)
	})
	a.read("/change_events", a.listChanges)
	a.read("/services/{service}/change_events", a.listChanges)
}

// logTypes are what lines of the log are called.
var logTypes = map[string]string{"opened": "trigger_log_entry", "joined": "trigger_log_entry", "refired": "trigger_log_entry", "paged": "notify_log_entry", "delivered": "notify_log_entry",
	"failed": "notify_log_entry", "escalated": "assign_log_entry", "skipped": "escalate_log_entry", "delegated": "escalate_log_entry", "reassigned": "assign_log_entry",
	"acknowledged": "acknowledge_log_entry", "unacknowledged": "unacknowledge_log_entry", "snoozed": "snooze_log_entry", "resolved": "resolve_log_entry",
	"merged": "merge_log_entry", "reopened": "reopen_log_entry", "note": "annotate_log_entry", "priority": "priority_change_log_entry", "urgency": "urgency_change_log_entry",
	"retried": "repeat_escalation_path_log_entry", "responders": "responder_request_log_entry", "update": "status_update_log_entry", "unanswered": "exhaust_escalation_path_log_entry", "unreachable": "exhaust_escalation_path_log_entry"}

func (a *API) showLine(l incident.LogLine, d incident.Incident) ref {
	kind := logTypes[l.Action]
	if kind == "" {
		kind = "field_value_change_log_entry"
	}
	id := lineID(l)
	return ref{"id": id, "type": kind, "summary": l.Text, "self": a.self("log_entries", id), "html_url": a.page(l.IncidentID), "created_at": rfc(l.Time),
		"agent": a.agentRef(l.Actor), "channel": ref{"type": "api", "summary": l.Text}, "service": a.serviceRef(d.Service), "teams": []any{}, "contexts": []any{},
		"incident":      ref{"id": l.IncidentID, "type": "incident_reference", "summary": d.Title, "self": a.self("incidents", l.IncidentID), "html_url": a.page(l.IncidentID)},
		"event_details": ref{"description": l.Text}, "assignees": []any{}}
}

func (a *API) listLog(r request, id string) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	f := incident.LogFilter{Incident: id, Limit: p.limit, Offset: p.offset}
	if f.Since, err = r.time("since"); err != nil {
		return nil, err
	}
	if f.Until, err = r.time("until"); err != nil {
		return nil, err
	}
	lines, more, err := a.Incidents.Lines(r.Context(), f)
	if err != nil {
		return nil, err
	}
	known, ids := map[string]incident.Incident{}, []string{}
	for _, l := range lines {
		if !slices.Contains(ids, l.IncidentID) {
			ids = append(ids, l.IncidentID)
		}
	}
	if len(ids) > 0 {
		found, _, err := a.Incidents.Find(r.Context(), incident.Search{IDs: ids, Limit: len(ids)}, false)
		if err != nil {
			return nil, err
		}
		for _, i := range found {
			known[i.ID] = i
		}
	}
	items := []any{}
	for _, l := range lines {
		items = append(items, a.showLine(l, known[l.IncidentID]))
	}
	total := 0
	if p.total { // else it is not told, and not counted
		if total, err = a.Incidents.CountLines(r.Context(), f); err != nil {
			return nil, err
		}
	}
	return p.listing("log_entries", items, more, total), nil
}

func (a *API) getLogEntry(r request) (any, error) {
	id := r.PathValue("id")
	of, number, _ := strings.Cut(id, ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	none := problem.New(problem.NotFound, "there is no log entry %q", clip(id, 100))
	if err != nil || seq <= 0 {
		return nil, none
	}
	lines, _, err := a.Incidents.Lines(r.Context(), incident.LogFilter{Incident: of, Seq: seq, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, none
	}
	i, err := a.Incidents.Lookup(r.Context(), of)
	return ref{"log_entry": a.showLine(lines[0], i)}, err
}

// listChanges lists the change events that came in, newest first.
func (a *API) listChanges(r request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	f := incident.EventFilter{Action: "change", Limit: p.offset + p.limit + 1}
	if id := r.PathValue("service"); id != "" {
		f.Service = a.serviceName(id)
	}
	events, err := a.Incidents.Events(r.Context(), f)
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, e := range events {
		links := []any{}
		for _, l := range e.Body.Fields.Links {
			links = append(links, ref{"href": l.Href, "text": l.Text})
		}
		at := e.Body.Time
		if at.IsZero() {
			at = e.Time
		}
		items = append(items, ref{"id": e.ID, "type": "change_event", "summary": e.Body.Title, "self": a.self("change_events", e.ID), "html_url": nil, "timestamp": rfc(at),
			"source": e.Body.Fields.Origin, "services": []any{a.serviceRef(e.Service)}, "links": links, "custom_details": e.Body.Fields.Details})
	}
	return slice(p, "change_events", items), nil
}
