package catalog_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

func TestRoutes(t *testing.T) {
	a, err := auth.New(t.Context(), auth.Config{DB: storetest.New(t), AdminToken: "a-token-of-enough-length", KeyFile: t.TempDir() + "/key"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := catalog.Parse("f", data)
	live := catalog.NewLive(c)
	s := web.New(web.Config{Auth: a})
	live.Routes(s)
	handler := s.Handler()
	get := func(path string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer a-token-of-enough-length")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	for path, want := range map[string]string{
		"/api/services":          `"escalationPolicy":"payments"`,
		"/api/services/checkout": `"window":"30d"`,
		"/api/teams":             `"name":"payments","members":["ada","grace"],"file":"daytwo.yml"`,
		"/api/people":            `"webhook":"https://hooks.example.com/…"`,
		"/api/policies":          `"levels":[{"targets":[{"kind":"person","name":"ada"}],"after":"0s"},{"targets":[{"kind":"person","name":"grace"}],"after":"5m"}],"repeat":2`,
	} {
		if status, body := get(path); status != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "T0/secret") {
			t.Errorf("GET %s = %d %s", path, status, body)
		}
	}
	if status, body := get("/api/services/nope"); status != http.StatusNotFound || !strings.Contains(body, "daytwo.yml") {
		t.Errorf("an unknown service: %d %s", status, body)
	}
	live.Replace(&catalog.Catalog{})
	if _, body := get("/api/services"); strings.TrimSpace(body) != `{"items":[]}` {
		t.Errorf("after a reload: %s", body)
	}
	document, err := s.OpenAPI()
	if err != nil || !strings.Contains(string(document), `"/api/services/{name}"`) {
		t.Errorf("OpenAPI: %v", err)
	}
}
