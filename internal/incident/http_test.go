package incident_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/web"
)

const token = "a-token-of-enough-length"

func serve(t *testing.T, b *bench) (call func(method, path, body string) (int, string)) {
	t.Helper()
	a, err := auth.New(t.Context(), auth.Config{DB: b.db, AdminToken: token, KeyFile: t.TempDir() + "/key"})
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{Auth: a})
	b.Routes(s)
	if _, err := s.OpenAPI(); err != nil {
		t.Fatal(err)
	}
	handler := s.Handler()
	return func(method, path, body string) (int, string) {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
}

func TestRoutes(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	call := serve(t, b)
	status, body := call(http.MethodPost, "/api/incidents", `{"service": "checkout", "title": "customers complain"}`)
	var d incident.Detail
	if err := json.Unmarshal([]byte(body), &d); status != http.StatusCreated || err != nil || d.Severity != "critical" || d.OpenedBy == "" {
		t.Fatalf("create: %d %s", status, body)
	}
	b.trigger(t, "p1", "payments")
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/api/incidents", "", 200, `"number":2`},
		{"GET", "/api/incidents?status=open&service=checkout&limit=1", "", 200, `"nextStep":{"at":`},
		{"GET", "/api/incidents?limit=1", "", 200, `"next":"`},
		{"GET", "/api/incidents?status=resolved", "", 200, `{"items":[]}`},
		{"GET", "/api/incidents?status=gone", "", 400, `"code":"invalid"`},
		{"GET", "/api/incidents?cursor=x", "", 400, `"field":"cursor"`},
		{"GET", "/api/incidents/" + d.ID, "", 200, `"alerts":[],"pages":[],"log":[{`},
		{"GET", "/api/incidents/2", "", 200, `"alerts":[{"id":"p1","title":"Alert p1","status":"firing"`},
		{"GET", "/api/incidents/77", "", 404, `there is no incident`},
		{"POST", "/api/incidents", `{"service": "checkout", "title": "again"}`, 409, "has an open incident already"},
		{"POST", "/api/incidents", `{"service": "nope", "title": "x"}`, 400, `"field":"service"`},
		{"POST", "/api/incidents", `{"service": "checkout"}`, 400, "title"},
		{"POST", "/api/incidents/1/ack", `{}`, 200, `"status":"acknowledged"`},
		{"POST", "/api/incidents/1/ack", ``, 200, `"status":"acknowledged"`},
		{"POST", "/api/incidents/1/notes", `{"text":"looking"}`, 200, `"action":"note"`},
		{"POST", "/api/incidents/1/notes", `{"text":"  "}`, 400, `"field":"text"`},
		{"POST", "/api/incidents/1/resolve", `{}`, 200, `"status":"resolved"`},
		{"POST", "/api/incidents/77/resolve", `{}`, 404, `there is no incident`},
		{"GET", "/api/oncalls", "", 200, `{"policy":"payments","services":["checkout","payments"],"levels":[{"level":1,"after":"0s","people":["ada"]}`},
	} {
		if status, body := call(tt.method, tt.path, tt.body); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s %s = %d %s\nwant %d with %s", tt.method, tt.path, tt.body, status, body, tt.status, tt.want)
		}
	}
}

func TestListGoesOnWithItsCursor(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	call := serve(t, b)
	for _, service := range services {
		b.trigger(t, "alert of "+service, service)
	}
	var numbers []int64
	for path := "/api/incidents?limit=2"; path != ""; {
		_, body := call(http.MethodGet, path, "")
		var list web.List[incident.Incident]
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err, body)
		}
		for _, i := range list.Items {
			numbers = append(numbers, i.Number)
		}
		path = ""
		if list.Next != "" {
			path = "/api/incidents?limit=2&cursor=" + list.Next
		}
	}
	if len(numbers) != 5 || numbers[0] != 5 || numbers[4] != 1 {
		t.Errorf("got %v", numbers)
	}
}

// An alert that ends while its list is read moves no other out of it.
func TestAlertsOfAnIncidentInParts(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	call := serve(t, b)
	for _, alert := range []string{"a1", "a2", "a3", "a4", "a5", "a6"} {
		b.trigger(t, alert, "checkout")
	}
	seen := map[string]bool{}
	for path := "/api/incidents/1/alerts?limit=3"; path != ""; {
		_, body := call(http.MethodGet, path, "")
		var list web.List[incident.Record]
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err, body)
		}
		for _, r := range list.Items {
			seen[r.ID] = true
		}
		path = ""
		if list.Next != "" {
			path = "/api/incidents/1/alerts?limit=3&cursor=" + list.Next
			b.cleared(t, list.Items[0].ID)
		}
	}
	if len(seen) != 6 {
		t.Errorf("of 6 alerts %d were listed", len(seen))
	}
}
