package orchestrate_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/web"
)

const adminToken = "a-token-of-enough-length"

// TestRoutes tells the life of a workload over the API.
func TestRoutes(t *testing.T) {
	h := open(t, t.TempDir())
	a, err := auth.New(t.Context(), auth.Config{DB: h.db, AdminToken: adminToken, KeyFile: t.TempDir() + "/key"})
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{Auth: a})
	h.Routes(s)
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	call := func(method, path string, in, out any) int {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+adminToken)
		req.Header.Set("Content-Type", "application/json")
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err == nil && out != nil {
			err = json.Unmarshal(answer, out)
		}
		if err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
		return resp.StatusCode
	}
	type manifestIn struct {
		Manifest string `json:"manifest"`
	}
	var wrong struct{ Detail, Field string }
	if code := call("POST", "/api/workloads", manifestIn{"kind: Deployment\nspec: {}\nreplica: 1"}, &wrong); code != 400 && code != 422 ||
		wrong.Field != "manifest" || !strings.Contains(wrong.Detail, `manifest:3:1: the manifest: daytwo does not act on "replica"`) {
		t.Errorf("%d %+v", code, wrong)
	}
	for _, path := range []string{"", "/revisions", "/log"} {
		if code := call("GET", "/api/workloads/nothing"+path, nil, nil); code != 404 {
			t.Errorf("%s of no workload: %d", path, code)
		}
	}

	var r run.Run
	for _, version := range []string{"v1", "v2"} {
		if code := call("POST", "/api/workloads", manifestIn{manifest(t, "shop", "serve", version, "").Text}, &r); code != 202 || r.Kind != "deploy" {
			t.Fatalf("%d %+v", code, r)
		}
		if r = h.finished(t, r); r.Status != run.Succeeded || r.Actor == "" {
			t.Fatalf("%+v", r)
		}
	}
	if code := call("POST", "/api/workloads/shop/rollback", map[string]int{"revision": 1}, &r); code != 202 {
		t.Fatal(code)
	}
	h.finished(t, r)
	if code := call("POST", "/api/workloads/shop/restart", struct{}{}, &r); code != 202 {
		t.Fatal(code)
	}
	h.finished(t, r)

	var list struct{ Items []orchestrate.Workload }
	var one orchestrate.Workload
	call("GET", "/api/workloads", nil, &list)
	call("GET", "/api/workloads/shop", nil, &one)
	if len(list.Items) != 1 || one != list.Items[0] || one.Version != "v1" || one.Revision != 3 || one.Status != "running" || !one.Ready {
		t.Errorf("%+v\n%+v", list, one)
	}
	var revisions struct{ Items []orchestrate.Revision }
	call("GET", "/api/workloads/shop/revisions", nil, &revisions)
	if len(revisions.Items) != 3 || !revisions.Items[0].Current || revisions.Items[0].Action != "rollback" || revisions.Items[0].Replaced != 2 {
		t.Errorf("%+v", revisions)
	}
	var log struct{ Items []orchestrate.Line }
	call("GET", "/api/workloads/shop/log?lines=3", nil, &log)
	if len(log.Items) != 3 || !strings.HasPrefix(log.Items[2].Text, "ready after") {
		t.Errorf("%+v", log)
	}
	if code := call("DELETE", "/api/workloads/shop", nil, &r); code != 202 || r.Title != "Remove shop" {
		t.Fatal(code, r)
	}
	h.finished(t, r)
	if code := call("GET", "/api/workloads/shop", nil, nil); code != 404 || alive(one.PID) {
		t.Error(code)
	}
	if code := call("DELETE", "/api/workloads/shop", nil, nil); code != 404 {
		t.Error(code)
	}
	if entries, _, err := a.AuditLog(t.Context(), auth.AuditFilter{}); err != nil || entries[0].Action != "workload.remove" {
		t.Error(entries, err)
	}
}
