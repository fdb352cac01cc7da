package incident

import (
	"context"
	"net/http"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type snoozeInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Body struct {
		For catalog.Duration `json:"for" doc:"such as 1h; at most a week"`
	}
}

type reassignInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Body struct {
		People []string `json:"people,omitempty" maxItems:"50"`
		Policy string   `json:"policy,omitempty" doc:"an escalation policy, in place of people"`
	}
}

type respondersInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Body struct {
		People  []string `json:"people" minItems:"1" maxItems:"50"`
		Message string   `json:"message,omitempty" maxLength:"5000"`
	}
}

type mergeInput struct {
	ID   string `path:"id" doc:"the incident that takes the others over, by id or number"`
	Body struct {
		Sources []string `json:"sources" minItems:"1" maxItems:"100" doc:"ids or numbers"`
	}
}

type roleInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Role string `path:"role" enum:"commander,scribe,liaison"`
	Body struct {
		Person string `json:"person,omitempty" doc:"absent: nobody has the role any more"`
	}
}

type taskInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Body struct {
		ID    string `json:"id,omitempty" doc:"absent: a new task"`
		Text  string `json:"text" minLength:"1" maxLength:"500"`
		Owner string `json:"owner,omitempty"`
		Done  bool   `json:"done,omitempty"`
	}
}

type updateInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Body struct {
		Text   string   `json:"text" minLength:"1" maxLength:"5000"`
		People []string `json:"people,omitempty" maxItems:"100" doc:"who is sent it"`
	}
}

type editInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Body struct {
		Title      *string     `json:"title,omitempty" minLength:"1" maxLength:"1024"`
		Urgency    *string     `json:"urgency,omitempty" enum:"high,low"`
		Priority   *string     `json:"priority,omitempty" maxLength:"50"`
		Conference *Conference `json:"conference,omitempty"`
	}
}

type answerInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Body struct {
		Joins bool `json:"joins"`
	}
}

// steerRoutes registers what people do with an incident beside taking and ending it.
func (s *Incidents) steerRoutes(w *web.Server) {
	const tag = "incidents"
	op := func(id, summary, audit string) web.Op {
		return web.Op{ID: id, Summary: summary, Tag: tag, Role: auth.Responder, Audit: audit}
	}
	web.Post(w, "/api/incidents/{id}/snooze", op("snooze-incident", "Acknowledge an incident for some time; then it pages again", "incident.snooze"),
		func(ctx context.Context, in *snoozeInput) (*Detail, error) {
			return pointerTo(s.Snooze(ctx, in.ID, actor(ctx), time.Duration(in.Body.For)))
		})
	web.Post(w, "/api/incidents/{id}/unacknowledge", op("unacknowledge-incident", "Give an incident back: it pages again", "incident.unacknowledge"),
		func(ctx context.Context, in *refInput) (*Detail, error) {
			return pointerTo(s.Unacknowledge(ctx, in.ID, actor(ctx)))
		})
	web.Post(w, "/api/incidents/{id}/escalate", op("escalate-incident", "Take the next step of the escalation at once", "incident.escalate"),
		func(ctx context.Context, in *refInput) (*Detail, error) {
			return pointerTo(s.Escalate(ctx, in.ID, actor(ctx)))
		})
	web.Post(w, "/api/incidents/{id}/reassign", op("reassign-incident", "Give an incident to people or to another escalation policy", "incident.reassign"),
		func(ctx context.Context, in *reassignInput) (*Detail, error) {
			return pointerTo(s.Reassign(ctx, in.ID, actor(ctx), in.Body.People, in.Body.Policy))
		})
	web.Post(w, "/api/incidents/{id}/responders", op("ask-responders", "Ask more people to help with an incident", "incident.responders"),
		func(ctx context.Context, in *respondersInput) (*Detail, error) {
			return pointerTo(s.AskResponders(ctx, in.ID, actor(ctx), in.Body.People, in.Body.Message))
		})
	web.Post(w, "/api/incidents/{id}/answer", op("answer-responder-request", "Say whether you help", "incident.answer"),
		func(ctx context.Context, in *answerInput) (*Detail, error) {
			return pointerTo(s.AnswerRequest(ctx, in.ID, actor(ctx), in.Body.Joins))
		})
	web.Post(w, "/api/incidents/{id}/merge", op("merge-incidents", "Merge other incidents into one", "incident.merge"),
		func(ctx context.Context, in *mergeInput) (*Detail, error) {
			return pointerTo(s.Merge(ctx, in.ID, actor(ctx), in.Body.Sources))
		})
	type reopenInput struct {
		ID   string `path:"id" doc:"of the incident, or its number"`
		Take bool   `query:"take" doc:"as acknowledged by whoever asks, and no longer snoozed: nobody is paged"`
	}
	web.Post(w, "/api/incidents/{id}/reopen", op("reopen-incident", "Reopen a resolved incident: it pages again", "incident.reopen"),
		func(ctx context.Context, in *reopenInput) (*Detail, error) {
			if in.Take {
				return pointerTo(s.Retake(ctx, in.ID, actor(ctx)))
			}
			return pointerTo(s.Reopen(ctx, in.ID, actor(ctx)))
		})
	web.Put(w, "/api/incidents/{id}/roles/{role}", op("set-incident-role", "Give a role of an incident to somebody", "incident.role"),
		func(ctx context.Context, in *roleInput) (*Detail, error) {
			return pointerTo(s.SetRole(ctx, in.ID, actor(ctx), in.Role, in.Body.Person))
		})
	web.Post(w, "/api/incidents/{id}/tasks", op("save-incident-task", "Add a task to an incident, or change one", "incident.task"),
		func(ctx context.Context, in *taskInput) (*Detail, error) {
			return pointerTo(s.SaveTask(ctx, in.ID, actor(ctx), Task(in.Body)))
		})
	web.Post(w, "/api/incidents/{id}/updates", op("publish-incident-update", "Tell stakeholders how things stand", "incident.update"),
		func(ctx context.Context, in *updateInput) (*Detail, error) {
			d, _, err := s.Publish(ctx, in.ID, actor(ctx), in.Body.Text, in.Body.People)
			return &d, err
		})
	web.Patch(w, "/api/incidents/{id}", op("edit-incident", "Change the title, urgency, priority or conference of an incident", "incident.edit"),
		func(ctx context.Context, in *editInput) (*Detail, error) {
			return pointerTo(s.Edit(ctx, in.ID, actor(ctx), Edit{Title: in.Body.Title, Urgency: in.Body.Urgency, Priority: in.Body.Priority, Conference: in.Body.Conference}))
		})
	web.Get(w, "/api/incidents/{id}/alerts", web.Op{ID: "list-incident-alerts", Summary: "List the alerts of an incident with what they say, in the order of their ids", Tag: tag},
		s.listAlerts)
	web.Get(w, "/api/incident-audit", web.Op{ID: "audit-incidents", Summary: "Look, from the log alone, whether every open incident has a next step", Tag: tag},
		func(ctx context.Context, _ *struct{}) (*Audit, error) {
			a := s.Audit(ctx)
			return &a, nil
		})
}

type alertsInput struct {
	ID string `path:"id" doc:"the id or the number of the incident"`
	web.Page
}

func (s *Incidents) listAlerts(ctx context.Context, in *alertsInput) (*web.List[Record], error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	i, err := s.Lookup(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, total, err := s.FindAlerts(ctx, i, AlertFilter{Limit: in.Limit, After: after})
	answer := &web.List[Record]{Items: list}
	if len(list) > 0 && len(list) < total {
		answer.Next = web.Cursor(list[len(list)-1].ID)
	}
	return answer, err
}

type recordsInput struct {
	web.Page
	Status     string `query:"status" enum:"triggered,resolved"`
	Service    string `query:"service"`
	Suppressed bool   `query:"suppressed" doc:"only those that page nobody"`
}

type eventsInput struct {
	web.Page
	Service string `query:"service"`
	Action  string `query:"action" enum:"trigger,acknowledge,resolve,change"`
	Outcome string `query:"outcome"`
	Source  string `query:"source"`
}

type ruleInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" maxLength:"100" doc:"the version that was looked at, see saved.version: if there is another by now, the answer is 409 and nothing changes; absent: whatever is there is replaced"`
	Body    Rule
}

type newRuleInput struct{ Body Rule }

type tryInput struct {
	Body struct {
		Rule  Rule `json:"rule"`
		Limit int  `json:"limit,omitempty" minimum:"1" maximum:"1000" default:"200" doc:"how many past events"`
	}
}

type ruleRef struct {
	ID string `path:"id"`
}

type heartbeatInput struct {
	Body struct {
		Name     string           `json:"name" minLength:"1" maxLength:"200"`
		Service  string           `json:"service" minLength:"1"`
		Severity string           `json:"severity,omitempty" enum:"critical,warning,info" default:"critical"`
		Every    catalog.Duration `json:"every" doc:"such as 1d"`
		Grace    catalog.Duration `json:"grace,omitempty"`
	}
}

// eventRoutes registers what came in and what becomes of it.
func (s *Incidents) eventRoutes(w *web.Server) {
	const tag = "events"
	web.Get(w, "/api/alert-records", web.Op{ID: "list-alert-records", Summary: "List every alert that came in, newest first, with why it pages nobody", Tag: tag},
		func(ctx context.Context, in *recordsInput) (*web.List[Record], error) {
			after, err := in.After()
			if err != nil {
				return nil, err
			}
			list, more, err := s.ListRecords(ctx, RecordFilter{Status: in.Status, Service: in.Service, Suppressed: in.Suppressed, Before: after, Limit: in.Limit})
			answer := &web.List[Record]{Items: list}
			if more {
				answer.Next = web.Cursor(list[len(list)-1].ID)
			}
			return answer, err
		})
	web.Get(w, "/api/inbound-events", web.Op{ID: "list-inbound-events", Summary: "List events as they came in, newest first, and what became of them", Tag: tag},
		func(ctx context.Context, in *eventsInput) (*web.List[Event], error) {
			after, err := in.After()
			if err != nil {
				return nil, err
			}
			list, err := s.Events(ctx, EventFilter{Action: in.Action, Service: in.Service, Outcome: in.Outcome, Source: in.Source, Before: after, Limit: in.Limit + 1})
			answer := &web.List[Event]{Items: list}
			if len(list) > in.Limit {
				answer.Items, answer.Next = list[:in.Limit], web.Cursor(list[in.Limit-1].ID)
			}
			return answer, err
		})
	web.Get(w, "/api/event-rules", web.Op{ID: "list-event-rules", Summary: "List the event rules in their order", Tag: tag},
		func(ctx context.Context, _ *struct{}) (*web.List[Rule], error) {
			list, err := s.Rules(ctx)
			return &web.List[Rule]{Items: list}, err
		})
	web.Post(w, "/api/event-rules", web.Op{ID: "create-event-rule", Summary: "Add an event rule", Tag: tag, Role: auth.Operator, Audit: "event_rule.create", Status: http.StatusCreated},
		func(ctx context.Context, in *newRuleInput) (*Rule, error) {
			in.Body.ID = ""
			r, err := s.SaveRule(ctx, in.Body, nil, actor(ctx))
			return &r, err
		})
	web.Put(w, "/api/event-rules/{id}", web.Op{ID: "change-event-rule", Summary: "Replace an event rule", Tag: tag, Role: auth.Operator, Audit: "event_rule.change"},
		func(ctx context.Context, in *ruleInput) (*Rule, error) {
			in.Body.ID = in.ID
			r, err := s.SaveRule(ctx, in.Body, catalog.Seen(in.IfMatch), actor(ctx))
			return &r, err
		})
	web.Delete(w, "/api/event-rules/{id}", web.Op{ID: "remove-event-rule", Summary: "Remove an event rule", Tag: tag, Role: auth.Operator, Audit: "event_rule.remove"},
		func(ctx context.Context, in *ruleRef) (*struct{}, error) {
			return &struct{}{}, s.RemoveRule(ctx, in.ID)
		})
	web.Ask(w, "/api/event-rules/try", web.Op{ID: "try-event-rule", Summary: "Ask a rule about past events without changing anything", Tag: tag, Role: auth.Responder},
		func(ctx context.Context, in *tryInput) (*web.List[Trial], error) {
			list, err := s.TryRule(ctx, in.Body.Rule, in.Body.Limit)
			return &web.List[Trial]{Items: list}, err
		})
	s.heartbeatRoutes(w)
}

func (s *Incidents) heartbeatRoutes(w *web.Server) {
	const tag = "heartbeats"
	web.Get(w, "/api/heartbeats", web.Op{ID: "list-heartbeats", Summary: "List what has to be heard of, and how late it is", Tag: tag, Role: auth.Responder},
		func(ctx context.Context, _ *struct{}) (*web.List[Heartbeat], error) {
			list, err := s.Heartbeats(ctx)
			return &web.List[Heartbeat]{Items: list}, err
		})
	web.Post(w, "/api/heartbeats", web.Op{ID: "create-heartbeat", Summary: "Expect a heartbeat: an alert is triggered when it is missed",
		Description: "It is heard of by a call of /inbound/heartbeat/{token}.", Tag: tag, Role: auth.Operator, Audit: "heartbeat.create", Status: http.StatusCreated},
		func(ctx context.Context, in *heartbeatInput) (*Heartbeat, error) {
			h, err := s.CreateHeartbeat(ctx, Heartbeat{Name: in.Body.Name, Service: in.Body.Service, Severity: in.Body.Severity, Every: in.Body.Every, Grace: in.Body.Grace})
			return &h, err
		})
	web.Delete(w, "/api/heartbeats/{id}", web.Op{ID: "remove-heartbeat", Summary: "Expect a heartbeat no longer", Tag: tag, Role: auth.Operator, Audit: "heartbeat.remove"},
		func(ctx context.Context, in *ruleRef) (*struct{}, error) {
			return &struct{}{}, s.RemoveHeartbeat(ctx, in.ID)
		})
}
