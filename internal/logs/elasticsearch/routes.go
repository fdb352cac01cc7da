package elasticsearch

import (
	"net/http"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// route is one operation: {name} in its path is one segment, which for {index}
// does not begin with an underscore, as the names of operations do.
type route struct {
	methods string // separated by |; GET is HEAD too
	path    []string
	allowed func(*http.Request) error
	do      handler
}

func (d *Door) ingest(methods, path string, h handler) { d.add(methods, path, d.cfg.Ingest, h) }
func (d *Door) read(methods, path string, h handler)   { d.add(methods, path, d.cfg.Read, h) }

// know adds what every client asks for at its start, whether it is to send or to search.
func (d *Door) know(methods, path string, h handler) {
	d.add(methods, path, func(r *http.Request) error {
		if d.cfg.Read(r) == nil {
			return nil
		}
		return d.cfg.Ingest(r)
	}, h)
}

func (d *Door) add(methods, path string, allowed func(*http.Request) error, h handler) {
	d.table = append(d.table, route{methods, strings.Split(strings.Trim(path, "/"), "/"), allowed, h})
}

// routes lists what is covered. What sends data needs the right to send; what
// shows events needs the right to read.
func (d *Door) routes() {
	d.know("GET", "/", d.info)
	d.ingest("PUT|POST", "/_bulk", d.bulk)
	d.ingest("PUT|POST", "/{index}/_bulk", d.bulk)
	d.ingest("PUT|POST", "/{index}/{type}/_bulk", d.bulk)
	d.ingest("POST", "/{index}/_doc", d.index)
	d.ingest("PUT|POST", "/{index}/_doc/{id}", d.index)
	d.ingest("PUT|POST", "/{index}/{op:_create}/{id}", d.index)
	d.ingest("DELETE", "/{index}/_doc/{id}", notDone("deletion of a document (events end by --event-retention)"))
	for _, path := range []string{"/{index}/_mapping", "/{index}/_mappings", "/{index}/_mapping/{type}"} {
		d.ingest("PUT|POST", path, notDone("change of a mapping (types are those of the values)"))
	}
	d.ingest("PUT", "/{index}/_settings", notDone("change of settings"))
	d.read("GET", "/{index}/_doc/{id}", d.get)
	d.read("GET", "/{index}/_source/{id}", d.source)
	for _, prefix := range []string{"", "/{index}"} {
		d.read("GET|POST", prefix+"/_search", d.search)
		d.read("GET|POST", prefix+"/_msearch", d.manySearches)
		d.read("GET|POST", prefix+"/_count", d.count)
		d.read("GET|POST", prefix+"/_field_caps", d.fieldCaps)
		d.read("GET", prefix+"/_mapping", d.mapping)
		d.read("GET", prefix+"/_mappings", d.mapping)
		d.know("GET|POST", prefix+"/_refresh", func(*http.Request) (any, error) { return map[string]any{"_shards": shards()}, nil })
		d.know("GET|POST", prefix+"/_flush", func(*http.Request) (any, error) { return map[string]any{"_shards": shards()}, nil })
		d.know("GET", prefix+"/_settings", d.settings)
		d.know("GET", prefix+"/_stats", d.stats)
	}
	d.read("GET|POST", "/_search/scroll", d.scroll)
	d.read("GET|POST", "/_search/scroll/{id}", d.scroll)
	d.read("DELETE", "/_search/scroll", d.endScroll)
	d.read("DELETE", "/_search/scroll/{id}", d.endScroll)
	d.read("POST", "/{index}/_pit", d.openPoint)
	d.read("DELETE", "/_pit", d.closePoint)
	d.adminRoutes()
	d.know("GET", "/{index}", d.getIndex)
	d.ingest("PUT", "/{index}", d.makeIndex)
	d.read("DELETE", "/{index}", d.dropIndex)
}

// notDone refuses an operation that Elasticsearch has, by its name.
func notDone(what string) handler {
	return func(r *http.Request) (any, error) { return nil, uncovered(what, r.Method+" "+r.URL.Path) }
}

// find is the route of a request; known tells whether its path has another
// method.
func (d *Door) find(r *http.Request) (found *route, known bool) {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for i := range d.table {
		t := &d.table[i]
		if !t.fits(segments) {
			continue
		}
		known = true
		if slices.Contains(strings.Split(t.methods, "|"), r.Method) || r.Method == http.MethodHead && strings.Contains(t.methods, "GET") {
			for j, s := range t.path {
				if name, ok := strings.CutPrefix(s, "{"); ok {
					name, _, _ = strings.Cut(strings.TrimSuffix(name, "}"), ":")
					r.SetPathValue(name, segments[j])
				}
			}
			return t, true
		}
	}
	return nil, known
}

func (t *route) fits(segments []string) bool {
	if len(segments) != len(t.path) {
		return false
	}
	for i, want := range t.path {
		switch have := segments[i]; {
		case !strings.HasPrefix(want, "{"):
			if have != want {
				return false
			}
		case have == "", want == "{index}" && strings.HasPrefix(have, "_") && have != "_all":
			return false
		case strings.Contains(want, ":") && have != strings.TrimSuffix(want[strings.Index(want, ":")+1:], "}"):
			return false
		}
	}
	return true
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, known := d.find(r)
	if t == nil {
		if err := d.cfg.Ingest(r); err != nil {
			Refuse(w, r, err)
			return
		}
		d.cfg.Counts.Refused(doorName, "path", 1)
		if known {
			Refuse(w, r, faultf(http.StatusMethodNotAllowed, "method_not_allowed", "Incorrect HTTP method for uri [%.200s] and method [%s]", r.URL.Path, r.Method))
			return
		}
		Refuse(w, r, uncovered("path", r.Method+" "+r.URL.Path))
		return
	}
	body, err := d.call(w, r, t.allowed, t.do)
	if err != nil {
		if problem.CodeOf(err) == problem.Internal && !isFault(err) {
			d.cfg.Logger.ErrorContext(r.Context(), "elasticsearch request failed", "path", r.URL.Path, "error", err)
		}
		Refuse(w, r, err)
		return
	}
	if own, ok := body.(reply); ok {
		if text, ok := own.body.(plainText); ok {
			h := w.Header()
			h.Set("X-Elastic-Product", "Elasticsearch")
			h.Set("Content-Type", "text/plain; charset=UTF-8")
			w.WriteHeader(own.status)
			_, _ = w.Write([]byte(text))
			return
		}
		answer(w, r, own.status, own.body)
		return
	}
	answer(w, r, http.StatusOK, body)
}

// plainText is an answer of the _cat operations.
type plainText string
