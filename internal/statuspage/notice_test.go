package statuspage_test

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/statuspage"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

const shopWithoutPage = `
people: [{name: ada, email: ada@example.com}]
services: [{name: checkout}, {name: shop}, {name: internal}]
`

func TestThePageIsListedAndToldThroughTheAPI(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const token = "a-token-of-enough-length"
		a, err := auth.New(t.Context(), auth.Config{DB: db, AdminToken: token, KeyFile: t.TempDir() + "/key"})
		if err != nil {
			t.Fatal(err)
		}
		file, _ := catalog.Parse("f", []byte(shopWithoutPage))
		live, err := catalog.Open(t.Context(), catalog.Config{DB: db, File: file, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		trouble := statuspage.Trouble{ID: "i1", Service: "checkout", Severity: "critical", Start: time.Now().Add(-time.Hour)}
		p, err := statuspage.New(t.Context(), statuspage.Config{DB: db, Catalog: live, Logger: slog.New(slog.DiscardHandler), PublicURL: "https://daytwo.example",
			Troubles: among(func() ([]statuspage.Trouble, error) { return []statuspage.Trouble{trouble}, nil })})
		if err != nil {
			t.Fatal(err)
		}
		s := web.New(web.Config{Auth: a})
		live.Routes(s)
		p.Routes(s)
		handler := s.Handler()
		seen := ""
		expect := func(method, path, body string, status int, want string) string {
			t.Helper()
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			if seen != "" {
				r.Header.Set("If-Match", seen)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != status || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s %s = %d %s, want %d with %s", method, path, w.Code, w.Body, status, want)
			}
			return w.Body.String()
		}
		public := func(path string) string {
			w := httptest.NewRecorder()
			p.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			return w.Body.String()
		}
		if !strings.Contains(public("/"), "there is no status page") {
			t.Error("a page that lists nothing is shown")
		}
		notice := func(service string) string {
			return `{"name":"Slow <payments>","impact":"minor","services":["` + service + `"],"state":"investigating","text":"We look into it","incident":"i1"}`
		}
		expect("POST", "/api/status-notices", notice("shop"), 400, `"field":"services[0]"`)
		expect("PUT", "/api/status-page", `{"components":[{"name":"X","service":"nope"}]}`, 400, `"field":"components[0].service"`)
		expect("PUT", "/api/status-page", `{"components":[{"name":"X","service":"shop"},{"name":"Y","service":"shop"}]}`, 400, `"field":"components[1].service"`)
		expect("PUT", "/api/status-page", `{"title":"The shop","components":[{"name":"Checkout","service":"checkout"},{"name":"Shop","service":"shop"}]}`, 200, `"title":"The shop"`)
		seen = "none" // as it was when this person looked
		expect("PUT", "/api/status-page", `{"title":"Theirs","components":[]}`, 409, `the status page was changed by`)
		seen = live.Current().StatusPage.Saved.Version
		expect("PUT", "/api/status-page", `{"title":"The shop","updates":true,"components":[{"name":"Checkout","service":"checkout"},{"name":"Shop","service":"shop"}]}`, 200, `"version":`)
		expect("PUT", "/api/status-page", `{"title":"Theirs","components":[]}`, 409, `"field":"If-Match"`)
		seen = ""
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect("GET", "/api/status-page/now", "", 200, `"name":"Trouble with Checkout"`)
		var made statuspage.Notice
		if err := json.Unmarshal([]byte(expect("POST", "/api/status-notices", notice("shop"), 201, `"state":"investigating"`)), &made); err != nil {
			t.Fatal(err)
		}
		summary := public("/api/v2/summary.json")
		if !strings.Contains(summary, "We look into it") || strings.Contains(summary, "Trouble with Checkout") || !strings.Contains(summary, `"degraded_performance"`) {
			t.Errorf("told: %s", summary)
		}
		if html := public("/"); !strings.Contains(html, "Slow &lt;payments&gt;") || strings.Contains(html, "token:") {
			t.Error("the page shows no notice, or who wrote it")
		}
		expect("PUT", "/api/status-notices/"+made.ID, `{"name":"Orders fail","impact":"critical","services":["shop","checkout"]}`, 200, `"Orders fail"`)
		seen = made.Version // by now it is another
		expect("PUT", "/api/status-notices/"+made.ID, `{"name":"Mine","impact":"none","services":["shop"]}`, 409, `"field":"If-Match"`)
		seen = ""
		expect("POST", "/api/status-notices/"+made.ID+"/updates", `{"state":"gone","text":"x"}`, 400, "state")
		expect("POST", "/api/status-notices/"+made.ID+"/updates", `{"state":"identified","text":"A provider is down"}`, 200, `"state":"identified"`)
		if now := expect("GET", "/api/status-page/now", "", 200, `"indicator":"critical"`); !strings.Contains(now, `"notice":true`) {
			t.Errorf("now: %s", now)
		}
		expect("POST", "/api/status-notices/"+made.ID+"/updates", `{"state":"resolved","text":"All is well"}`, 200, `"end":`)
		if summary := public("/api/v2/summary.json"); !strings.Contains(summary, "Trouble with Checkout") || strings.Contains(summary, "Orders fail") {
			t.Errorf("the incident lasts, the notice has ended: %s", summary)
		}
		if all := public("/api/v2/incidents.json"); !strings.Contains(all, "Orders fail") || !strings.Contains(all, `"status":"identified"`) {
			t.Errorf("history: %s", all)
		}
		expect("GET", "/api/status-notices", "", 200, "A provider is down")
		expect("DELETE", "/api/status-notices/"+made.ID, "", 204, "")
		expect("DELETE", "/api/status-notices/"+made.ID, "", 404, "no notice")
		if all := public("/api/v2/incidents.json"); strings.Contains(all, "Orders fail") {
			t.Errorf("withdrawn: %s", all)
		}

		declared, _ := catalog.Parse("f", []byte(shopWithoutPage+"status_page: {title: By file, components: [{name: Shop, service: shop}]}\n"))
		live.Replace(declared)
		expect("GET", "/api/status-page", "", 200, `"file":"daytwo.yml"`)
		expect("PUT", "/api/status-page", `{"components":[]}`, 409, "daytwo.yml")
		live.Replace(file)
		expect("GET", "/api/status-page", "", 200, `"title":"The shop"`)

		fewer, _ := catalog.Parse("f", []byte(strings.Replace(shopWithoutPage, "{name: shop}, ", "", 1)))
		live.Replace(fewer)
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if summary := public("/api/v2/summary.json"); strings.Contains(summary, `"name":"Shop"`) || !strings.Contains(summary, `"name":"Checkout"`) {
			t.Errorf("a service that left the catalog is still shown: %s", summary)
		}
	})
}
