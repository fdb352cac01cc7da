package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// statuses is the one table from codes to HTTP.
var statuses = map[problem.Code]int{
	problem.Invalid:         http.StatusBadRequest,
	problem.Unauthenticated: http.StatusUnauthorized,
	problem.Forbidden:       http.StatusForbidden,
	problem.NotFound:        http.StatusNotFound,
	problem.Conflict:        http.StatusConflict,
	problem.TooLarge:        http.StatusRequestEntityTooLarge,
	problem.Exhausted:       http.StatusTooManyRequests,
	problem.Unavailable:     http.StatusServiceUnavailable,
	problem.Internal:        http.StatusInternalServerError,
}

// Status is the HTTP status of an error.
func Status(err error) int { return statuses[problem.CodeOf(err)] }

// Problem is the body of every answer that is an error (RFC 9457).
type Problem struct {
	Type      string       `json:"type" doc:"urn:daytwo:problem: and the code"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail" doc:"what is wrong, for a person"`
	Code      problem.Code `json:"code" enum:"invalid,unauthenticated,forbidden,not_found,conflict,too_large,exhausted,unavailable,internal"`
	Field     string       `json:"field,omitempty" doc:"the input at fault"`
	Column    int          `json:"column,omitempty" doc:"where in the input, in characters from 1"`
	Mend      string       `json:"mend,omitempty" doc:"what to do about it"`
	RequestID string       `json:"requestId,omitempty" doc:"finds the request in the log of daytwo"`
	Errors    []Fault      `json:"errors,omitempty" doc:"every fault of the input, the first of which is the detail"`
}

// Fault is one thing wrong with an input.
type Fault struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Mend    string `json:"mend,omitempty"`
}

// Error and GetStatus let huma write a Problem as the answer.
func (p *Problem) Error() string             { return p.Detail }
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

func newProblem(code problem.Code, status int) *Problem {
	return &Problem{Type: "urn:daytwo:problem:" + string(code), Title: http.StatusText(status), Status: status, Code: code}
}

// problemOf is how an error is shown.
func problemOf(err error, requestID string) *Problem {
	e := problem.From(err)
	p := newProblem(e.Code, statuses[e.Code])
	p.Detail, p.Field, p.Column, p.Mend, p.RequestID = e.Message, e.Field, e.Column, e.Mend, requestID
	return p
}

// refuse turns a handler's error into the answer, and logs what is our fault.
func (s *Server) refuse(ctx context.Context, err error) error {
	x := exchangeOf(ctx)
	if problem.CodeOf(err) == problem.Internal {
		s.log.ErrorContext(ctx, "request failed", "request", x.id, "error", err)
	}
	p := problemOf(err, x.id)
	if h := refusalHeaders(err); len(h) > 0 {
		return huma.ErrorWithHeaders(p, h)
	}
	return p
}

// refusalHeaders are what HTTP wants beside some errors.
func refusalHeaders(err error) http.Header {
	h := http.Header{}
	if problem.CodeOf(err) == problem.Unauthenticated {
		h.Set("WWW-Authenticate", `Bearer realm="daytwo"`)
	}
	if w, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err); ok {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(w.RetryAfter().Seconds()))))
	}
	return h
}

// Fail answers a request with an error, for the handlers of doors that have no
// error format of their own.
func (s *Server) Fail(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	if problem.CodeOf(err) == problem.Internal {
		s.log.ErrorContext(r.Context(), "request failed", "request", x.id, "error", err)
	}
	for k, v := range refusalHeaders(err) {
		w.Header()[k] = v
	}
	writeProblem(w, problemOf(err, x.id))
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	h := w.Header()
	h.Del("Content-Length")
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone; nobody to tell
}

// oneStatus answers invalid input with the status of the table wherever huma has
// found it.
type oneStatus struct{ humaContext }

type humaContext huma.Context // the method Context and an embedded Context would clash

func (c oneStatus) SetStatus(code int) { c.humaContext.SetStatus(sameStatus(code)) }

// Unwrap gives humago the context it made.
func (c oneStatus) Unwrap() huma.Context { return c.humaContext }

func sameStatus(code int) int {
	if code == http.StatusUnprocessableEntity {
		return statuses[problem.Invalid]
	}
	return code
}

// ownProblems is the transformer that replaces huma's error bodies by ours. What
// was sent is not repeated in them: it may be a secret.
func ownProblems(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	status := sameStatus(m.Status)
	p := newProblem(codeOfStatus(status), status)
	p.RequestID = exchangeOf(ctx.Context()).id
	p.Detail = m.Detail
	for _, d := range m.Errors {
		p.Errors = append(p.Errors, faultOf(d))
	}
	switch {
	case status == http.StatusInternalServerError:
		p.Errors = nil
	case status == http.StatusRequestEntityTooLarge:
		p.Mend = "send less at once"
	case len(p.Errors) > 0:
		f := p.Errors[0]
		p.Detail, p.Field, p.Mend = f.Message, f.Field, f.Mend
	case p.Detail == "request body is required":
		p.Mend = "send a JSON body as /api/openapi.json describes"
	}
	if len(p.Errors) < 2 {
		p.Errors = nil
	}
	return p, nil
}

func codeOfStatus(status int) problem.Code {
	for code, s := range statuses {
		if s == status {
			return code
		}
	}
	if status >= 500 {
		return problem.Internal
	}
	return problem.Invalid
}

// faultOf rewords one of huma's findings: the field as the caller knows it, what
// is wrong with it, and the mend.
func faultOf(d *huma.ErrorDetail) Fault {
	place, field, _ := strings.Cut(d.Location, ".")
	if field == "" && place != "body" {
		field = place
	}
	name := field
	if name == "" {
		name = "the body"
	}
	if p, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		p = strings.TrimSuffix(p, " to be present")
		field = strings.TrimPrefix(field+"."+p, ".")
		return Fault{Field: field, Message: field + " is missing", Mend: "add " + field + " to the body"}
	}
	switch {
	case strings.HasPrefix(d.Message, "required "):
		return Fault{Field: field, Message: name + " is missing", Mend: fmt.Sprintf("add the %s parameter %s", place, field)}
	case d.Message == "unexpected property":
		return Fault{Field: field, Message: "there is no field " + field, Mend: "remove it or check its spelling in /api/openapi.json"}
	case d.Message == "unknown query parameter":
		return Fault{Field: field, Message: "there is no parameter " + field, Mend: "remove it or check its spelling in /api/openapi.json"}
	case strings.HasPrefix(d.Message, "unknown content type"):
		return Fault{Message: d.Message, Mend: "send JSON as Content-Type: application/json"}
	case strings.HasPrefix(d.Message, "expected "):
		want := strings.TrimPrefix(d.Message, "expected ")
		if names, ok := strings.CutPrefix(want, "value to be one of "); ok {
			return Fault{Field: field, Message: name + " is none of its values", Mend: "use one of " + strings.Trim(names, `"`)}
		}
		want = strings.TrimPrefix(want, "string to be ")
		article := "a "
		if strings.ContainsAny(want[:1], "aeioR") { // "an RFC 3339 date-time"
			article = "an "
		}
		return Fault{Field: field, Message: name + " is not " + article + want, Mend: "change " + name + " to " + article + want}
	case place == "body" && field == "":
		return Fault{Message: "the body is not valid JSON: " + d.Message, Mend: "correct the JSON"}
	}
	return Fault{Field: field, Message: name + ": " + d.Message, Mend: "check its format in /api/openapi.json"}
}
