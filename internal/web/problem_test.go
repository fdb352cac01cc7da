package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

func TestEveryCodeHasItsStatus(t *testing.T) {
	table := map[problem.Code]int{
		problem.Invalid: 400, problem.Unauthenticated: 401, problem.Forbidden: 403, problem.NotFound: 404, problem.Conflict: 409,
		problem.TooLarge: 413, problem.Exhausted: 429, problem.Unavailable: 503, problem.Internal: 500,
	}
	r := newRig(t, nil, func(s *web.Server) {
		for code := range table {
			web.Get(s, "/api/fail/"+string(code), op("fail-"+string(code)), func(context.Context, *none) (*struct{}, error) {
				return nil, fmt.Errorf("wrapped: %w", problem.New(code, "the thing failed").WithField("thing").WithMend("mend it"))
			})
		}
		web.Get(s, "/api/fail/plain", op("fail-plain"), func(context.Context, *none) (*struct{}, error) {
			return nil, errors.New("secret: dsn=postgres://u:p@h")
		})
		web.Get(s, "/api/fail/late", op("fail-late"), func(context.Context, *none) (*struct{}, error) {
			return nil, fmt.Errorf("query: %w", context.DeadlineExceeded)
		})
	})
	for code, status := range table {
		a := r.do("GET", "/api/fail/"+string(code), nil, asAdmin)
		p := a.problem(t, status, code)
		if p.Detail != "the thing failed" || p.Field != "thing" || p.Mend != "mend it" {
			t.Errorf("%s: %+v", code, p)
		}
		if got := a.Header.Get("WWW-Authenticate") != ""; got != (code == problem.Unauthenticated) {
			t.Errorf("%s: WWW-Authenticate %t", code, got)
		}
		if status := web.Status(problem.New(code, "x")); status != table[code] {
			t.Errorf("%s: status %d", code, status)
		}
	}
	a := r.do("GET", "/api/fail/plain", nil, asAdmin)
	p := a.problem(t, 500, problem.Internal)
	if strings.Contains(a.body, "secret") {
		t.Errorf("the cause is shown: %s", a.body)
	}
	if log := r.log.String(); !strings.Contains(log, "dsn=postgres") || !strings.Contains(log, p.RequestID) {
		t.Errorf("the cause is not in the log beside the request id")
	}
	r.do("GET", "/api/fail/late", nil, asAdmin).problem(t, 503, problem.Unavailable)
}

type validated struct {
	Kind string `path:"kind" enum:"a,b"`
	Max  int    `query:"max" minimum:"1" maximum:"10"`
	Body struct {
		Name  string            `json:"name" minLength:"2"`
		Count int               `json:"count,omitempty"`
		Since time.Time         `json:"since,omitzero" required:"false"`
		Tags  []string          `json:"tags,omitempty" maxItems:"2"`
		Data  map[string]string `json:"data,omitempty"`
	}
}

func TestInvalidInput(t *testing.T) {
	called := false
	r := newRig(t, nil, func(s *web.Server) {
		o := op("validate")
		o.Audit = "test.validate"
		web.Post(s, "/api/validate/{kind}", o, func(context.Context, *validated) (*struct{}, error) {
			called = true
			return nil, nil
		})
	})
	const path = "/api/validate/a"
	for _, tt := range []struct {
		name, path, body string
		status           int
		field, detail    string
		mend             string
	}{
		{"empty", path, ``, 400, "", "request body is required", "/api/openapi.json"},
		{"cut off", path, `{"name":"x`, 400, "", "not valid JSON", "correct"},
		{"not JSON", path, `name=x`, 400, "", "not valid JSON", "correct"},
		{"a list", path, `[]`, 400, "", "not an object", "an object"},
		{"missing", path, `{}`, 400, "name", "name is missing", "add name"},
		{"wrong type", path, `{"name":7}`, 400, "name", "name", "string"},
		{"too short", path, `{"name":"x"}`, 400, "name", "name", "length >= 2"},
		{"unknown field", path, `{"name":"xx","nmae":1}`, 400, "nmae", "no field nmae", "spelling"},
		{"not a time", path, `{"name":"xx","since":"yesterday"}`, 400, "since", "RFC 3339", "RFC 3339"},
		{"deep", path, `{"name":"xx","data":{"k":1}}`, 400, "data.k", "data.k", "string"},
		{"too many", path, `{"name":"xx","tags":["a","b","c"]}`, 400, "tags", "tags", "<= 2"},
		{"float for int", path, `{"name":"xx","count":1.5}`, 400, "count", "count", "integer"},
		{"huge int", path, `{"name":"xx","count":1e40}`, 400, "", "", ""},
		{"path", "/api/validate/c", `{"name":"xx"}`, 400, "kind", "kind", "use one of a, b"},
		{"query", path + "?max=0", `{"name":"xx"}`, 400, "max", "max", ">= 1"},
		{"query type", path + "?max=many", `{"name":"xx"}`, 400, "max", "max", ""},
		{"unknown query", path + "?mx=1", `{"name":"xx"}`, 400, "mx", "no parameter mx", "spelling"},
		{"huge", path, `{"name":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "", "too large", "less"},
		{"bad UTF-8", path, "{\"name\":\"\xff\xfe\xfd\"}", 204, "", "", ""},
	} {
		a := r.do("POST", tt.path, tt.body, asAdmin)
		if tt.status == 204 {
			a.ok(t, 204, nil)
			continue
		}
		code := problem.Invalid
		if tt.status == 413 {
			code = problem.TooLarge
		}
		p := a.problem(t, tt.status, code)
		if p.Field != tt.field || !strings.Contains(p.Detail, tt.detail) || !strings.Contains(p.Mend, tt.mend) || p.Mend == "" {
			t.Errorf("%s: %s", tt.name, a.body)
		}
	}
	if !called {
		t.Error("valid input did not reach the handler")
	}

	a := r.do("POST", path, `{"name":"s3cret","password":"hunter2","count":"hunter3"}`, asAdmin)
	p := a.problem(t, 400, problem.Invalid)
	if len(p.Errors) != 2 || p.Errors[0].Message != p.Detail {
		t.Errorf("faults: %s", a.body)
	}
	if strings.Contains(a.body, "hunter") || strings.Contains(a.body, "s3cret") {
		t.Errorf("what was sent is shown: %s", a.body)
	}
	p = r.do("POST", path, `name: x`, asAdmin, header("Content-Type", "application/yaml")).problem(t, 415, problem.Invalid)
	if !strings.Contains(p.Mend, "application/json") {
		t.Errorf("content type: %+v", p)
	}
	if n := len(r.audit("test.validate")); n != 1 {
		t.Errorf("%d audit entries, want 1 of the one that succeeded", n)
	}
	r.do("POST", path, `{"name":"xx"}`, asAdmin, header("Accept", "text/html")).ok(t, 204, nil)
}

func TestUnknownRoutes(t *testing.T) {
	r := newRig(t, nil, nil)
	p := r.do("GET", "/api/nothing", nil).problem(t, 404, problem.NotFound)
	if !strings.Contains(p.Detail, "/api/nothing") {
		t.Errorf("%+v", p)
	}
	a := r.do("PUT", "/api/tokens", nil)
	a.problem(t, 405, problem.Invalid)
	if got := fmt.Sprint(a.Header["Allow"]); got != "[GET POST]" {
		t.Errorf("Allow %s", got)
	}
}

func TestPanics(t *testing.T) {
	r := newRig(t, nil, func(s *web.Server) {
		web.Get(s, "/api/panic", op("panic"), func(context.Context, *none) (*struct{}, error) { panic("at the disco") })
		s.MountPublic("/half", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "half an ans")
			_ = http.NewResponseController(w).Flush()
			panic("too late")
		}))
		s.MountPublic("/abort", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	})
	p := r.do("GET", "/api/panic", nil, asAdmin).problem(t, 500, problem.Internal)
	if log := r.log.String(); !strings.Contains(log, "at the disco") || !strings.Contains(log, p.RequestID) {
		t.Error("the panic is not in the log")
	}
	for _, path := range []string{"/half", "/abort"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_, err = bufio.NewReader(res.Body).ReadString(0)
			res.Body.Close()
			if err == nil || err.Error() == "EOF" {
				t.Errorf("%s looks like a whole answer", path)
			}
		}
	}
	r.do("GET", "/-/healthy", nil).ok(t, 200, nil)
}

func TestRequestsEndInTime(t *testing.T) {
	var left time.Duration
	r := newRig(t, nil, func(s *web.Server) {
		web.Get(s, "/api/slow", op("slow"), func(ctx context.Context, _ *none) (*struct{}, error) {
			deadline, ok := ctx.Deadline()
			if !ok {
				t.Error("no deadline")
			}
			left = time.Until(deadline)
			return nil, nil
		})
	})
	r.do("GET", "/api/slow", nil, asAdmin).ok(t, 204, nil)
	if left <= 20*time.Second || left > 30*time.Second {
		t.Errorf("%s left", left)
	}
}

func TestAccessLogAndMetrics(t *testing.T) {
	r := newRig(t, nil, func(s *web.Server) {
		web.Get(s, "/api/things/{id}", op("get-thing"), func(context.Context, *struct {
			ID string `path:"id"`
		}) (*struct{}, error) {
			return nil, nil
		})
	})
	secret := r.token(auth.Viewer)
	for _, id := range []string{"1", "2", "3"} {
		r.do("GET", "/api/things/"+id+"?", nil, bearer(secret)).ok(t, 204, nil)
	}
	r.do("BREW", "/api/things/1", nil)
	r.do("GET", "/no/such/page?token=hunter2", nil, header("Cookie", "x=hunter2"))
	eventually(t, "the log", func() bool { return strings.Contains(r.log.String(), "path=/no/such/page") })
	log := r.log.String()
	if !strings.Contains(log, "path=/api/things/1") || !strings.Contains(log, "status=204") {
		t.Errorf("access log: %s", log)
	}
	if strings.Contains(log, secret) || strings.Contains(log, "hunter2") {
		t.Error("a secret is in the access log")
	}
	metrics := r.do("GET", "/metrics", nil).ok(t, 200, nil).body
	for _, want := range []string{
		`daytwo_http_requests_total{code="204",method="GET",route="GET /api/things/{id}"} 3`,
		`method="other"`,
		`daytwo_http_request_duration_seconds_count{route="GET /api/things/{id}"} 3`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if strings.Contains(metrics, "BREW") || strings.Contains(metrics, "/no/such") {
		t.Error("clients can make series")
	}
}
