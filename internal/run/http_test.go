package run_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

const adminToken = "a-token-of-enough-length"

type api struct {
	t   *testing.T
	url string
	*run.Engine
	auth *auth.Auth
}

func serve(t *testing.T, k kinds) api {
	t.Helper()
	db := storetest.New(t)
	e, _ := engine(t, db, k)
	a, err := auth.New(t.Context(), auth.Config{DB: db, AdminToken: adminToken, KeyFile: t.TempDir() + "/key"})
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{Auth: a})
	e.Routes(s)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(server.Client().CloseIdleConnections)
	return api{t, server.URL, e, a}
}

func (a api) do(method, path, token string, header http.Header) (int, io.ReadCloser) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { resp.Body.Close(); http.DefaultClient.CloseIdleConnections() })
	return resp.StatusCode, resp.Body
}

// get decodes the answer of a path into v and returns its status.
func (a api) get(path string, v any) int {
	a.t.Helper()
	status, body := a.do("GET", path, adminToken, nil)
	if err := json.NewDecoder(body).Decode(v); err != nil {
		a.t.Fatalf("%s: %v", path, err)
	}
	return status
}

// stream returns the events of a run's stream: name, id and data.
func (a api) stream(id, last string) (events [][3]string) {
	a.t.Helper()
	_, body := a.do("GET", "/api/runs/"+id+"/stream", adminToken, http.Header{"Last-Event-Id": {last}})
	var e [3]string
	for lines := bufio.NewScanner(body); lines.Scan(); {
		switch field, value, _ := strings.Cut(lines.Text(), ": "); field {
		case "event":
			e[0] = value
		case "id":
			e[1] = value
		case "data":
			e[2] = value
			events = append(events, e)
			e = [3]string{}
		}
	}
	return events
}

func TestRoutes(t *testing.T) {
	a := serve(t, simple(func(ctx context.Context, t *run.Task) error {
		return t.Step(ctx, "talk", func(ctx context.Context, t *run.Task) error { t.Logf("one\ntwo\nthree"); return nil })
	}))
	running(t, a.Engine)
	var ids []string
	for _, service := range []string{"cart", "pay", "cart"} {
		r := start(t, a.Engine, run.Spec{Service: service, Actor: "ada"})
		ids = append(ids, wait(t, a.Engine, r.ID).ID)
	}

	var page web.List[run.Run]
	expect(t, "list", a.get("/api/runs?service=cart&kind=test&status=succeeded&limit=1", &page), 200)
	if len(page.Items) != 1 || page.Items[0].ID != ids[2] || page.Next == "" {
		t.Errorf("first page %+v", page)
	}
	expect(t, "list", a.get("/api/runs?service=cart&limit=1&cursor="+page.Next, &page), 200)
	if len(page.Items) != 1 || page.Items[0].ID != ids[0] {
		t.Errorf("second page %+v", page)
	}
	var problem web.Problem
	expect(t, "bad status", a.get("/api/runs?status=nope", &problem), 400)
	expect(t, "no run", a.get("/api/runs/nope", &problem), 404)
	expect(t, "no log", a.get("/api/runs/nope/log", &problem), 404)
	expect(t, "no stream", a.get("/api/runs/nope/stream", &problem), 404)
	expect(t, "bad event id", a.get("/api/runs/"+ids[0]+"/stream?after=x", &problem), 400)

	var raw map[string]any
	expect(t, "get", a.get("/api/runs/"+ids[0], &raw), 200)
	if steps := raw["steps"].([]any); len(steps) != 1 || steps[0].(map[string]any)["path"] != "talk" {
		t.Errorf("steps %v", steps)
	}
	var log web.List[run.Line]
	expect(t, "log", a.get("/api/runs/"+ids[0]+"/log?after=1&limit=2", &log), 200)
	if len(log.Items) != 2 || log.Items[0].Text != "two" || log.Next != "3" {
		t.Errorf("log %+v", log)
	}

	var shown []string
	for _, e := range a.stream(ids[0], "2") {
		var data struct{ Text, Status string }
		if err := json.Unmarshal([]byte(e[2]), &data); err != nil {
			t.Fatal(err)
		}
		shown = append(shown, fmt.Sprintf("%s %s %s%s", e[0], e[1], data.Text, data.Status))
	}
	expect(t, "stream", strings.Join(shown, "|"), "line 3 three|line 4 succeeded|run  succeeded")
}

func TestCancelRoute(t *testing.T) {
	a := serve(t, simple(hang))
	r := start(t, a.Engine, run.Spec{Title: "Deploy"}) // stays queued: nothing runs the engine
	_, responder, err := a.auth.CreateToken(t.Context(), auth.System("test"), auth.NewToken{Name: "reader", Role: auth.Responder})
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := a.do("POST", "/api/runs/"+r.ID+"/cancel", responder, nil); status != 403 {
		t.Errorf("a responder cancels: %d", status)
	}
	status, body := a.do("POST", "/api/runs/"+r.ID+"/cancel", adminToken, nil)
	var canceled run.Run
	if err := json.NewDecoder(body).Decode(&canceled); err != nil || status != 200 {
		t.Fatalf("%d, %v", status, err)
	}
	if canceled.Status != run.Canceled || canceled.CanceledBy == "" {
		t.Errorf("%+v", canceled)
	}
	if status, _ := a.do("POST", "/api/runs/"+r.ID+"/cancel", adminToken, nil); status != 409 {
		t.Errorf("again: %d", status)
	}
}
