package pagerduty

import (
	"cmp"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/incident"
)

// ref is an object by its id, as answers name what they do not contain.
type ref map[string]any

// self is the address of an object in this API.
func (a *API) self(kind, id string) string { return a.PublicURL + "/pagerduty/" + kind + "/" + id }

// page is where people see an incident.
func (a *API) page(id string) string { return a.PublicURL + "/incidents/" + id }

func (a *API) reference(kind, plural, id, summary string) ref {
	return ref{"id": id, "type": kind + "_reference", "summary": summary, "self": a.self(plural, id), "html_url": a.PublicURL}
}

func (a *API) userRef(name string) any {
	p, ok := a.Catalog.Current().Person(name)
	if !ok {
		return nil
	}
	return a.reference("user", "users", a.userID(p.Name), cmp.Or(p.FullName, p.Name))
}

func (a *API) userRefs(names []string) []any {
	list := []any{}
	for _, n := range names {
		if r := a.userRef(n); r != nil {
			list = append(list, r)
		}
	}
	return list
}

// agentRef is who did something: a person, or else whatever it was.
func (a *API) agentRef(actor string) any {
	if r := a.userRef(actor); r != nil {
		return r
	}
	if actor == "" {
		return nil
	}
	return ref{"id": actor, "type": "service_reference", "summary": actor, "self": nil, "html_url": nil}
}

func (a *API) serviceRef(name string) any {
	if name == "" {
		return nil
	}
	return a.reference("service", "services", a.serviceID(name), name)
}

func (a *API) policyRef(name string) any {
	if name == "" {
		return nil
	}
	return a.reference("escalation_policy", "escalation_policies", a.policyID(name), name)
}

func (a *API) teamRefs(service string) []any {
	s, ok := a.Catalog.Current().Service(service)
	if !ok || s.Team == "" {
		return []any{}
	}
	return []any{a.reference("team", "teams", a.teamID(s.Team), s.Team)}
}

func (a *API) priorityRef(name string) any {
	if name == "" {
		return nil
	}
	return ref{"id": a.priorityID(name), "type": "priority", "summary": name, "name": name, "self": a.self("priorities", a.priorityID(name)), "html_url": nil, "description": ""}
}

func (a *API) resolveReason(mergedInto string) any {
	if mergedInto == "" {
		return nil
	}
	return ref{"type": "merge_resolve_reason", "incident": ref{"id": mergedInto, "type": "incident_reference", "self": a.self("incidents", mergedInto), "html_url": a.page(mergedInto)}}
}

func bridge(c *incident.Conference) any {
	if c == nil {
		return nil
	}
	return ref{"conference_url": c.URL, "conference_number": c.Number}
}

// incidentKey is the key an incident was created with, or else that of its first alert that has one.
func (a *API) incidentKey(d incident.Detail) any {
	if d.Board.Key != "" {
		return d.Board.Key
	}
	return nil
}

func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// rfc is a time as answers have it.
func rfc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func rfcOrNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return rfc(*t)
}
