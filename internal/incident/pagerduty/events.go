package pagerduty

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of the Events API.
const (
	maxEvent   = 512 << 10 // bytes of one event
	maxSummary = 1024      // characters; longer ones are cut, with an annotation
	maxDedup   = 255       // characters; longer ones are refused, since cutting would mix alerts up
	bodyTime   = 30 * time.Second
)

func (a *API) eventRoutes() {
	a.mux.HandleFunc("POST /v2/enqueue", a.enqueue)
	a.mux.HandleFunc("POST /v2/change/enqueue", a.enqueueChange)
	a.mux.HandleFunc("POST /generic/2010-04-15/create_event.json", a.createEvent)
}

// EventV2 is an event of the Events API v2.
type EventV2 struct {
	RoutingKey  string     `json:"routing_key"`
	EventAction string     `json:"event_action"`
	DedupKey    string     `json:"dedup_key"`
	Client      string     `json:"client"`
	ClientURL   string     `json:"client_url"`
	Payload     *PayloadV2 `json:"payload"`
	Images      []imageV2  `json:"images"`
	Links       []linkV2   `json:"links"`
}

// PayloadV2 says what is wrong.
type PayloadV2 struct {
	Summary       string `json:"summary"`
	Source        string `json:"source"`
	Severity      string `json:"severity"`
	Timestamp     string `json:"timestamp"`
	Component     string `json:"component"`
	Group         string `json:"group"`
	Class         string `json:"class"`
	CustomDetails any    `json:"custom_details"`
}

type imageV2 struct {
	Src  string `json:"src"`
	Href string `json:"href"`
	Alt  string `json:"alt"`
}

type linkV2 struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// invalid is what an event is refused for: one line each.
type invalid []string

func (i invalid) Error() string { return strings.Join(i, "; ") }

// DecodeV2 reads an event of the Events API v2. strict refuses severities that are not known; otherwise they are taken for
// errors, since Alertmanager gives an alert up that was refused. key is that of the request (X-Routing-Key), for a body without
// one; it is not looked up.
func DecodeV2(body []byte, key string, strict bool) (incident.Event, error) {
	var in EventV2
	if err := decode(body, &in); err != nil {
		return incident.Event{}, err
	}
	var bad invalid
	in.RoutingKey = cmp.Or(in.RoutingKey, key)
	e := incident.Event{Key: in.RoutingKey, Source: "events-v2", Action: in.EventAction, DedupKey: in.DedupKey}
	bad.need(in.RoutingKey, "routing_key")
	switch {
	case in.EventAction == "":
		bad.need("", "event_action")
	case !slices.Contains([]string{"trigger", "acknowledge", "resolve"}, in.EventAction):
		bad.add("'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	case in.EventAction != "trigger":
		bad.need(in.DedupKey, "dedup_key")
	}
	if n := utf8.RuneCountInString(in.DedupKey); n > maxDedup {
		bad.add("'dedup_key' is too long (%d characters, at most %d)", n, maxDedup)
	}
	if in.EventAction == "trigger" {
		bad.payload(&e.Body, in.Payload, strict)
	}
	e.Body.Fields.Client, e.Body.Fields.ClientURL = in.Client, in.ClientURL
	e.Body.Fields.Links, e.Body.Fields.Images = links(in.Links), images(in.Images)
	if len(bad) > 0 {
		return e, bad
	}
	return e, nil
}

func (i *invalid) add(format string, args ...any) { *i = append(*i, fmt.Sprintf(format, args...)) }

func (i *invalid) need(value, name string) {
	if strings.TrimSpace(value) == "" {
		i.add("'%s' is missing or blank", name)
	}
}

// payload checks what is wrong and takes it over.
func (i *invalid) payload(to *incident.EventBody, p *PayloadV2, strict bool) {
	if p == nil {
		i.add("'payload' is missing or blank")
		return
	}
	i.need(p.Summary, "payload.summary")
	i.need(p.Source, "payload.source")
	f := &to.Fields
	to.Title, f.Origin, f.Class, f.Component, f.Group = p.Summary, p.Source, p.Class, p.Component, p.Group
	if cut := []rune(p.Summary); len(cut) > maxSummary {
		to.Title = string(cut[:maxSummary])
		f.Annotation = fmt.Sprintf("the summary was cut to %d characters", maxSummary)
	}
	to.Severity = p.Severity
	if !slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity) {
		if strict {
			i.add("'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
		}
		to.Severity = "error"
		note := fmt.Sprintf("the severity %q is not known and taken for error", clip(p.Severity, 100))
		f.Annotation = strings.TrimPrefix(f.Annotation+"; "+note, "; ")
	}
	to.Time = when(p.Timestamp)
	f.Details = details(p.CustomDetails)
}

// when reads a time; one that cannot be read is left out, since the time of arrival is known.
func when(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}

// details are custom details as an object, whatever they were.
func details(v any) map[string]any {
	switch d := v.(type) {
	case nil:
		return nil
	case map[string]any:
		return d
	case string:
		if d == "" {
			return nil
		}
	}
	return map[string]any{"details": v}
}

func links(in []linkV2) (out []incident.Link) {
	for _, l := range in {
		if l.Href != "" && len(out) < 50 {
			out = append(out, incident.Link{Href: l.Href, Text: l.Text})
		}
	}
	return out
}

func images(in []imageV2) (out []incident.Image) {
	for _, i := range in {
		if i.Src != "" && len(out) < 50 {
			out = append(out, incident.Image{Src: i.Src, Href: i.Href, Alt: i.Alt})
		}
	}
	return out
}

// decode reads one JSON object; what is unknown in it is passed over, as the original does.
func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return invalid{fmt.Sprintf("'%s' has the wrong type: %s where %s is wanted", wrong.Field, wrong.Value, wrong.Type)}
		}
		return invalid{"the body is not valid JSON: " + err.Error()}
	}
	return nil
}

// read takes the body of an event.
func read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a test's recorder has none
	return io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
}

func (a *API) enqueue(w http.ResponseWriter, r *http.Request) {
	body, err := read(w, r, maxEvent)
	var e incident.Event
	if err == nil {
		e, err = DecodeV2(body, r.Header.Get("X-Routing-Key"), a.Incidents.StrictSeverity())
	}
	if err == nil && e.DedupKey == "" {
		e.DedupKey = strings.ToLower(rand.Text())
	}
	if err = a.accept(r, e, err); err != nil {
		a.refuseEvent(w, e.Source, err)
		return
	}
	answer(w, http.StatusAccepted, map[string]string{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey})
}

// accept makes an event durable unless something is wrong with it already.
func (a *API) accept(r *http.Request, e incident.Event, err error) error {
	if err != nil {
		return err
	}
	service, ok := a.keyOf(r, e.Key)
	if !ok {
		return invalid{"'routing_key' is not one of an integration here (see the integrations of the service)"}
	}
	e.Service = service
	_, err = a.Incidents.Accept(r.Context(), e)
	return err
}

// refuseEvent answers an event that was not taken, in the words senders know.
func (a *API) refuseEvent(w http.ResponseWriter, source string, err error) {
	a.Incidents.CountRefused(source)
	status, much := isTooMuch(err)
	bad, isInvalid := errors.AsType[invalid](err)
	switch {
	case isInvalid:
		answer(w, http.StatusBadRequest, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": bad})
	case !much:
		answer(w, http.StatusBadRequest, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": []string{err.Error()}})
	case status == http.StatusTooManyRequests:
		answer(w, status, map[string]any{"status": "throttle exceeded", "message": "Events for this key are arriving too quickly. Please retry later.",
			"errors": []string{problem.From(err).Message}})
	case status == http.StatusRequestEntityTooLarge:
		answer(w, status, map[string]any{"status": "invalid event", "message": "Event object is too large",
			"errors": []string{fmt.Sprintf("an event can have %d KB", maxEvent>>10)}})
	default:
		a.Logger.Error("an event could not be kept", "source", source, "error", err)
		answer(w, status, map[string]any{"status": "error", "message": "The event could not be kept. Please retry later.", "errors": []string{"the store did not take it"}})
	}
}

// DecodeChange reads a change event. key is that of the request, for a body without one.
func DecodeChange(body []byte, key string) (incident.Event, error) {
	var in struct {
		RoutingKey string `json:"routing_key"`
		Payload    *struct {
			Summary       string `json:"summary"`
			Source        string `json:"source"`
			Timestamp     string `json:"timestamp"`
			CustomDetails any    `json:"custom_details"`
		} `json:"payload"`
		Links  []linkV2  `json:"links"`
		Images []imageV2 `json:"images"`
	}
	if err := decode(body, &in); err != nil {
		return incident.Event{}, err
	}
	var bad invalid
	in.RoutingKey = cmp.Or(in.RoutingKey, key)
	bad.need(in.RoutingKey, "routing_key")
	e := incident.Event{Key: in.RoutingKey, Source: "change-v2", Action: "change"}
	if in.Payload == nil {
		bad.add("'payload' is missing or blank")
	} else {
		bad.need(in.Payload.Summary, "payload.summary")
		e.Body.Title, e.Body.Time, e.Body.Fields.Origin = in.Payload.Summary, when(in.Payload.Timestamp), in.Payload.Source
		e.Body.Fields.Details = details(in.Payload.CustomDetails)
	}
	e.Body.Fields.Links, e.Body.Fields.Images = links(in.Links), images(in.Images)
	if len(bad) > 0 {
		return e, bad
	}
	return e, nil
}

func (a *API) enqueueChange(w http.ResponseWriter, r *http.Request) {
	body, err := read(w, r, maxEvent)
	e := incident.Event{Source: "change-v2"}
	if err == nil {
		e, err = DecodeChange(body, r.Header.Get("X-Routing-Key"))
	}
	if err = a.accept(r, e, err); err != nil {
		a.refuseEvent(w, "change-v2", err)
		return
	}
	answer(w, http.StatusAccepted, map[string]string{"status": "success", "message": "Change event processed"})
}

// DecodeV1 reads an event of the Events API v1.
func DecodeV1(body []byte) (incident.Event, error) {
	var in struct {
		ServiceKey  string `json:"service_key"`
		EventType   string `json:"event_type"`
		IncidentKey string `json:"incident_key"`
		Description string `json:"description"`
		Client      string `json:"client"`
		ClientURL   string `json:"client_url"`
		Details     any    `json:"details"`
		Contexts    []struct {
			Type string `json:"type"`
			Href string `json:"href"`
			Src  string `json:"src"`
			Text string `json:"text"`
			Alt  string `json:"alt"`
		} `json:"contexts"`
	}
	if err := decode(body, &in); err != nil {
		return incident.Event{}, err
	}
	var bad invalid
	e := incident.Event{Key: in.ServiceKey, Source: "events-v1", Action: in.EventType, DedupKey: in.IncidentKey}
	bad.need(in.ServiceKey, "service_key")
	switch in.EventType {
	case "trigger":
		bad.need(in.Description, "description")
	case "acknowledge", "resolve":
		bad.need(in.IncidentKey, "incident_key")
	default:
		bad.add("'event_type' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	}
	if n := utf8.RuneCountInString(in.IncidentKey); n > maxDedup {
		bad.add("'incident_key' is too long (%d characters, at most %d)", n, maxDedup)
	}
	e.Body = incident.EventBody{Title: in.Description, Severity: "critical",
		Fields: incident.Fields{Client: in.Client, ClientURL: in.ClientURL, Details: details(in.Details)}}
	for _, c := range in.Contexts {
		switch c.Type {
		case "link":
			e.Body.Fields.Links = append(e.Body.Fields.Links, links([]linkV2{{c.Href, c.Text}})...)
		case "image":
			e.Body.Fields.Images = append(e.Body.Fields.Images, images([]imageV2{{c.Src, c.Href, c.Alt}})...)
		}
	}
	if len(bad) > 0 {
		return e, bad
	}
	return e, nil
}

func (a *API) createEvent(w http.ResponseWriter, r *http.Request) {
	body, err := read(w, r, maxEvent)
	e := incident.Event{Source: "events-v1"}
	if err == nil {
		e, err = DecodeV1(body)
	}
	if err == nil && e.DedupKey == "" {
		e.DedupKey = strings.ToLower(rand.Text())
	}
	if err = a.accept(r, e, err); err != nil {
		a.refuseEvent(w, "events-v1", err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "success", "message": "Event processed", "incident_key": e.DedupKey})
}

// clip shortens a text for a message.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
