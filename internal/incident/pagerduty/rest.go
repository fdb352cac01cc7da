package pagerduty

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

const maxRequest = 1 << 20 // bytes of a request to the REST API

// request is one call of the REST API.
type request struct {
	*http.Request
	body []byte
}

// handler answers a call. body is what goes out as JSON; nil goes with 204.
type handler func(r request) (body any, err error)

func (a *API) restRoutes() {
	a.incidentRoutes()
	a.logRoutes()
	a.webhookRoutes()
	a.peopleRoutes()
	a.serviceRoutes()
	a.scheduleRoutes()
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, problem.New(problem.NotFound, "there is no %s %s", r.Method, clip(r.URL.Path, 200)))
	})
}

// read registers a call that changes nothing.
func (a *API) read(path string, h handler) { a.route("GET "+path, auth.Viewer, "", h) }

// mostTries bounds how often a call is made on top of what others saved meanwhile.
const mostTries = 10

// again makes a call, and makes it again where somebody changed what it read before it had saved: clients of the original know no
// If-Match, what they say is meant of the entry as it is.
func again(h handler, in request) (body any, err error) {
	for range mostTries {
		if body, err = h(in); !overtaken(err) {
			break
		}
	}
	return body, err
}

func overtaken(err error) bool {
	p, ok := errors.AsType[*problem.Error](err)
	return ok && p.Code == problem.Conflict && p.Field == "If-Match"
}

// route registers a call for whoever has a role. action is its name in the audit log.
func (a *API) route(pattern string, role auth.Role, action string, h handler) {
	serve := func(w http.ResponseWriter, r *http.Request) {
		if err := auth.FromContext(r.Context()).Allows(role); err != nil {
			refuse(w, err)
			return
		}
		in := request{Request: r}
		var err error
		if r.Method == http.MethodPost || r.Method == http.MethodPut {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a test's recorder has none
			if in.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest)); err != nil {
				refuse(w, err)
				return
			}
		}
		body, err := again(h, in)
		if err != nil {
			if problem.CodeOf(err) == problem.Internal {
				a.Logger.ErrorContext(r.Context(), "a call of the REST API failed", "path", r.URL.Path, "error", err)
			}
			refuse(w, err)
			return
		}
		if action != "" {
			a.audit(r, action)
		}
		switch {
		case body == nil:
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/preview"):
			answer(w, http.StatusCreated, body)
		default:
			answer(w, http.StatusOK, body)
		}
	}
	a.mux.HandleFunc(pattern, serve)
	if !strings.HasSuffix(pattern, "/") {
		a.mux.HandleFunc(pattern+"/{$}", serve) // clients write PUT /incidents/{id}/alerts/
	}
}

// audit writes a change to the audit log.
func (a *API) audit(r *http.Request, action string) {
	if a.Audit == nil {
		return
	}
	detail := "by PagerDuty's API"
	if from := r.Header.Get("From"); from != "" {
		detail += ", from " + clip(from, 200)
	}
	a.Audit(r.Context(), action, strings.Trim(r.URL.Path, "/"), detail)
}

// refuse answers an error in the shape clients know.
func refuse(w http.ResponseWriter, err error) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = problem.New(problem.TooLarge, "the body is larger than %d KB", maxRequest>>10)
	}
	p := problem.From(err)
	code, message := 2000, "Internal Server Error"
	switch p.Code {
	case problem.Invalid, problem.Conflict, problem.TooLarge:
		code, message = 2001, "Invalid Input Provided"
	case problem.NotFound:
		code, message = 2100, "Not Found"
	case problem.Unauthenticated:
		code, message = 2006, "Authentication failed"
	case problem.Forbidden:
		code, message = 2010, "Access Denied"
	case problem.Exhausted:
		code, message = 2020, "Rate Limit Exceeded"
	}
	status := web.Status(err)
	if status == http.StatusConflict {
		status = http.StatusBadRequest // what the original answers, and clients expect
	}
	text := p.Message
	if p.Field != "" {
		text = p.Field + ": " + text
	}
	if p.Mend != "" {
		text += " (" + p.Mend + ")"
	}
	answer(w, status, map[string]any{"error": map[string]any{"code": code, "message": message, "errors": []string{text}}})
}

// decode reads the body of a call.
func (r request) decode(into any) error {
	if err := json.Unmarshal(r.body, into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return problem.New(problem.Invalid, "it has the wrong type: %s where %s is wanted", wrong.Value, wrong.Type).WithField(wrong.Field)
		}
		return problem.New(problem.Invalid, "the body is not valid JSON: %v", err)
	}
	return nil
}

// cut is the page of a list that a call asks for.
type cut struct {
	limit, offset int
	total         bool
}

const mostItems = 100

func (r request) page() (p cut, err error) {
	q := r.URL.Query()
	p.limit, p.total = 25, q.Get("total") == "true"
	for name, to := range map[string]*int{"limit": &p.limit, "offset": &p.offset} {
		if text := q.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return p, problem.New(problem.Invalid, "%q is not a whole number", clip(text, 50)).WithField(name)
			}
			*to = n
		}
	}
	p.limit = min(max(p.limit, 1), mostItems)
	if p.offset+p.limit > 10_000 {
		return p, problem.New(problem.Invalid, "offset and limit reach beyond 10000").WithField("offset").WithMend("narrow the list down by since and until")
	}
	return p, nil
}

// listing is a page as it is answered.
func (p cut) listing(name string, items any, more bool, total int) map[string]any {
	out := map[string]any{name: items, "limit": p.limit, "offset": p.offset, "more": more, "total": nil}
	if p.total {
		out["total"] = total
	}
	return out
}

// slice answers a page of a list that is known as a whole.
func slice[T any](p cut, name string, all []T) map[string]any {
	from, to := min(p.offset, len(all)), min(p.offset+p.limit, len(all))
	items := append([]T{}, all[from:to]...)
	return p.listing(name, items, to < len(all), len(all))
}

// values are a parameter that can be given several times, with or without brackets.
func (r request) values(name string) []string {
	q := r.URL.Query()
	return append(q[name+"[]"], q[name]...)
}

// time reads a parameter that is a point in time.
func (r request) time(name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	return parseTime(name, text)
}

func parseTime(name, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, problem.New(problem.Invalid, "%q is not a time", clip(text, 100)).WithField(name).WithMend("write it as 2026-01-31T08:00:00Z")
}

// actor is who a call counts as: the person whose address From names, or else who sent it.
func (a *API) actor(r request) string {
	if from := r.Header.Get("From"); from != "" {
		for _, p := range a.Catalog.Current().People {
			if p.Email != "" && strings.EqualFold(p.Email, from) {
				return p.Name
			}
		}
	}
	p := auth.FromContext(r.Context())
	if p.Kind == auth.KindUser {
		return p.Name
	}
	return p.String()
}

// given is a reference in a body; nil where there is none.
type given struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

func (g *given) id() string {
	if g == nil {
		return ""
	}
	return g.ID
}
