package elasticsearch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// fault is an error in the shape that clients of Elasticsearch read.
type fault struct {
	status int
	kind   string
	reason string
}

func (f *fault) Error() string { return f.reason }

func faultf(status int, kind, format string, args ...any) *fault {
	return &fault{status, kind, fmt.Sprintf(format, args...)}
}

func illegal(format string, args ...any) *fault {
	return faultf(http.StatusBadRequest, "illegal_argument_exception", format, args...)
}

func parsing(format string, args ...any) *fault {
	return faultf(http.StatusBadRequest, "parsing_exception", format, args...)
}

// uncovered names what daytwo does not do.
func uncovered(what, name string) *fault {
	return faultf(http.StatusBadRequest, "unsupported_operation_exception", "daytwo does not cover the %s [%s]", what, name)
}

// kinds are the types of errors by problem.
var kinds = map[problem.Code]struct {
	status int
	kind   string
}{
	problem.Invalid:         {http.StatusBadRequest, "illegal_argument_exception"},
	problem.Unauthenticated: {http.StatusUnauthorized, "security_exception"},
	problem.Forbidden:       {http.StatusForbidden, "security_exception"},
	problem.NotFound:        {http.StatusNotFound, "resource_not_found_exception"},
	problem.Conflict:        {http.StatusConflict, "version_conflict_engine_exception"},
	problem.TooLarge:        {http.StatusRequestEntityTooLarge, "content_too_large_exception"},
	problem.Exhausted:       {http.StatusTooManyRequests, "es_rejected_execution_exception"},
	problem.Unavailable:     {http.StatusServiceUnavailable, "unavailable_shards_exception"},
	problem.Internal:        {http.StatusInternalServerError, "exception"},
}

// faultOf is any error as a fault.
func faultOf(err error) *fault {
	if f, ok := err.(*fault); ok { //nolint:errorlint // faults are never wrapped
		return f
	}
	e := problem.From(err)
	k := kinds[e.Code]
	reason := e.Message
	if e.Mend != "" {
		reason += " (" + e.Mend + ")"
	}
	return &fault{k.status, k.kind, reason}
}

type cause struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
}

func (f *fault) body() any {
	c := cause{f.kind, f.reason}
	return map[string]any{
		"error":  map[string]any{"root_cause": []cause{c}, "type": c.Type, "reason": c.Reason},
		"status": f.status,
	}
}

// Refuse answers a request with an error in Elasticsearch's shape.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := faultOf(err)
	if f.status == http.StatusUnauthorized {
		w.Header().Add("WWW-Authenticate", `Basic realm="daytwo", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", "ApiKey")
	}
	if f.status == http.StatusTooManyRequests || f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, r, f.status, f.body())
}

const mediaType = "application/vnd.elasticsearch+json"

// answer writes JSON in the media type that the client speaks.
func answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	h := w.Header()
	h.Set("X-Elastic-Product", "Elasticsearch")
	h.Set("Content-Type", answerType(r))
	data, err := json.Marshal(body)
	if paths := r.URL.Query().Get("filter_path"); paths != "" && err == nil && status < http.StatusBadRequest { // errors are told in full
		if data, err = narrowed(data, paths); err != nil {
			f := faultOf(err)
			status = f.status
			data, err = json.Marshal(f.body())
		}
	}
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":{"type":"exception","reason":"the answer cannot be written"},"status":500}`)
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data)
	}
}

func answerType(r *http.Request) string {
	for _, header := range []string{"Accept", "Content-Type"} {
		for part := range strings.SplitSeq(r.Header.Get(header), ",") {
			name, params, _ := strings.Cut(part, ";")
			if strings.HasPrefix(strings.TrimSpace(name), "application/vnd.elasticsearch+") {
				if _, v, ok := strings.Cut(params, "compatible-with="); ok {
					return mediaType + ";compatible-with=" + strings.TrimSpace(v)
				}
				return mediaType
			}
		}
	}
	return "application/json"
}
