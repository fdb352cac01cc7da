package pagerduty_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	client "github.com/PagerDuty/go-pagerduty"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/incident/pagerduty"
)

func TestEventsThroughTheRealClient(t *testing.T) {
	r := newRig(t)
	c := client.NewClient("secret", client.WithAPIEndpoint(r.url+"/pagerduty"), client.WithV2EventsAPIEndpoint(r.url+"/pagerduty"))
	event := client.V2Event{RoutingKey: key, Action: "trigger", DedupKey: "disk-1", Client: "monitor", ClientURL: "http://monitor.example/1",
		Links:  []any{map[string]string{"href": "http://runbook.example", "text": "Runbook"}},
		Images: []any{map[string]string{"src": "http://graph.example/1.png"}},
		Payload: &client.V2Payload{Summary: "The disk is full", Source: "db-1", Severity: "warning", Component: "disk", Group: "db", Class: "space",
			Timestamp: "2026-01-02T03:04:05.678+01:00", Details: map[string]any{"free": 0, "mount": "/var"}}}
	res, err := c.ManageEventWithContext(t.Context(), &event)
	if err != nil || res.Status != "success" || res.Message != "Event processed" || res.DedupKey != "disk-1" {
		t.Fatalf("answered %+v, %v", res, err)
	}
	eventually(t, "an incident", func() bool { return len(r.incidents(t)) == 1 })
	i := r.incidents(t)[0]
	if i.Service != "checkout" || i.Title != "The disk is full" || i.Severity != "warning" {
		t.Errorf("incident %+v", i)
	}
	d, err := r.Get(t.Context(), i.ID)
	if err != nil {
		t.Fatal(err)
	}
	records, err := r.Records(t.Context(), d)
	if err != nil || len(records) != 1 {
		t.Fatalf("alerts %+v, %v", records, err)
	}
	f := records[0].Fields
	if f.Origin != "db-1" || f.Component != "disk" || f.Class != "space" || f.Details["mount"] != "/var" || len(f.Links) != 1 || len(f.Images) != 1 || f.Client != "monitor" {
		t.Errorf("fields %+v", f)
	}

	for range 2 { // the same alert again: nothing new opens
		if _, err := c.ManageEventWithContext(t.Context(), &event); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.ManageEventWithContext(t.Context(), &client.V2Event{RoutingKey: key, Action: "acknowledge", DedupKey: "disk-1"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "acknowledged", func() bool { return r.incidents(t)[0].Status == incident.Acknowledged })
	if _, err := c.ManageEventWithContext(t.Context(), &client.V2Event{RoutingKey: key, Action: "resolve", DedupKey: "disk-1"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "resolved", func() bool { return r.incidents(t)[0].Status == incident.Resolved })
	if _, err := c.ManageEventWithContext(t.Context(), &event); err != nil { // it begins anew
		t.Fatal(err)
	}
	eventually(t, "a second incident", func() bool { return len(r.incidents(t)) == 2 })
	if records, _ := r.Records(t.Context(), d); records[0].Count != 3 {
		t.Errorf("%d triggers of the first alert, want 3", records[0].Count)
	}

	change := client.ChangeEvent{RoutingKey: key, Payload: client.ChangeEventPayload{Summary: "v2 deployed", Source: "ci"}}
	if res, err := c.CreateChangeEventWithContext(t.Context(), change); err != nil || res.Status != "success" {
		t.Errorf("change answered %+v, %v", res, err)
	}
}

// A service may be named instead of a key on this machine alone.
func TestWhoMayNameAService(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, header, value string
		status              int
	}{
		{"here", "", "", 202},
		{"by a proxy here", "X-Forwarded-For", "192.0.2.1", 400},
		{"by nginx as many set it up", "X-Real-Ip", "192.0.2.1", 400},
		{"by a proxy of the old kind", "Via", "1.1 gate", 400},
		{"by a proxy that says little", "X-Forwarded-Proto", "https", 400},
		{"by a foreign name", "Host", "evil.example", 400},
		{"by a proxy, with a token", "Authorization", "Token token=secret", 202},
	} {
		body := strings.NewReader(`{"routing_key":"checkout","event_action":"trigger","payload":{"summary":"x","source":"y","severity":"critical"}}`)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/pagerduty/v2/enqueue", body)
		if err != nil {
			t.Fatal(err)
		}
		switch c.header {
		case "":
		case "Host":
			req.Host = c.value
		case "Authorization":
			req.Header.Set("X-Forwarded-For", "192.0.2.1")
			fallthrough
		default:
			req.Header.Set(c.header, c.value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, res.StatusCode, c.status)
		}
	}
}

func TestEventsAnswersAndLimits(t *testing.T) {
	r := newRig(t, func(c *incident.Config) { c.EventsPerKey = 40 })
	v2 := func(fields string) string { return `{"routing_key":"` + key + `",` + fields + `}` }
	payload := `"event_action":"trigger","payload":{"summary":"x","source":"y","severity":"critical"}`
	cases := []struct {
		name, path, body string
		status           int
		says             string
	}{
		{"fine", "/v2/enqueue", v2(payload), 202, ""},
		{"not JSON", "/v2/enqueue", `{`, 400, "not valid JSON"},
		{"an array", "/v2/enqueue", `[]`, 400, "wrong type"},
		{"wrong type", "/v2/enqueue", v2(`"event_action":"trigger","payload":{"summary":7}`), 400, "payload.summary"},
		{"nothing", "/v2/enqueue", `{}`, 400, "'routing_key' is missing"},
		{"no payload", "/v2/enqueue", v2(`"event_action":"trigger"`), 400, "'payload' is missing"},
		{"no summary", "/v2/enqueue", v2(`"event_action":"trigger","payload":{"source":"y","severity":"info"}`), 400, "payload.summary"},
		{"no source", "/v2/enqueue", v2(`"event_action":"trigger","payload":{"summary":"y","severity":"info"}`), 400, "payload.source"},
		{"unknown action", "/v2/enqueue", v2(`"event_action":"explode"`), 400, "event_action"},
		{"resolve without a key", "/v2/enqueue", v2(`"event_action":"resolve"`), 400, "dedup_key"},
		{"long key", "/v2/enqueue", v2(`"dedup_key":"` + strings.Repeat("é", 256) + `",` + payload), 400, "too long"},
		{"key at the limit", "/v2/enqueue", v2(`"dedup_key":"` + strings.Repeat("é", 255) + `",` + payload), 202, ""},
		{"unknown key", "/v2/enqueue", `{"routing_key":"nope",` + payload + `}`, 400, "routing_key"},
		{"too large", "/v2/enqueue", v2(`"client":"` + strings.Repeat("x", 513<<10) + `",` + payload), 413, "512 KB"},
		{"unknown severity", "/v2/enqueue", v2(`"event_action":"trigger","payload":{"summary":"x","source":"y","severity":"page"}`), 202, ""},
		{"NUL and more", "/v2/enqueue", v2(`"event_action":"trigger","payload":{"summary":"a\u0000b","source":"y","severity":"info","custom_details":{"k":"\u0000"}}`), 202, ""},
		{"details of any kind", "/v2/enqueue", v2(`"event_action":"trigger","payload":{"summary":"x","source":"y","severity":"info","custom_details":[1,2]}`), 202, ""},
		{"unknown fields", "/v2/enqueue", v2(`"future":true,` + payload), 202, ""},
		{"v1", "/generic/2010-04-15/create_event.json", `{"service_key":"` + key + `","event_type":"trigger","description":"x","incident_key":"k"}`, 200, ""},
		{"v1 without a description", "/generic/2010-04-15/create_event.json", `{"service_key":"` + key + `","event_type":"trigger"}`, 400, "description"},
		{"v1 resolve", "/generic/2010-04-15/create_event.json", `{"service_key":"` + key + `","event_type":"resolve","incident_key":"k"}`, 200, ""},
		{"a change without a summary", "/v2/change/enqueue", `{"routing_key":"` + key + `","payload":{}}`, 400, "payload.summary"},
	}
	for _, c := range cases {
		status, answer := r.post(t, "/pagerduty"+c.path, c.body)
		if status != c.status || !strings.Contains(fmt.Sprint(answer["errors"]), c.says) {
			t.Errorf("%s: %d %v", c.name, status, answer)
		}
		if c.status == 202 && (answer["status"] != "success" || answer["message"] != "Event processed" || answer["dedup_key"] == "") {
			t.Errorf("%s: %v", c.name, answer)
		}
		if c.status == 400 && (answer["status"] != "invalid event" || answer["message"] != "Event object is invalid") {
			t.Errorf("%s: %v", c.name, answer)
		}
	}
	throttled := 0
	for range 60 {
		if status, answer := r.post(t, "/pagerduty/v2/enqueue", v2(payload)); status == http.StatusTooManyRequests {
			if throttled++; answer["status"] != "throttle exceeded" {
				t.Errorf("throttled: %v", answer)
			}
		}
	}
	if throttled < 20 {
		t.Errorf("%d of 60 events were throttled", throttled)
	}
}

// Limits count characters: what is long in bytes alone is neither cut nor mixed up.
func TestLimitsCountCharacters(t *testing.T) {
	r := newRig(t)
	same, summary := strings.Repeat("鍵", 254), strings.Repeat("字", 1024)
	for _, last := range []string{"一", "二"} {
		status, answer := r.post(t, "/pagerduty/v2/enqueue", `{"routing_key":"`+key+`","event_action":"trigger","dedup_key":"`+same+last+`",
			"payload":{"summary":"`+summary+`","source":"y","severity":"critical"}}`)
		if status != 202 || answer["dedup_key"] != same+last {
			t.Errorf("%d %v", status, answer)
		}
	}
	eventually(t, "two alerts of one incident", func() bool {
		list := r.incidents(t)
		return len(list) == 1 && len(detail(t, r, list[0].ID).Alerts) == 2
	})
	i := r.incidents(t)[0]
	records, total, err := r.FindAlerts(t.Context(), i, incident.AlertFilter{Limit: 10})
	if err != nil || total != 2 || i.Title != summary || records[1].DedupKey != same+"二" || records[1].Title != summary || records[1].Fields.Annotation != "" {
		t.Errorf("%d of %q, %v", total, i.Title, err)
	}
}

func TestSeverities(t *testing.T) {
	body := []byte(`{"routing_key":"k","event_action":"trigger","payload":{"summary":"` + strings.Repeat("ü", 1100) + `","source":"y","severity":"page"}}`)
	e, err := pagerduty.DecodeV2(body, "", false)
	if err != nil || e.Body.Severity != "error" || !strings.Contains(e.Body.Fields.Annotation, `"page"`) || len([]rune(e.Body.Title)) != 1024 {
		t.Errorf("%+v, %v", e.Body.Fields, err)
	}
	if _, err := pagerduty.DecodeV2(body, "", true); err == nil || !strings.Contains(err.Error(), "payload.severity") {
		t.Errorf("strict: %v", err)
	}
}

// A sender may give its key in the header in place of the body.
func TestKeyInTheHeader(t *testing.T) {
	body := []byte(`{"event_action":"trigger","payload":{"summary":"x","source":"y","severity":"info"}}`)
	if e, err := pagerduty.DecodeV2(body, "k", false); err != nil || e.Key != "k" {
		t.Errorf("event: %+v, %v", e, err)
	}
	if e, err := pagerduty.DecodeChange([]byte(`{"routing_key":"own","payload":{"summary":"x"}}`), "k"); err != nil || e.Key != "own" {
		t.Errorf("change: %+v, %v", e, err)
	}
}

func TestInbound(t *testing.T) {
	r := newRig(t)
	status, answer := r.post(t, "/inbound/alertmanager/"+key, `{"version":"4","receiver":"pd","externalURL":"http://am.example","alerts":[
		{"status":"firing","labels":{"alertname":"Slow","severity":"warning","instance":"a:1"},"annotations":{"summary":"It is slow"},"startsAt":"2026-01-01T00:00:00Z","generatorURL":"http://p.example","fingerprint":"f1"},
		{"status":"firing","labels":{"alertname":"Down","service":"reports"},"annotations":{},"startsAt":"2026-01-01T00:00:00Z","fingerprint":"f2"}]}`)
	if status != 202 || answer["events"] != 2.0 {
		t.Fatalf("%d %v", status, answer)
	}
	eventually(t, "two incidents", func() bool { return len(r.incidents(t)) == 2 })
	for _, i := range r.incidents(t) {
		if want := map[string]string{"checkout": "It is slow", "reports": "Down"}[i.Service]; i.Title != want {
			t.Errorf("%s: %s, want %s", i.Service, i.Title, want)
		}
	}
	r.post(t, "/inbound/alertmanager/"+key, `{"version":"4","alerts":[{"status":"resolved","labels":{"alertname":"Slow"},"fingerprint":"f1"}]}`)
	eventually(t, "one resolved", func() bool {
		return slices.ContainsFunc(r.incidents(t), func(i incident.Incident) bool { return i.Service == "checkout" && i.Status == incident.Resolved })
	})
	status, answer = r.post(t, "/inbound/webhook/"+key+"?title=body.check.name%2B%22+is+down%22&dedup_key=body.check.id&action=body.state&resolved=green",
		`{"check":{"name":"Homepage","id":42},"state":"red"}`)
	if status != 202 {
		t.Fatalf("%d %v", status, answer)
	}
	eventually(t, "a third incident", func() bool { return len(r.incidents(t)) == 3 && r.incidents(t)[0].Title == "Homepage is down" })
	r.post(t, "/inbound/webhook/"+key+"?title=body.check.name&dedup_key=body.check.id&action=body.state&resolved=green", `{"check":{"name":"Homepage","id":42},"state":"green"}`)
	eventually(t, "it is over", func() bool { return r.incidents(t)[0].Status == incident.Resolved })
	for path, body := range map[string]string{"/inbound/webhook/nope": `{"title":"x"}`, "/inbound/webhook/" + key: `{"x":1}`,
		"/inbound/webhook/" + key + "?title=body.(": `{}`, "/inbound/grafana/" + key: `{"x":1}`} {
		if status, answer := r.post(t, path, body); status != 400 {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
	if status, _ := r.post(t, "/inbound/heartbeat/nope", `{}`); status != 404 {
		t.Errorf("an unknown heartbeat: %d", status)
	}
}

// Whatever comes in, nothing breaks, and what was taken has a title or a key.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{`{"routing_key":"k","event_action":"trigger","payload":{"summary":"s","source":"x","severity":"page","custom_details":"text"}}`,
		`{"service_key":"k","event_type":"trigger","description":"d","contexts":[{"type":"link","href":"h"}]}`,
		`{"alerts":[{"status":"firing","labels":{"alertname":"A"}}]}`, `{"title":"t","status":"ok","id":7}`, `null`, `{"payload":null}`, `"\ud800"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, err := pagerduty.DecodeV2(body, "", false); err == nil && (e.Key == "" || e.Action == "trigger" && e.Body.Title == "") {
			t.Errorf("taken: %+v", e)
		}
		if e, err := pagerduty.DecodeV1(body); err == nil && e.Key == "" {
			t.Errorf("taken: %+v", e)
		}
		if e, err := pagerduty.DecodeChange(body, ""); err == nil && e.Body.Title == "" {
			t.Errorf("taken: %+v", e)
		}
		if list, err := pagerduty.DecodeAlertmanager(body, "alertmanager"); err == nil {
			for _, e := range list {
				if e.Body.Title == "" || e.DedupKey == "" || len([]rune(e.DedupKey)) > 255 {
					t.Errorf("taken: %+v", e)
				}
			}
		}
		if e, err := pagerduty.MapWebhook(body, nil); err == nil && (e.Body.Title == "" || e.DedupKey == "") {
			t.Errorf("taken: %+v", e)
		}
	})
}
