package push

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// jobPath begins the paths that push and delete; job may be followed by @base64.
const jobPath = "/metrics/job"

// ServeHTTP answers the Pushgateway's API:
//
//	PUT, POST, DELETE /metrics/job/JOB{/LABEL/VALUE}
//	GET /metrics, /api/v1/metrics, /api/v1/status, /-/ready, /-/healthy
//	PUT /api/v1/admin/wipe
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if strings.HasPrefix(path, jobPath) {
		g.serveGroup(w, r, path)
		return
	}
	switch method, path := r.Method, strings.TrimSuffix(path, "/"); {
	case path == "/metrics" && method == http.MethodGet:
		promhttp.HandlerFor(g, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(w, r)
	case path == "/api/v1/metrics" && method == http.MethodGet:
		respond(w, g.list())
	case path == "/api/v1/status" && method == http.MethodGet:
		respond(w, map[string]any{
			"build_information": map[string]string{"version": g.cfg.Version},
			"flags":             map[string]string{"persistence.file": g.cfg.Dir},
			"start_time":        g.started,
		})
	case path == "/api/v1/admin/wipe" && method == http.MethodPut:
		if err := g.wipe(); err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	case path == "/-/ready" || path == "/-/healthy":
		fmt.Fprintln(w, "OK")
	default:
		http.Error(w, "the Pushgateway has no "+method+" "+path, http.StatusNotFound)
	}
}

func (g *Gateway) serveGroup(w http.ResponseWriter, r *http.Request, path string) {
	labels, err := ParseKey(path)
	if err == nil {
		switch r.Method {
		case http.MethodPut, http.MethodPost:
			err = g.push(labels, r)
		case http.MethodDelete:
			if err = g.delete(labels); err == nil {
				w.WriteHeader(http.StatusAccepted)
				return
			}
		default:
			w.Header().Set("Allow", "PUT, POST, DELETE")
			http.Error(w, "use PUT, POST or DELETE", http.StatusMethodNotAllowed)
			return
		}
	}
	if err != nil {
		g.pushes.WithLabelValues("refused").Inc()
		fail(w, err)
		return
	}
	g.pushes.WithLabelValues("stored").Inc()
	w.WriteHeader(http.StatusOK)
}

func (g *Gateway) push(labels map[string]string, r *http.Request) error {
	families, err := readFamilies(r)
	if err != nil {
		return err
	}
	err = g.put(labels, families, r.Method == http.MethodPut)
	if problem.CodeOf(err) == problem.Internal { // of the check: it has no code
		err = problem.New(problem.Invalid, "pushed metrics are invalid or inconsistent with existing metrics: %w", err)
	}
	return err
}

// fail answers in plain text, which is what clients of the Pushgateway show.
func fail(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch problem.CodeOf(err) {
	case problem.TooLarge:
		status = http.StatusRequestEntityTooLarge
	case problem.Unavailable, problem.Internal:
		status = http.StatusServiceUnavailable
	}
	message := err.Error()
	if p, ok := errors.AsType[*problem.Error](err); ok && p.Mend != "" {
		message += " (" + p.Mend + ")"
	}
	http.Error(w, message, status)
}

// ParseKey reads the grouping key of a path: /metrics/job/JOB{/LABEL/VALUE}, percent-encoded. A name followed by @base64 has
// a value in URL-safe base64, where = stands for the empty one. Names of any text are written as U__ and their escaped form.
func ParseKey(path string) (map[string]string, error) {
	rest := strings.TrimPrefix(path, "/metrics/")
	parts := strings.Split(rest, "/")
	if len(parts) == 3 && parts[2] == "" {
		parts = parts[:2] // a slash after the job
	}
	if len(parts)%2 != 0 {
		return nil, problem.New(problem.Invalid, "odd number of components in the path %q", path).WithMend("write /metrics/job/JOB{/LABEL/VALUE}")
	}
	labels := map[string]string{}
	for i := 0; i < len(parts); i += 2 {
		name, value, err := parseLabel(parts[i], parts[i+1])
		if err != nil {
			return nil, err
		}
		if i > 0 && name == model.JobLabel {
			continue // the first one counts
		}
		labels[name] = value
	}
	if labels[model.JobLabel] == "" {
		return nil, problem.New(problem.Invalid, "job name is required").WithMend("write /metrics/job/JOB{/LABEL/VALUE}")
	}
	return labels, nil
}

func parseLabel(name, value string) (string, string, error) {
	name, err := url.PathUnescape(name)
	if err != nil {
		return "", "", problem.New(problem.Invalid, "label name %q: %w", name, err)
	}
	if value, err = url.PathUnescape(value); err != nil {
		return "", "", problem.New(problem.Invalid, "value of %s: %w", name, err)
	}
	name, encoded := strings.CutSuffix(name, "@base64")
	if encoded {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
		if err != nil {
			return "", "", problem.New(problem.Invalid, "invalid base64 encoding for label %s=%q: %w", name, value, err)
		}
		value = string(b)
	}
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	} else if !model.LegacyValidation.IsValidLabelName(name) {
		return "", "", problem.New(problem.Invalid, "improper label name %q", name)
	}
	switch {
	case strings.HasPrefix(name, model.ReservedLabelPrefix) || !model.UTF8Validation.IsValidLabelName(name):
		return "", "", problem.New(problem.Invalid, "improper label name %q", name)
	case !model.LabelValue(value).IsValid():
		return "", "", problem.New(problem.Invalid, "the value of label %s is not UTF-8", name)
	case len(name) > 1<<10 || len(value) > 16<<10:
		return "", "", problem.New(problem.TooLarge, "label %.40q is too long", name)
	}
	return name, value, nil
}

// readFamilies reads the body of a push: delimited protobuf where the type says so, else text.
func readFamilies(r *http.Request) (map[string]*dto.MetricFamily, error) {
	body, err := decompress(r)
	if err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: body, N: maxBody + 1}
	families := map[string]*dto.MetricFamily{}
	kind, params, typeErr := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if typeErr == nil && kind == "application/vnd.google.protobuf" && params["encoding"] == "delimited" && params["proto"] == "io.prometheus.client.MetricFamily" {
		err = readDelimited(limited, families)
	} else {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err = parser.TextToMetricFamilies(limited)
	}
	switch {
	case limited.N <= 0:
		return nil, problem.New(problem.TooLarge, "the push is larger than %d bytes", maxBody).WithMend("push in several groups")
	case err != nil:
		return nil, problem.New(problem.Invalid, "%w", err)
	}
	return families, nil
}

func readDelimited(r io.Reader, families map[string]*dto.MetricFamily) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	in := strings.NewReader(string(content))
	for {
		f := &dto.MetricFamily{}
		err := protodelim.UnmarshalOptions{MaxSize: maxBody}.UnmarshalFrom(in, f)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		families[f.GetName()] = f
	}
}

func decompress(r *http.Request) (io.Reader, error) {
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return r.Body, nil
	case "gzip":
		in, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, problem.New(problem.Invalid, "gzip: %w", err)
		}
		return in, nil
	case "snappy":
		return snappy.NewReader(r.Body), nil
	default:
		return nil, problem.New(problem.Invalid, "content encoding %q is not taken", encoding).WithMend("use gzip, snappy or none")
	}
}

func respond(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data}) // the client is gone
}

var _ prometheus.Gatherer = (*Gateway)(nil)
