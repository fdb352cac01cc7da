package pagerduty_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/PagerDuty/go-pagerduty"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/incident/pagerduty"
)

func (r *rig) client() *client.Client {
	return client.NewClient("secret", client.WithAPIEndpoint(r.url+"/pagerduty"), client.WithV2EventsAPIEndpoint(r.url+"/pagerduty"))
}

func create(t *testing.T, c *client.Client, title string, change ...func(*client.CreateIncidentOptions)) *client.Incident {
	t.Helper()
	o := &client.CreateIncidentOptions{Title: title, Service: &client.APIReference{ID: "checkout", Type: "service_reference"}}
	for _, f := range change {
		f(o)
	}
	i, err := c.CreateIncidentWithContext(t.Context(), "ada@example.com", o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestIncidentsThroughTheRealClient(t *testing.T) {
	r := newRig(t)
	c, ctx := r.client(), t.Context()
	i := create(t, c, "Payments time out", func(o *client.CreateIncidentOptions) {
		o.IncidentKey, o.Urgency, o.Body = "pay-1", "low", &client.APIDetails{Type: "incident_body", Details: "Since noon"}
		o.Priority = &client.APIReference{ID: "P2", Type: "priority_reference"}
		o.ConferenceBridge = &client.ConferenceBridge{ConferenceURL: "https://meet.example/1", ConferenceNumber: "+1 555,,12#"}
	})
	if i.ID == "" || i.IncidentNumber != 1 || i.Status != "triggered" || i.Urgency != "low" || i.IncidentKey != "pay-1" || i.Service.Summary != "checkout" ||
		i.EscalationPolicy.Summary != "payments" || i.Priority.Name != "P2" || i.Body.Details != "Since noon" || i.ConferenceBridge.ConferenceURL != "https://meet.example/1" {
		t.Errorf("created %+v", i)
	}
	_, err := c.CreateIncidentWithContext(ctx, "ada@example.com", &client.CreateIncidentOptions{Title: "again", IncidentKey: "pay-1", Service: &client.APIReference{ID: "checkout"}})
	var wrong client.APIError
	if !errors.As(err, &wrong) || wrong.StatusCode != 400 || !strings.Contains(err.Error(), "pay-1") {
		t.Errorf("the same key again: %v", err)
	}
	second := create(t, c, "Slow") // one service may have several
	eventually(t, "assigned to ada", func() bool {
		got, err := c.GetIncidentWithContext(ctx, i.ID)
		return err == nil && len(got.Assignments) == 1 && got.Assignments[0].Assignee.Summary == "Ada Lovelace"
	})

	list, err := c.ListIncidentsWithContext(ctx, client.ListIncidentsOptions{Limit: 1, Total: true, Statuses: []string{"triggered"}, ServiceIDs: []string{"checkout"}})
	if err != nil || len(list.Incidents) != 1 || !list.More || list.Total != 2 || list.Limit != 1 {
		t.Errorf("list %+v, %v", list, err)
	}
	for name, o := range map[string]client.ListIncidentsOptions{"key": {IncidentKey: "pay-1"}, "urgency": {Urgencies: []string{"low"}}} {
		if list, err := c.ListIncidentsWithContext(ctx, o); err != nil || len(list.Incidents) != 1 || list.Incidents[0].ID != i.ID {
			t.Errorf("by %s: %+v, %v", name, list, err)
		}
	}
	if list, err := c.ListIncidentsWithContext(ctx, client.ListIncidentsOptions{UserIDs: []string{"ada"}}); err != nil || len(list.Incidents) == 0 {
		t.Errorf("by user: %+v, %v", list, err)
	}

	changed, err := c.ManageIncidentsWithContext(ctx, "grace@example.com", []client.ManageIncidentsOptions{{ID: i.ID, Status: "acknowledged", Title: "Payments hang"}, {ID: second.ID, Status: "acknowledged"}})
	if err != nil || len(changed.Incidents) != 2 || changed.Incidents[0].Status != "acknowledged" || changed.Incidents[0].Title != "Payments hang" ||
		changed.Incidents[0].Acknowledgements[0].Acknowledger.Summary != "grace" {
		t.Fatalf("changed %+v, %v", changed, err)
	}
	snoozed, err := c.SnoozeIncidentWithContext(ctx, i.ID, 3600)
	if err != nil || len(snoozed.PendingActions) != 1 || snoozed.PendingActions[0].Type != "unacknowledge" {
		t.Errorf("snoozed %+v, %v", snoozed, err)
	}
	note, err := c.CreateIncidentNoteWithContext(ctx, i.ID, client.IncidentNote{Content: "looking"})
	if err != nil || note.Content != "looking" || note.ID == "" {
		t.Errorf("note %+v, %v", note, err)
	}
	if notes, err := c.ListIncidentNotesWithContext(ctx, i.ID); err != nil || len(notes) != 1 || notes[0].ID != note.ID {
		t.Errorf("notes %+v, %v", notes, err)
	}
	update, err := c.CreateIncidentStatusUpdate(ctx, i.ID, "ada@example.com", "We are on it")
	if err != nil || update.Message != "We are on it" || update.Sender.Summary != "Ada Lovelace" {
		t.Errorf("status update %+v, %v", update, err)
	}
	asked, err := c.ResponderRequestWithContext(ctx, i.ID, client.ResponderRequestOptions{From: "ada@example.com", Message: "help", RequesterID: "ada",
		Targets: []client.ResponderRequestTargetWrapper{{Target: client.ResponderRequestTarget{APIObject: client.APIObject{ID: "grace", Type: "user_reference"}}}}})
	if err != nil || asked.ResponderRequest.Message != "help" || len(asked.ResponderRequest.Targets) != 1 {
		t.Errorf("responders %+v, %v", asked, err)
	}
	reassigned, err := c.ManageIncidentsWithContext(ctx, "ada@example.com", []client.ManageIncidentsOptions{{ID: i.ID,
		Assignments: []client.Assignee{{Assignee: client.APIObject{ID: "grace", Type: "user_reference"}}}}})
	if err != nil || reassigned.Incidents[0].Status != "triggered" || reassigned.Incidents[0].Assignments[0].Assignee.Summary != "grace" {
		t.Errorf("reassigned %+v, %v", reassigned, err)
	}
	merged, err := c.MergeIncidentsWithContext(ctx, "ada@example.com", i.ID, []client.MergeIncidentsOptions{{ID: second.ID, Type: "incident_reference"}})
	if err != nil || merged.ID != i.ID {
		t.Errorf("merged %+v, %v", merged, err)
	}
	if gone, err := c.GetIncidentWithContext(ctx, second.ID); err != nil || gone.Status != "resolved" || gone.ResolveReason.Type != "merge_resolve_reason" || gone.ResolveReason.Incident.ID != i.ID {
		t.Errorf("the merged one %+v, %v", gone, err)
	}
	logged, err := c.ListIncidentLogEntriesWithContext(ctx, i.ID, client.ListIncidentLogEntriesOptions{Limit: 100})
	if err != nil || len(logged.LogEntries) < 8 {
		t.Fatalf("log %+v, %v", logged, err)
	}
	kinds := []string{}
	for _, l := range logged.LogEntries {
		kinds = append(kinds, l.Type)
	}
	for _, want := range []string{"trigger_log_entry", "acknowledge_log_entry", "snooze_log_entry", "annotate_log_entry", "status_update_log_entry", "assign_log_entry", "merge_log_entry"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no %s among %q", want, kinds)
		}
	}
	one, err := c.GetLogEntryWithContext(ctx, logged.LogEntries[0].ID, client.GetLogEntryOptions{})
	if err != nil || one.ID != logged.LogEntries[0].ID {
		t.Errorf("log entry %+v, %v", one, err)
	}
	if all, err := c.ListLogEntriesWithContext(ctx, client.ListLogEntriesOptions{Limit: 5}); err != nil || len(all.LogEntries) != 5 || !all.More {
		t.Errorf("all logs %+v, %v", all, err)
	}
	resolved, err := c.ManageIncidentsWithContext(ctx, "ada@example.com", []client.ManageIncidentsOptions{{ID: i.ID, Status: "resolved", Resolution: "restarted"}})
	if err != nil || resolved.Incidents[0].Status != "resolved" || resolved.Incidents[0].ResolvedAt == "" {
		t.Errorf("resolved %+v, %v", resolved, err)
	}
	if _, err := c.ManageIncidentsWithContext(ctx, "ada@example.com", []client.ManageIncidentsOptions{{ID: i.ID, Status: "acknowledged"}}); err == nil {
		t.Error("a resolved incident was acknowledged")
	}
}

func TestAlertsThroughTheRealClient(t *testing.T) {
	r := newRig(t)
	c, ctx := r.client(), t.Context()
	for _, dedup := range []string{"a", "b", "c"} {
		event := &client.V2Event{RoutingKey: key, Action: "trigger", DedupKey: dedup, Payload: &client.V2Payload{Summary: "Alert " + dedup, Source: "x", Severity: "error", Details: map[string]any{"n": 1}}}
		if _, err := c.ManageEventWithContext(ctx, event); err != nil {
			t.Fatal(err)
		}
	}
	var i client.Incident
	eventually(t, "one incident with three alerts", func() bool {
		list, err := c.ListIncidentsWithContext(ctx, client.ListIncidentsOptions{})
		if err != nil || len(list.Incidents) != 1 {
			return false
		}
		i = list.Incidents[0]
		return i.AlertCounts.All == 3
	})
	alerts, err := c.ListIncidentAlertsWithContext(ctx, i.ID, client.ListIncidentAlertsOptions{})
	if err != nil || len(alerts.Alerts) != 3 {
		t.Fatalf("alerts %+v, %v", alerts, err)
	}
	a := alerts.Alerts[0]
	if a.AlertKey == "" || a.Severity != "error" || a.Status != "triggered" || a.Incident.ID != i.ID || a.Body["type"] != "alert_body" {
		t.Errorf("alert %+v", a)
	}
	if got, err := c.GetIncidentAlertWithContext(ctx, i.ID, a.ID); err != nil || got.IncidentAlert == nil || got.IncidentAlert.ID != a.ID {
		t.Errorf("alert %+v, %v", got, err)
	}
	changed, err := c.ManageIncidentAlerts(ctx, i.ID, "ada@example.com", &client.IncidentAlertList{Alerts: []client.IncidentAlert{{APIObject: client.APIObject{ID: a.ID}, Status: "resolved"}}})
	if err != nil || len(changed.Alerts) != 1 || changed.Alerts[0].Status != "resolved" {
		t.Errorf("changed %+v, %v", changed, err)
	}
	if list, err := c.ListIncidentsWithContext(ctx, client.ListIncidentsOptions{IncidentKey: "b"}); err != nil || len(list.Incidents) != 1 {
		t.Errorf("by the key of an alert: %+v, %v", list, err)
	}
}

func TestWhoMayAndWhatIsMissing(t *testing.T) {
	r := newRig(t)
	anonymous := client.NewClient("wrong", client.WithAPIEndpoint(r.url+"/pagerduty"))
	var wrong client.APIError
	if _, err := anonymous.ListIncidentsWithContext(t.Context(), client.ListIncidentsOptions{}); !errors.As(err, &wrong) || wrong.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %v", err)
	}
	c := r.client()
	for name, call := range map[string]func() error{
		"incident": func() error { _, err := c.GetIncidentWithContext(t.Context(), "nope"); return err },
		"service": func() error {
			_, err := c.GetServiceWithContext(t.Context(), "nope", &client.GetServiceOptions{})
			return err
		},
		"user": func() error {
			_, err := c.GetUserWithContext(t.Context(), "nope", client.GetUserOptions{})
			return err
		},
		"ability": func() error { return c.TestAbilityWithContext(t.Context(), "nope") },
	} {
		if err := call(); !errors.As(err, &wrong) || !wrong.NotFound() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, err := c.ListAbilitiesWithContext(t.Context()); err != nil || !slices.Contains(all.Abilities, "teams") {
		t.Errorf("abilities %+v, %v", all, err)
	}
}

func TestWebhooksV3(t *testing.T) {
	r := newRig(t)
	hook := newHook(t)
	_, answer := r.call(t, "POST", "/webhook_subscriptions", `{"webhook_subscription":{"type":"webhook_subscription","description":"ours",
		"events":["incident.triggered","incident.acknowledged","incident.annotated","incident.resolved"],"filter":{"type":"service_reference","id":"checkout"},
		"delivery_method":{"type":"http_delivery_method","url":"`+hook.url+`","custom_headers":[{"name":"X-Team","value":"pay"}]}}}`)
	sub := answer["webhook_subscription"].(map[string]any)
	hook.secret = sub["delivery_method"].(map[string]any)["secret"].(string)
	hook.fail(2) // the first two attempts are answered with 503
	i := create(t, r.client(), "Down")
	for _, do := range []func() (incident.Detail, error){
		func() (incident.Detail, error) { return r.Acknowledge(t.Context(), i.ID, "ada") },
		func() (incident.Detail, error) { return r.AddNote(t.Context(), i.ID, "ada", "hm") },
		func() (incident.Detail, error) { return r.Resolve(t.Context(), i.ID, "ada") },
	} {
		if _, err := do(); err != nil {
			t.Fatal(err)
		}
	}
	create(t, r.client(), "Elsewhere", func(o *client.CreateIncidentOptions) { o.Service.ID = "reports" }) // filtered out
	eventually(t, "four events in order", func() bool {
		r.hurry(t)
		return slices.Equal(hook.types(), []string{"incident.triggered", "incident.acknowledged", "incident.annotated", "incident.resolved"})
	})
	got := hook.all()
	if got[0].header.Get("X-Team") != "pay" || got[0].header.Get("X-Webhook-Id") == "" || got[0].event["data"].(map[string]any)["id"] != i.ID {
		t.Errorf("event %+v", got[0])
	}
	var deliveries []pagerduty.Delivery
	eventually(t, "four deliveries on record, the first after three attempts", func() bool {
		var err error
		deliveries, err = r.api.Deliveries(t.Context(), sub["id"].(string), "delivered", 0, 10)
		return err == nil && len(deliveries) == 4 && deliveries[3].Attempts >= 3
	})
	if _, err := r.api.Replay(t.Context(), deliveries[3].ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it comes again under its id", func() bool {
		all := hook.all()
		return len(all) == 5 && all[4].event["id"] == got[0].event["id"]
	})

	hook.refuse(true)
	for _, title := range []string{"1", "2", "3", "4"} {
		create(t, r.client(), title)
	}
	eventually(t, "disabled after three refusals", func() bool {
		s, err := r.api.Subscription(t.Context(), sub["id"].(string))
		return err == nil && s.DisabledUntil.After(time.Now()) && strings.Contains(s.DisabledFor, "refused 3 events")
	})
	hook.refuse(false)
	if status, _ := r.call(t, "POST", "/webhook_subscriptions/"+sub["id"].(string)+"/enable", `{}`); status != 201 && status != 200 {
		t.Errorf("enable answers %d", status)
	}
	if status, _ := r.call(t, "POST", "/webhook_subscriptions/"+sub["id"].(string)+"/ping", ``); status != 204 {
		t.Errorf("ping answers %d", status)
	}
	eventually(t, "the ping", func() bool { return slices.Contains(hook.types(), "pagey.ping") })
	for body, says := range map[string]string{`{}`: "no subscription", `{"webhook_subscription":{"delivery_method":{"url":"ftp://x"},"events":["incident.triggered"]}}`: "URL",
		`{"webhook_subscription":{"delivery_method":{"url":"http://x"},"events":["incident.exploded"]}}`: "exploded"} {
		if status, answer := r.call(t, "POST", "/webhook_subscriptions", body); status != 400 || !strings.Contains(answer["error"].(map[string]any)["errors"].([]any)[0].(string), says) {
			t.Errorf("%s: %d %v", body, status, answer)
		}
	}
}

// Of an incident with more alerts than its page shows, clients get all.
func TestAllOfManyAlertsAreListed(t *testing.T) {
	r := newRig(t, func(c *incident.Config) { c.EventsPerKey = 0 })
	const all = 230
	list := make([]incident.Event, all)
	for n := range list {
		list[n] = incident.Event{Key: key, Service: "checkout", Source: "events-v2", Action: "trigger", DedupKey: fmt.Sprintf("k%03d", n),
			Body: incident.EventBody{Title: fmt.Sprintf("alert %d", n), Severity: "critical"}}
	}
	if _, err := r.AcceptAll(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	c := r.client()
	var found *client.ListAlertsResponse
	eventually(t, "all alerts are there", func() bool {
		var err error
		found, err = c.ListIncidentAlertsWithContext(t.Context(), "1", client.ListIncidentAlertsOptions{Limit: 100, Offset: 200})
		return err == nil && len(found.Alerts) == all-200
	})
	if found.More || found.Offset != 200 {
		t.Errorf("%+v", found.APIListObject)
	}
	last := found.Alerts[len(found.Alerts)-1]
	got, err := c.GetIncidentAlertWithContext(t.Context(), "1", last.ID)
	if err != nil || got.IncidentAlert.AlertKey != last.AlertKey || got.IncidentAlert.Body["details"] == nil {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = c.ManageIncidentAlerts(t.Context(), "1", "ada@example.com", &client.IncidentAlertList{Alerts: []client.IncidentAlert{
		{APIObject: client.APIObject{ID: last.ID, Type: "alert"}, Status: "resolved"}}})
	if err != nil {
		t.Error(err)
	}
	done, err := c.ListIncidentAlertsWithContext(t.Context(), "1", client.ListIncidentAlertsOptions{Statuses: []string{"resolved"}})
	if err != nil || len(done.Alerts) != 1 || done.Alerts[0].ID != last.ID {
		t.Errorf("%+v, %v", done, err)
	}
}

// The total of a list is that of the whole list, on whichever page; it is told only to who asks for it.
func TestTheTotalOfLogEntriesIsThatOfAll(t *testing.T) {
	r := newRig(t)
	c := r.client()
	made := create(t, c, "orders fail")
	for n := range 4 {
		if _, err := c.CreateIncidentNoteWithContext(t.Context(), made.ID, client.IncidentNote{Content: fmt.Sprintf("note %d", n), User: client.APIObject{Summary: "ada@example.com"}}); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := c.ListLogEntriesWithContext(t.Context(), client.ListLogEntriesOptions{Limit: 100, Total: true})
	if err != nil || len(whole.LogEntries) < 5 || int(whole.Total) != len(whole.LogEntries) {
		t.Fatalf("%d of %d, %v", len(whole.LogEntries), whole.Total, err)
	}
	part, err := c.ListLogEntriesWithContext(t.Context(), client.ListLogEntriesOptions{Limit: 2, Offset: 1, Total: true})
	if err != nil || len(part.LogEntries) != 2 || part.Total != whole.Total || !part.More {
		t.Errorf("a page: %d of %d, %v", len(part.LogEntries), part.Total, err)
	}
	if quiet, err := c.ListLogEntriesWithContext(t.Context(), client.ListLogEntriesOptions{Limit: 2}); err != nil || quiet.Total != 0 {
		t.Errorf("nobody asked for the total: %d, %v", quiet.Total, err)
	}
}
