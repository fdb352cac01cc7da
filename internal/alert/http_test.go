package alert_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/web"
)

func TestRoutes(t *testing.T) {
	inLab(t, func(l *lab) {
		l.inForce(shop)
		l.write("rules.yml", queueRules)
		l.set(queue, 20)
		l.set(strings.Replace(queue, "checkout", "storefront", 1), 20)
		l.start()
		time.Sleep(time.Minute)

		a, err := auth.New(l.t.Context(), auth.Config{DB: l.db, AdminToken: "a-token-of-enough-length", KeyFile: l.dir + "/key"})
		if err != nil {
			t.Fatal(err)
		}
		s := web.New(web.Config{Auth: a})
		l.alerts.Routes(s)
		handler := s.Handler()
		get := func(path string) (int, string) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Authorization", "Bearer a-token-of-enough-length")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w.Code, w.Body.String()
		}
		if status, body := get("/api/firing-alerts"); status != http.StatusOK || !strings.Contains(body, `{"service":"checkout","severity":"critical","count":1}`) ||
			!strings.Contains(body, `{"service":"storefront","severity":"critical","count":1}`) {
			t.Errorf("counted: %d %s", status, body)
		}
		var page web.List[struct{ ID, Service string }]
		status, body := get("/api/alerts?limit=1&state=firing")
		if err := json.Unmarshal([]byte(body), &page); status != http.StatusOK || err != nil || len(page.Items) != 1 || page.Next == "" {
			t.Fatalf("GET /api/alerts = %d %s", status, body)
		}
		first := page.Items[0]
		_, body = get("/api/alerts?limit=1&cursor=" + page.Next)
		page.Next = ""
		if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Items) != 1 || page.Items[0].Service == first.Service || page.Next != "" {
			t.Errorf("the second part: %s", body)
		}
		l.silence(time.Hour) // of checkout, whose alert was handed over long ago
		for path, want := range map[string]string{
			"/api/alerts?service=checkout":   `"suppressed":"silenced"`,
			"/api/alerts?service=storefront": `"handedAt":"`,
		} {
			if _, body := get(path); !strings.Contains(body, want) || strings.Contains(body, "suppressed") != strings.Contains(want, "suppressed") {
				t.Errorf("GET %s while checkout is silenced = %s", path, body)
			}
		}
		l.write("alertmanager.yml", "route: {receiver: daytwo, routes: [{matchers: [service=storefront], mute_time_intervals: [always]}]}\nreceivers: [{name: daytwo}]\n"+
			"time_intervals: [{name: always, time_intervals: [{times: [{start_time: '00:00', end_time: '24:00'}]}]}]\n")
		if err := l.alerts.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, service := range []string{"checkout", "storefront"} {
			want := map[string]string{"checkout": "silenced", "storefront": "muted"}[service]
			if _, body := get("/api/alerts?service=" + service); !strings.Contains(body, `"suppressed":"`+want+`"`) {
				t.Errorf("of %s, where storefront's route is muted: %s", service, body)
			}
		}
		for path, want := range map[string]string{
			"/api/alerts?service=checkout": `"summary":"checkout has 20 waiting"`,
			"/api/alerts?service=nope":     `{"items":[]}`,
			"/api/alerts?state=resolved":   `{"items":[]}`,
			"/api/alerts/" + first.ID:      `"expr":"queue_length > 10"`,
			"/api/slos":                    `"burn":[{"long":"1m","short":"15s","factor":10,"severity":"critical","firing":false}`,
			"/api/slos?service=checkout":   `"objective":99,"window":"1h"`,
			"/api/slos?service=nope":       `{"items":[]}`,
		} {
			if status, body := get(path); status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("GET %s = %d %s", path, status, body)
			}
		}
		for path, want := range map[string]int{
			"/api/alerts/nope": http.StatusNotFound, "/api/alerts?state=odd": http.StatusBadRequest, "/api/alerts?cursor=x": http.StatusBadRequest,
		} {
			if status, body := get(path); status != want {
				t.Errorf("GET %s = %d %s", path, status, body)
			}
		}
	})
}
