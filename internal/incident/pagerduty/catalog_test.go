package pagerduty_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	client "github.com/PagerDuty/go-pagerduty"

	"github.com/daytwo-dev/daytwo/internal/incident"
)

// An account is built from nothing by the real client: people, a team, a schedule, a policy, a service; its key then pages
// whoever is on call.
func TestCatalogThroughTheRealClient(t *testing.T) {
	r := newRig(t)
	c, ctx := r.client(), t.Context()
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	lin, err := c.CreateUserWithContext(ctx, client.User{Name: "Lin Chen", Email: "lin@example.com", Timezone: "Asia/Tokyo", JobTitle: "SRE"})
	must("user", err)
	if lin.ID == "" || lin.Name != "Lin Chen" || lin.Timezone != "Asia/Tokyo" {
		t.Errorf("user %+v", lin)
	}
	max, err := c.CreateUserWithContext(ctx, client.User{Name: "Max", Email: "max@example.com"})
	must("user", err)
	lin.JobTitle = "Lead"
	if lin, err = c.UpdateUserWithContext(ctx, *lin); err != nil || lin.JobTitle != "Lead" {
		t.Errorf("changed user %+v, %v", lin, err)
	}
	if found, err := c.ListUsersWithContext(ctx, client.ListUsersOptions{Query: "lin@"}); err != nil || len(found.Users) != 1 {
		t.Errorf("found %+v, %v", found, err)
	}
	sms, err := c.CreateUserContactMethodWithContext(ctx, lin.ID, client.ContactMethod{Type: "sms_contact_method", Label: "Phone", Address: "6502530000", CountryCode: 1})
	must("contact method", err)
	if sms.Type != "sms_contact_method" || sms.Address != "6502530000" || sms.CountryCode != 1 {
		t.Errorf("contact method %+v", sms)
	}
	rule, err := c.CreateUserNotificationRuleWithContext(ctx, lin.ID, client.NotificationRule{Type: "assignment_notification_rule", StartDelayInMinutes: 5, Urgency: "high",
		ContactMethod: client.ContactMethod{ID: sms.ID, Type: "sms_contact_method"}})
	must("notification rule", err)
	if rule.StartDelayInMinutes != 5 || rule.ContactMethod.ID != sms.ID {
		t.Errorf("rule %+v", rule)
	}
	if methods, err := c.ListUserContactMethodsWithContext(ctx, lin.ID); err != nil || len(methods.ContactMethods) != 2 { // and the e-mail
		t.Errorf("contact methods %+v, %v", methods, err)
	}
	must("notification rule removed", c.DeleteUserNotificationRuleWithContext(ctx, lin.ID, rule.ID))

	team, err := c.CreateTeamWithContext(ctx, &client.Team{Name: "Platform Team", Description: "ours"})
	must("team", err)
	must("member", c.AddUserToTeamWithContext(ctx, client.AddUserToTeamOptions{TeamID: team.ID, UserID: lin.ID, Role: "responder"}))
	if members, err := c.ListTeamMembers(ctx, team.ID, client.ListTeamMembersOptions{}); err != nil || len(members.Members) != 1 || members.Members[0].User.ID != lin.ID {
		t.Errorf("members %+v, %v", members, err)
	}

	start := time.Now().UTC().Add(-48 * time.Hour).Truncate(24 * time.Hour)
	user := func(id string) client.UserReference {
		return client.UserReference{User: client.APIObject{ID: id, Type: "user_reference"}}
	}
	wanted := client.Schedule{Name: "Primary on call", TimeZone: "Etc/UTC", ScheduleLayers: []client.ScheduleLayer{{Name: "days", Start: start.Format(time.RFC3339),
		RotationVirtualStart: start.Format(time.RFC3339), RotationTurnLengthSeconds: 86400, Users: []client.UserReference{user(lin.ID), user(max.ID)}}}}
	must("preview", c.PreviewScheduleWithContext(ctx, wanted, client.PreviewScheduleOptions{}))
	schedule, err := c.CreateScheduleWithContext(ctx, wanted)
	must("schedule", err)
	since, until := start.Add(72*time.Hour), start.Add(74*time.Hour)
	got, err := c.GetScheduleWithContext(ctx, schedule.ID, client.GetScheduleOptions{Since: since.Format(time.RFC3339), Until: until.Format(time.RFC3339)})
	must("schedule", err)
	if len(got.ScheduleLayers) != 1 || got.ScheduleLayers[0].RotationTurnLengthSeconds != 86400 || len(got.FinalSchedule.RenderedScheduleEntries) != 1 ||
		got.FinalSchedule.RenderedScheduleEntries[0].User.ID != max.ID || got.FinalSchedule.RenderedCoveragePercentage != 100 {
		t.Errorf("schedule %+v", got)
	}
	override, err := c.CreateOverrideWithContext(ctx, schedule.ID, client.Override{Start: since.Format(time.RFC3339), End: until.Format(time.RFC3339), User: client.APIObject{ID: lin.ID, Type: "user_reference"}})
	must("override", err)
	got, err = c.GetScheduleWithContext(ctx, schedule.ID, client.GetScheduleOptions{Since: since.Format(time.RFC3339), Until: until.Format(time.RFC3339)})
	if err != nil || got.FinalSchedule.RenderedScheduleEntries[0].User.ID != lin.ID {
		t.Errorf("overridden %+v, %v", got, err)
	}
	list, err := c.ListOverridesWithContext(ctx, schedule.ID, client.ListOverridesOptions{Since: since.Format(time.RFC3339), Until: until.Format(time.RFC3339)})
	if err != nil || len(list.Overrides) != 1 || list.Overrides[0].ID != override.ID {
		t.Errorf("overrides %+v, %v", list, err)
	}
	must("override ended", c.DeleteOverrideWithContext(ctx, schedule.ID, override.ID))
	if users, err := c.ListOnCallUsersWithContext(ctx, schedule.ID, client.ListOnCallUsersOptions{Since: since.Format(time.RFC3339), Until: until.Format(time.RFC3339)}); err != nil || len(users) != 1 {
		t.Errorf("on call %+v, %v", users, err)
	}

	policy, err := c.CreateEscalationPolicyWithContext(ctx, client.EscalationPolicy{Name: "Platform policy", NumLoops: 2, Description: "d", EscalationRules: []client.EscalationRule{
		{Delay: 10, Targets: []client.APIObject{{ID: schedule.ID, Type: "schedule_reference"}}},
		{Delay: 20, Targets: []client.APIObject{{ID: max.ID, Type: "user_reference"}, {ID: lin.ID, Type: "user_reference"}}}}})
	must("policy", err)
	if len(policy.EscalationRules) != 2 || policy.EscalationRules[0].Delay != 10 || policy.EscalationRules[0].Targets[0].ID != schedule.ID || policy.NumLoops != 2 {
		t.Errorf("policy %+v", policy)
	}
	added, err := c.CreateEscalationRuleWithContext(ctx, policy.ID, client.EscalationRule{Delay: 7, Targets: []client.APIObject{{ID: lin.ID, Type: "user_reference"}}})
	if err != nil || added.Delay == 0 {
		t.Errorf("rule %+v, %v", added, err)
	}
	must("rule removed", c.DeleteEscalationRuleWithContext(ctx, policy.ID, added.ID))

	minutes := uint(1800)
	service, err := c.CreateServiceWithContext(ctx, client.Service{Name: "Web Shop", Description: "sells", AcknowledgementTimeout: &minutes,
		EscalationPolicy:    client.EscalationPolicy{APIObject: client.APIObject{ID: policy.ID, Type: "escalation_policy_reference"}},
		IncidentUrgencyRule: &client.IncidentUrgencyRule{Type: "constant", Urgency: "severity_based"}, AlertCreation: "create_alerts_and_incidents"})
	must("service", err)
	if service.EscalationPolicy.ID != policy.ID || *service.AcknowledgementTimeout != 1800 || service.IncidentUrgencyRule.Urgency != "severity_based" {
		t.Errorf("service %+v", service)
	}
	integration, err := c.CreateIntegrationWithContext(ctx, service.ID, client.Integration{Name: "Events", APIObject: client.APIObject{Type: "events_api_v2_inbound_integration"}})
	must("integration", err)
	if len(integration.IntegrationKey) != 32 {
		t.Errorf("integration %+v", integration)
	}
	_, err = c.ManageEventWithContext(ctx, &client.V2Event{RoutingKey: integration.IntegrationKey, Action: "trigger", Payload: &client.V2Payload{Summary: "slow", Source: "x", Severity: "warning"}})
	must("event", err)
	now, err := c.ListOnCallsWithContext(ctx, client.ListOnCallOptions{EscalationPolicyIDs: []string{policy.ID}})
	if err != nil || len(now.OnCalls) != 3 || now.OnCalls[0].Schedule.ID != schedule.ID || now.OnCalls[0].EscalationLevel != 1 {
		t.Fatalf("on calls %+v, %v", now, err)
	}
	eventually(t, "assigned to whoever is on call", func() bool {
		found, err := c.ListIncidentsWithContext(ctx, client.ListIncidentsOptions{ServiceIDs: []string{service.ID}})
		return err == nil && len(found.Incidents) == 1 && found.Incidents[0].Urgency == "low" && len(found.Incidents[0].Assignments) == 1 &&
			found.Incidents[0].Assignments[0].Assignee.ID == now.OnCalls[0].User.ID
	})

	var refused client.APIError
	if err := c.DeleteEscalationPolicyWithContext(ctx, policy.ID); !errors.As(err, &refused) || !strings.Contains(err.Error(), "used by") {
		t.Errorf("a policy in use was removed: %v", err)
	}
	if _, err := c.UpdateTeamWithContext(ctx, "payments", &client.Team{Name: "payments", Description: "x"}); err == nil || !strings.Contains(err.Error(), "daytwo.yml") {
		t.Errorf("a team of the file was changed: %v", err)
	}
	if all, err := c.ListPrioritiesWithContext(ctx, client.ListPrioritiesOptions{}); err != nil || len(all.Priorities) != 2 {
		t.Errorf("priorities %+v, %v", all, err)
	}
}

func TestMaintenanceThroughTheRealClient(t *testing.T) {
	r := newRig(t)
	c, ctx := r.client(), t.Context()
	services, err := c.ListServicesWithContext(ctx, client.ListServiceOptions{Query: "checkout"})
	if err != nil || len(services.Services) != 1 {
		t.Fatalf("services %+v, %v", services, err)
	}
	now := time.Now().UTC()
	window, err := c.CreateMaintenanceWindowWithContext(ctx, "ada@example.com", client.MaintenanceWindow{StartTime: now.Add(-time.Minute).Format(time.RFC3339),
		EndTime: now.Add(time.Hour).Format(time.RFC3339), Description: "moving", Services: []client.APIObject{{ID: services.Services[0].ID, Type: "service_reference"}}})
	if err != nil || window.Description != "moving" || window.CreatedBy == nil || window.CreatedBy.Summary != "Ada Lovelace" {
		t.Fatalf("window %+v, %v", window, err)
	}
	if _, err := c.ManageEventWithContext(ctx, &client.V2Event{RoutingKey: key, Action: "trigger", DedupKey: "m", Payload: &client.V2Payload{Summary: "down", Source: "x", Severity: "critical"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "suppressed, with the reason", func() bool {
		list, _, err := r.ListRecords(ctx, incident.RecordFilter{Suppressed: true, Limit: 10})
		return err == nil && len(list) == 1 && strings.Contains(list[0].Suppressed, "moving") && list[0].Ends == "page"
	})
	if len(r.incidents(t)) != 0 {
		t.Error("an incident was opened during maintenance")
	}
	window.Description = "still moving"
	if window, err = c.UpdateMaintenanceWindowWithContext(ctx, *window); err != nil || window.Description != "still moving" {
		t.Errorf("changed %+v, %v", window, err)
	}
	if open, err := c.ListMaintenanceWindowsWithContext(ctx, client.ListMaintenanceWindowsOptions{Filter: "open"}); err != nil || len(open.MaintenanceWindows) != 1 {
		t.Errorf("open windows %+v, %v", open, err)
	}
	if err := c.DeleteMaintenanceWindowWithContext(ctx, window.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it pages when the maintenance ends", func() bool { return len(r.incidents(t)) == 1 })
}
