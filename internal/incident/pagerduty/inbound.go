package pagerduty

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	maxInbound = 4 << 20 // bytes of one webhook
	maxGrouped = 2000    // alerts of one webhook
)

// Inbound serves what is below /inbound: the webhooks of others, and heartbeats.
//
//	POST /alertmanager/{key}   Alertmanager's webhook (version 4)
//	POST /grafana/{key}        Grafana's alerting webhook
//	POST /webhook/{key}        any JSON, with a mapping in the query, see MapWebhook
//	     /heartbeat/{token}    a heartbeat, by GET, POST or HEAD
func (a *API) Inbound() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /alertmanager/{key}", a.inbound("alertmanager", func(body []byte, _ url.Values) ([]incident.Event, error) {
		return DecodeAlertmanager(body, "alertmanager")
	}))
	mux.HandleFunc("POST /grafana/{key}", a.inbound("grafana", func(body []byte, _ url.Values) ([]incident.Event, error) {
		return DecodeAlertmanager(body, "grafana")
	}))
	mux.HandleFunc("POST /webhook/{key}", a.inbound("webhook", func(body []byte, query url.Values) ([]incident.Event, error) {
		e, err := MapWebhook(body, query)
		return []incident.Event{e}, err
	}))
	mux.HandleFunc("/heartbeat/{token}", a.heartbeat)
	return mux
}

func (a *API) inbound(source string, read1 func([]byte, url.Values) ([]incident.Event, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := read(w, r, maxInbound)
		var list []incident.Event
		if err == nil {
			list, err = read1(body, r.URL.Query())
		}
		if err == nil {
			err = a.acceptAll(r, r.PathValue("key"), list)
		}
		if err != nil {
			a.refuseEvent(w, source, err)
			return
		}
		answer(w, http.StatusAccepted, map[string]any{"status": "success", "message": "Event processed", "events": len(list)})
	}
}

// acceptAll makes events durable together. An event that names a service of the catalog goes there, others to the key's.
func (a *API) acceptAll(r *http.Request, key string, list []incident.Event) error {
	service, ok := a.keyOf(r, key)
	if !ok {
		return invalid{"the key in the address is not one of an integration here (see the integrations of the service)"}
	}
	for i := range list {
		named := list[i].Body.Fields.Labels["service"]
		list[i].Key, list[i].Service = key, service
		if s, known := a.Catalog.Current().Service(named); known {
			list[i].Service = s.Name
		}
	}
	if len(list) == 0 {
		return nil
	}
	_, err := a.Incidents.AcceptAll(r.Context(), list)
	return err
}

func (a *API) heartbeat(w http.ResponseWriter, r *http.Request) {
	err := a.Incidents.Beat(r.Context(), r.PathValue("token"))
	switch status, much := isTooMuch(err); {
	case err == nil:
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	case much:
		answer(w, status, map[string]string{"status": "error"})
	default:
		answer(w, http.StatusNotFound, map[string]string{"status": "error", "message": problem.From(err).Message})
	}
}

// DecodeAlertmanager reads the webhook of Alertmanager, which Grafana's has grown from. Every alert is an event of its own.
func DecodeAlertmanager(body []byte, source string) ([]incident.Event, error) {
	var in struct {
		Alerts []struct {
			Status       string         `json:"status"`
			Labels       event.Labels   `json:"labels"`
			Annotations  event.Labels   `json:"annotations"`
			StartsAt     time.Time      `json:"startsAt"`
			GeneratorURL string         `json:"generatorURL"`
			Fingerprint  string         `json:"fingerprint"`
			DashboardURL string         `json:"dashboardURL"`
			PanelURL     string         `json:"panelURL"`
			ImageURL     string         `json:"imageURL"`
			Values       map[string]any `json:"values"`
		} `json:"alerts"`
		CommonLabels event.Labels `json:"commonLabels"`
		ExternalURL  string       `json:"externalURL"`
		Receiver     string       `json:"receiver"`
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	switch {
	case in.Alerts == nil:
		return nil, invalid{"'alerts' is missing: this is not a webhook of Alertmanager or Grafana"}
	case len(in.Alerts) > maxGrouped:
		return nil, invalid{fmt.Sprintf("%d alerts are more than %d: group them less", len(in.Alerts), maxGrouped)}
	}
	var list []incident.Event
	for _, al := range in.Alerts {
		e := incident.Event{Source: source, Action: "trigger", DedupKey: al.Fingerprint}
		if al.Status == "resolved" {
			e.Action = "resolve"
		}
		if e.DedupKey == "" {
			e.DedupKey = clip(al.Labels.String(), maxDedup-3)
		}
		name := al.Labels["alertname"]
		e.Body = incident.EventBody{Title: first(al.Annotations["summary"], al.Annotations["description"], al.Annotations["message"], name, "An alert of "+source),
			Severity: al.Labels["severity"], Time: al.StartsAt}
		e.Body.Fields = incident.Fields{Labels: al.Labels, Origin: first(al.Labels["instance"], al.Labels["job"]), Class: name, Client: in.Receiver,
			ClientURL: in.ExternalURL, Details: map[string]any{}}
		for k, v := range al.Annotations {
			e.Body.Fields.Details[k] = v
		}
		if len(al.Values) > 0 {
			e.Body.Fields.Details["values"] = al.Values
		}
		for _, l := range []linkV2{{al.GeneratorURL, "Source"}, {al.DashboardURL, "Dashboard"}, {al.PanelURL, "Panel"}, {al.Annotations["runbook_url"], "Runbook"}} {
			e.Body.Fields.Links = append(e.Body.Fields.Links, links([]linkV2{l})...)
		}
		e.Body.Fields.Images = images([]imageV2{{Src: al.ImageURL}})
		list = append(list, e)
	}
	return list, nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// MapWebhook reads any JSON by a mapping: each part of the event is an expression (of the language of github.com/expr-lang/expr)
// over body, the decoded JSON.
//
//	title, severity, dedup_key, service, time    expressions that give a text
//	action     gives trigger, acknowledge or resolve; or anything else, with
//	resolved   the comma-separated values of action that mean the end
//
// Without a mapping it looks for the names people use: title, summary, message, name; severity, level, priority; dedup_key, id, key;
// status, state, action.
func MapWebhook(body []byte, query url.Values) (e incident.Event, err error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return e, invalid{"the body is not valid JSON: " + err.Error()}
	}
	m := mapping{body: plain(v), query: query}
	e = incident.Event{Source: "webhook", Action: m.action(), DedupKey: m.text("dedup_key", "dedup_key", "dedupKey", "fingerprint", "id", "key")}
	e.Body = incident.EventBody{Title: m.text("title", "title", "summary", "message", "name", "text", "description"),
		Severity: strings.ToLower(m.text("severity", "severity", "level", "priority")), Time: when(m.text("time", "timestamp", "time"))}
	if service := m.text("service", "service"); service != "" {
		e.Body.Fields.Labels = event.Labels{"service": service}
	}
	e.Body.Fields.Details = details(m.body)
	if e.Body.Title == "" {
		m.bad.add("no title was found: say where it is with ?title=body.…")
	}
	if e.DedupKey == "" && e.Action != "trigger" {
		m.bad.add("no deduplication key was found: say where it is with ?dedup_key=body.…")
	}
	if e.DedupKey == "" {
		e.DedupKey = clip(e.Body.Title, maxDedup-3)
	}
	if runes := []rune(e.DedupKey); len(runes) > maxDedup {
		m.bad.add("'dedup_key' is too long (%d characters, at most %d)", len(runes), maxDedup)
	}
	if len(m.bad) > 0 {
		return e, m.bad
	}
	return e, nil
}

// mapping reads parts of a body.
type mapping struct {
	body  any
	query url.Values
	bad   invalid
}

// plain turns JSON numbers into what expressions compute with.
func plain(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = plain(x[k])
		}
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return int(n)
		}
		f, _ := x.Float64()
		return f
	}
	return v
}

// text is what the mapping of a part says, or else the first of the usual names that is there.
func (m *mapping) text(part string, usual ...string) string {
	if source := m.query.Get(part); source != "" {
		program, err := incident.CompileExpression(source, expr.Env(map[string]any{"body": m.body}))
		var out any
		if err == nil {
			out, err = expr.Run(program, map[string]any{"body": m.body})
		}
		if err != nil {
			line, _, _ := strings.Cut(err.Error(), "\n")
			m.bad.add("the mapping of %s: %s", part, line)
			return ""
		}
		return asText(out)
	}
	object, _ := m.body.(map[string]any)
	for _, name := range usual {
		if text := asText(object[name]); text != "" {
			return text
		}
	}
	return ""
}

func asText(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case int, float64, bool:
		return fmt.Sprint(x)
	}
	return ""
}

func (m *mapping) action() string {
	text := strings.ToLower(m.text("action", "action", "event_action", "status", "state"))
	over := []string{"resolve", "resolved", "ok", "closed", "close", "recovered", "recovery", "up", "inactive", "normal"}
	if given := m.query.Get("resolved"); given != "" {
		over = strings.Split(strings.ToLower(given), ",")
	}
	switch {
	case slices.Contains(over, text):
		return "resolve"
	case text == "acknowledge" || text == "acknowledged":
		return "acknowledge"
	}
	return "trigger"
}
