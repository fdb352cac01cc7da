package elasticsearch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/eventdb"
	"github.com/daytwo-dev/daytwo/internal/logs/elasticsearch"
)

// kept is elasticsearch.Documents in memory.
type kept struct {
	mu  sync.Mutex
	all map[[2]string]json.RawMessage
}

func (k *kept) Put(_ context.Context, kind, name string, body json.RawMessage) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil {
		k.all = map[[2]string]json.RawMessage{}
	}
	k.all[[2]string{kind, name}] = body
	return nil
}

func (k *kept) Get(_ context.Context, kind, name string) (json.RawMessage, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all[[2]string{kind, name}], nil
}

func (k *kept) List(_ context.Context, kind string) (map[string]json.RawMessage, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := map[string]json.RawMessage{}
	for key, body := range k.all {
		if key[0] == kind {
			out[key[1]] = body
		}
	}
	return out, nil
}

func (k *kept) Delete(_ context.Context, kind, name string) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, known := k.all[[2]string{kind, name}]
	delete(k.all, [2]string{kind, name})
	return known, nil
}

type counted struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counted) add(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[what] += n
}

func (c *counted) Taken(_ string, n int)        { c.add("taken", n) }
func (c *counted) Refused(_, why string, n int) { c.add("refused "+why, n) }
func (c *counted) Mended(_, what string, n int) { c.add("mended "+what, n) }

// rig is a door on a store of its own.
type rig struct {
	t     *testing.T
	door  http.Handler
	count *counted
}

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := eventdb.Open(t.Context(), eventdb.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &rig{t: t, count: &counted{}}
	may := func(*http.Request) error { return nil }
	r.door = elasticsearch.New(elasticsearch.Config{Events: db, Documents: &kept{}, Counts: r.count, Ingest: may, Read: may, Logger: slog.New(slog.DiscardHandler)})
	return r
}

// do calls the door and decodes the answer.
func (r *rig) do(method, path, body string, headers ...string) (status int, answer any) {
	r.t.Helper()
	w := r.raw(method, path, body, headers...)
	if w.Body.Len() > 0 && strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			r.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return w.Code, answer
}

func (r *rig) raw(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.door.ServeHTTP(w, req)
	return w
}

// at goes down an answer.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (r *rig) fill() {
	r.t.Helper()
	var b strings.Builder
	for i := range 120 {
		level, status := "info", 200
		if i%10 == 0 {
			level, status = "error", 500
		}
		fmt.Fprintf(&b, "{\"index\":{\"_index\":\"web-2026\"}}\n{\"@timestamp\":\"2026-01-02T03:%02d:%02dZ\",\"message\":\"GET /cart/%d took %d ms\",\"log\":{\"level\":\"%s\"},\"http\":{\"status\":%d},\"bytes\":%d,\"host\":{\"name\":\"web-%d\"},\"ok\":%v,\"tags\":[\"a\",\"b%d\"]}\n",
			i/60, i%60, i, i*3, level, status, i*100, i%3, level == "info", i%2)
	}
	status, a := r.do("POST", "/_bulk", b.String(), "Content-Type", "application/x-ndjson")
	if status != 200 || at(a, "errors") != false {
		r.t.Fatalf("bulk: %d %v", status, a)
	}
}

func (r *rig) total(query string) any {
	r.t.Helper()
	status, a := r.do("POST", "/web-*/_count", `{"query":`+query+`}`)
	if status != 200 {
		return at(a, "error", "reason")
	}
	return at(a, "count")
}

func TestQueries(t *testing.T) {
	r := newRig(t)
	r.fill()
	for query, want := range map[string]float64{
		`{"match_all":{}}`:                 120,
		`{"match_none":{}}`:                0,
		`{"match":{"message":"cart"}}`:     120,
		`{"match":{"message":"CART 117"}}`: 120,
		`{"match":{"message":{"query":"cart 117","operator":"and"}}}`:                                    2,
		`{"match_phrase":{"message":"get cart 39"}}`:                                                     1,
		`{"match":{"http.status":500}}`:                                                                  12,
		`{"match":{"http.status":"500"}}`:                                                                12,
		`{"term":{"log.level":"error"}}`:                                                                 12,
		`{"term":{"log.level.keyword":{"value":"error"}}}`:                                               12,
		`{"term":{"log.level":{"value":"ERROR","case_insensitive":true}}}`:                               12,
		`{"term":{"ok":false}}`:                                                                          12,
		`{"terms":{"host.name":["web-0","web-1"]}}`:                                                      80,
		`{"term":{"tags":"b1"}}`:                                                                         60,
		`{"range":{"bytes":{"gte":1000,"lt":2000}}}`:                                                     10,
		`{"range":{"@timestamp":{"gte":"2026-01-02T03:01:00Z"}}}`:                                        60,
		`{"range":{"@timestamp":{"gte":1767322860000,"format":"epoch_millis"}}}`:                         60,
		`{"range":{"@timestamp":{"gte":"2026-01-02","lte":"2026-01-02"}}}`:                               120,
		`{"range":{"@timestamp":{"gte":"2026-01-02T04:01:00","time_zone":"+01:00"}}}`:                    60,
		`{"exists":{"field":"http"}}`:                                                                    120,
		`{"exists":{"field":"http.status"}}`:                                                             120,
		`{"exists":{"field":"nope"}}`:                                                                    0,
		`{"prefix":{"host.name":"web-"}}`:                                                                120,
		`{"wildcard":{"host.name":{"value":"*-2"}}}`:                                                     40,
		`{"regexp":{"host.name":"web-[01]"}}`:                                                            80,
		`{"bool":{"filter":[{"term":{"host.name":"web-0"}}],"must_not":{"term":{"log.level":"error"}}}}`: 36,
		`{"bool":{"should":[{"term":{"host.name":"web-0"}},{"term":{"host.name":"web-1"}},{"term":{"log.level":"error"}}],"minimum_should_match":2}}`:                                                   8,
		`{"bool":{"minimum_should_match":"50%","should":[` + strings.Repeat(`{"term":{"host.name":"web-0"}},`, 511) + strings.Repeat(`{"term":{"nope":1}},`, 512) + `{"term":{"log.level":"error"}}]}}`: 4,
		`{"query_string":{"query":"log.level:error AND host.name:web\\-0"}}`:                                                                                                                            4,
		`{"query_string":{"query":"http.status:[500 TO *]"}}`:                                                                                                                                           12,
		`{"query_string":{"query":"took","default_field":"message"}}`:                                                                                                                                   120,
		`{"simple_query_string":{"query":"cart + -error","fields":["message","log.level"]}}`:                                                                                                            108,
		`{"multi_match":{"query":"error","fields":["message","log.level"]}}`:                                                                                                                            12,
		`{"constant_score":{"filter":{"term":{"log.level":"error"}}}}`:                                                                                                                                  12,
	} {
		if got := r.total(query); got != want {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

// At least so many clauses: a negative number leaves out so many of them, however
// few these are, and of optional clauses alone one is needed, whatever is said.
func TestMinimumShouldMatch(t *testing.T) {
	r := newRig(t)
	r.fill()
	for query, want := range map[string]float64{
		`{"match":{"message":{"query":"cart nope never","minimum_should_match":"-25%"}}}`:                                          0,
		`{"match":{"message":{"query":"cart get took","minimum_should_match":"-25%"}}}`:                                            120,
		`{"match":{"message":{"query":"cart nope get","minimum_should_match":"-34%"}}}`:                                            120,
		`{"match":{"message":{"query":"nope never","minimum_should_match":"10%"}}}`:                                                0,
		`{"match":{"message":{"query":"cart never","minimum_should_match":"10%"}}}`:                                                120,
		`{"match":{"message":{"query":"nope never","minimum_should_match":"-5"}}}`:                                                 0,
		`{"match":{"message":{"query":"nope never","minimum_should_match":0}}}`:                                                    0,
		`{"match":{"message":{"query":"cart get","minimum_should_match":"9000000000000000000%"}}}`:                                 0,
		`{"bool":{"should":[{"term":{"host.name":"nope"}},{"term":{"host.name":"nope2"}}],"minimum_should_match":0}}`:              0,
		`{"bool":{"should":[{"term":{"host.name":"web-0"}},{"term":{"host.name":"nope"}}],"minimum_should_match":0}}`:              40,
		`{"bool":{"must_not":[{"term":{"host.name":"web-0"}}],"should":[{"term":{"host.name":"nope"}}],"minimum_should_match":0}}`: 0,
		`{"bool":{"filter":[{"term":{"host.name":"web-0"}}],"should":[{"term":{"host.name":"nope"}}],"minimum_should_match":0}}`:   40,
		`{"bool":{"must":[{"match_all":{}}],"should":[{"term":{"host.name":"nope"}}]}}`:                                            120,
		`{"bool":{"must":[],"filter":[],"should":[{"term":{"host.name":"nope"}}],"must_not":[]}}`:                                  0,
		`{"bool":{"must":[],"filter":[],"should":[{"term":{"host.name":"web-1"}}],"must_not":[]}}`:                                 40,
		`{"multi_match":{"query":"cart nope","fields":["message"],"minimum_should_match":2}}`:                                      0,
		`{"multi_match":{"query":"cart get","fields":["message"],"minimum_should_match":2}}`:                                       120,
		`{"multi_match":{"query":"cart nope","fields":["message"]}}`:                                                               120,
	} {
		if got := r.total(query); got != want {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

func TestQueriesRefused(t *testing.T) {
	r := newRig(t)
	for query, why := range map[string]string{
		`{"more_like_this":{}}`:                                  "more_like_this",
		`{"match":{"message":{"query":"x","fuzziness":"AUTO"}}}`: "fuzziness",
		`{"range":{"a":{"near":1}}}`:                             "near",
		`{"regexp":{"a":"("}}`:                                   "regular expression",
		`{"query_string":{"query":"a:("}}`:                       "Failed to parse",
		`{"range":{"@timestamp":{"gte":"tomorrow"}}}`:            "tomorrow",
		strings.Repeat(`{"bool":{"must":`, 60) + `{"match_all":{}}` + strings.Repeat(`}}`, 60): "nested depth",
		`{"term":{"a":1},"x":{}}`: "malformed",
	} {
		status, a := r.do("POST", "/_search", `{"query":`+query+`}`)
		if reason, _ := at(a, "error", "reason").(string); status != 400 || !strings.Contains(reason, why) {
			t.Errorf("%.60s: %d %v", query, status, a)
		}
	}
	if status, _ := r.do("POST", "/_search", strings.Repeat(`{"query":`, 100_000)); status != 400 {
		t.Errorf("a bomb of brackets: %d", status)
	}
	for _, body := range []string{`{"rescore":{}}`, `{"size":-1}`, `{"from":9999,"size":100}`, `{"aggs":{"a":{"geo_bounds":{}}}}`, `{"sort":[{"a":{"missing":"_first"}}]}`, `{"post_filter":{"match_all":{}}}`, `[]`, `{"query":3}`} {
		if status, a := r.do("POST", "/_search", body); status != 400 {
			t.Errorf("%s: %d %v", body, status, a)
		}
	}
}

func TestSearch(t *testing.T) {
	r := newRig(t)
	r.fill()
	status, a := r.do("POST", "/web-2026/_search", `{"size":2,"sort":[{"@timestamp":"asc"}],"_source":["message","http.*"],"query":{"match":{"log.level":"error"}},"highlight":{"fields":{"log.level":{}}}}`)
	if status != 200 || at(a, "hits", "total", "value") != 12.0 || at(a, "hits", "hits", 0, "_source", "message") != "GET /cart/0 took 0 ms" {
		t.Fatalf("%d %v", status, a)
	}
	if got := at(a, "hits", "hits", 0, "_source"); !reflect.DeepEqual(got, map[string]any{"message": "GET /cart/0 took 0 ms", "http": map[string]any{"status": 500.0}}) {
		t.Errorf("_source is %v", got)
	}
	if got := at(a, "hits", "hits", 0, "highlight", "log.level", 0); got != "<em>error</em>" {
		t.Errorf("highlight is %v", got)
	}
	// All hits once, by search_after, by a point in time, and by scroll.
	seen := map[string]bool{}
	after := ""
	for range 20 {
		_, a := r.do("POST", "/web-*/_search", `{"size":17,"sort":[{"bytes":"desc"}]`+after+`}`)
		hits, _ := at(a, "hits", "hits").([]any)
		if len(hits) == 0 {
			break
		}
		for _, h := range hits {
			seen[fmt.Sprint(at(h, "_id"))] = true
		}
		last, _ := json.Marshal(at(hits[len(hits)-1], "sort"))
		after = `,"search_after":` + string(last)
	}
	if len(seen) != 120 {
		t.Errorf("search_after found %d", len(seen))
	}
	_, p := r.do("POST", "/web-*/_pit?keep_alive=1m", "")
	clear(seen)
	after = ""
	for range 20 {
		_, a := r.do("POST", "/_search", fmt.Sprintf(`{"size":17,"pit":{"id":%q},"sort":[{"@timestamp":"desc"},{"_shard_doc":"asc"}]%s}`, at(p, "id"), after))
		hits, _ := at(a, "hits", "hits").([]any)
		if len(hits) == 0 {
			break
		}
		for _, h := range hits {
			seen[fmt.Sprint(at(h, "_id"))] = true
		}
		last, _ := json.Marshal(at(hits[len(hits)-1], "sort"))
		after = `,"search_after":` + string(last)
	}
	if len(seen) != 120 {
		t.Errorf("a point in time found %d", len(seen))
	}
	clear(seen)
	_, a = r.do("POST", "/web-*/_search?scroll=1m", `{"size":50}`)
	for range 5 {
		hits, _ := at(a, "hits", "hits").([]any)
		for _, h := range hits {
			seen[fmt.Sprint(at(h, "_id"))] = true
		}
		if len(hits) == 0 {
			break
		}
		_, a = r.do("POST", "/_search/scroll", fmt.Sprintf(`{"scroll":"1m","scroll_id":%q}`, at(a, "_scroll_id")))
	}
	if len(seen) != 120 {
		t.Errorf("a scroll found %d", len(seen))
	}
	if status, _ := r.do("POST", "/_search/scroll", `{"scroll_id":"x"}`); status != 404 {
		t.Errorf("an unknown scroll: %d", status)
	}
	status, a = r.do("POST", "/_msearch", "{\"index\":\"web-*\"}\n{\"size\":0}\n{}\n{\"query\":{\"nope\":{}}}\n", "Content-Type", "application/x-ndjson")
	if status != 200 || at(a, "responses", 0, "hits", "total", "value") != 120.0 || at(a, "responses", 1, "status") != 400.0 {
		t.Errorf("_msearch: %d %v", status, a)
	}
}

func TestAggregations(t *testing.T) {
	r := newRig(t)
	r.fill()
	_, a := r.do("POST", "/web-*/_search?size=0", `{"aggs":{
		"levels":{"terms":{"field":"log.level"},"aggs":{"hosts":{"terms":{"field":"host.name.keyword","size":2},"aggs":{"b":{"avg":{"field":"bytes"}},"newest":{"top_hits":{"size":1}}}},"b":{"max":{"field":"bytes"}}}},
		"time":{"date_histogram":{"field":"@timestamp","fixed_interval":"30s"},"aggs":{"e":{"filter":{"term":{"log.level":"error"}}}}},
		"day":{"date_histogram":{"field":"@timestamp","calendar_interval":"day","time_zone":"Europe/Vienna"}},
		"hist":{"histogram":{"field":"bytes","interval":5000}},
		"ranges":{"range":{"field":"bytes","ranges":[{"to":1000},{"from":1000,"to":2000},{"from":2000}]},"aggs":{"s":{"stats":{"field":"bytes"}}}},
		"by":{"filters":{"filters":{"bad":{"term":{"http.status":500}},"web0":{"term":{"host.name":"web-0"}}},"other_bucket_key":"rest"}},
		"card":{"cardinality":{"field":"host.name"}},
		"pct":{"percentiles":{"field":"bytes","percents":[50,99]}},
		"st":{"extended_stats":{"field":"bytes"}},
		"vc":{"value_count":{"field":"bytes"}},
		"none":{"missing":{"field":"nope"}},
		"latest":{"max":{"field":"@timestamp"}},
		"c":{"composite":{"size":3,"sources":[{"l":{"terms":{"field":"log.level"}}},{"h":{"terms":{"field":"host.name"}}}]}}
	}}`)
	g := at(a, "aggregations")
	for _, c := range []struct {
		path []any
		want any
	}{
		{[]any{"levels", "buckets", 0, "key"}, "info"},
		{[]any{"levels", "buckets", 0, "doc_count"}, 108.0},
		{[]any{"levels", "buckets", 1, "b", "value"}, 11000.0},
		{[]any{"levels", "buckets", 1, "hosts", "buckets", 0, "doc_count"}, 4.0},
		{[]any{"levels", "buckets", 1, "hosts", "sum_other_doc_count"}, 4.0},
		{[]any{"levels", "buckets", 1, "hosts", "buckets", 0, "b", "value"}, 4500.0},
		{[]any{"levels", "buckets", 1, "hosts", "buckets", 0, "newest", "hits", "hits", 0, "_source", "bytes"}, 9000.0},
		{[]any{"time", "buckets", 0, "doc_count"}, 30.0},
		{[]any{"time", "buckets", 3, "e", "doc_count"}, 3.0},
		{[]any{"day", "buckets", 0, "key_as_string"}, "2026-01-02T00:00:00.000+01:00"},
		{[]any{"hist", "buckets", 1, "key"}, 5000.0},
		{[]any{"hist", "buckets", 1, "doc_count"}, 50.0},
		{[]any{"ranges", "buckets", 0, "key"}, "*-1000.0"},
		{[]any{"ranges", "buckets", 1, "doc_count"}, 10.0},
		{[]any{"ranges", "buckets", 1, "s", "avg"}, 1450.0},
		{[]any{"by", "buckets", "bad", "doc_count"}, 12.0},
		{[]any{"by", "buckets", "rest", "doc_count"}, 72.0},
		{[]any{"card", "value"}, 3.0},
		{[]any{"st", "count"}, 120.0},
		{[]any{"st", "sum"}, 714000.0},
		{[]any{"vc", "value"}, 120.0},
		{[]any{"none", "doc_count"}, 120.0},
		{[]any{"latest", "value_as_string"}, "2026-01-02T03:01:59.000Z"},
		{[]any{"c", "buckets", 2, "key", "h"}, "web-2"},
		{[]any{"c", "after_key", "l"}, "error"},
	} {
		if got := at(g, c.path...); got != c.want {
			t.Errorf("%v is %v, want %v", c.path, got, c.want)
		}
	}
	if p, _ := at(g, "pct", "values", "50.0").(float64); p < 5800 || p > 6000 {
		t.Errorf("the median is %v", p)
	}
	_, a = r.do("POST", "/web-*/_search?size=0", `{"aggs":{"c":{"composite":{"size":10,"after":{"l":"error","h":"web-2"},"sources":[{"l":{"terms":{"field":"log.level"}}},{"h":{"terms":{"field":"host.name"}}}]}}}}`)
	if got := at(a, "aggregations", "c", "buckets", 0, "key", "l"); got != "info" || at(a, "aggregations", "c", "buckets", 3) != nil {
		t.Errorf("the second page begins with %v", a)
	}
	_, a = r.do("POST", "/web-*/_search?size=0&typed_keys", `{"aggs":{"s":{"terms":{"field":"http.status","order":{"b":"desc"}},"aggs":{"b":{"sum":{"field":"bytes"}}}}}}`)
	if got := at(a, "aggregations", "lterms#s", "buckets", 0, "key"); got != 200.0 {
		t.Errorf("terms by a metric: %v", a)
	}
}

func TestBulkFailsItemsAlone(t *testing.T) {
	r := newRig(t)
	body := strings.Join([]string{
		`{"index":{"_index":"a","_type":"_doc","_id":"1"}}`, `{"message":"one"}`,
		`{"index":{"_index":"a"}}`, `{"message":`,
		`{"create":{"_index":"a","_id":"1"}}`, `{"message":"again"}`,
		`{"index":{"_index":"A*"}}`, `{"message":"x"}`,
		`{"delete":{"_index":"a","_id":"9"}}`,
		`{"index":{"_index":"a"}}`, `{"@timestamp":"soon"}`,
		`{"index":{"_index":"a"}}`, `{"@timestamp":"1970-01-01T00:00:00Z","message":"old"}`,
		`{"index":{"_index":"a"}}`, "{\"message\":\"\xff\xfe\"}",
	}, "\n") + "\n"
	status, a := r.do("POST", "/_bulk", body)
	var got []any
	items, _ := at(a, "items").([]any)
	for _, it := range items {
		for _, v := range it.(map[string]any) {
			got = append(got, at(v, "status"))
		}
	}
	if want := "[201 400 409 400 400 400 201 201]"; status != 200 || fmt.Sprint(got) != want || at(a, "errors") != true {
		t.Errorf("%d %v, want %s", status, got, want)
	}
	status, a = r.do("GET", "/a/_doc/1", "")
	if status != 200 || at(a, "_source", "message") != "one" {
		t.Errorf("get: %d %v", status, a)
	}
	if status, _ := r.do("GET", "/a/_doc/2", ""); status != 404 {
		t.Errorf("an unknown id: %d", status)
	}
	if status, _ := r.do("PUT", "/a/_create/1", `{}`); status != 409 {
		t.Errorf("create of a known id: %d", status)
	}
	for _, body := range []string{"", "x\n", "{\"index\":{}}\n", "{\"frob\":{}}\n{}\n", "{}\n{}\n"} {
		if status, _ := r.do("POST", "/_bulk", body); status != 400 {
			t.Errorf("%q: %d", body, status)
		}
	}
	if r.count.n["taken"] != 3 || r.count.n["mended time in the past"] != 1 {
		t.Errorf("counted %v", r.count.n)
	}
}

func TestBodies(t *testing.T) {
	r := newRig(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, "{\"index\":{\"_index\":\"z\"}}\n{\"message\":\"packed\"}\n")
	_ = z.Close()
	if status, a := r.do("POST", "/_bulk", packed.String(), "Content-Encoding", "gzip"); status != 200 || at(a, "errors") != false {
		t.Errorf("gzip: %d %v", status, a)
	}
	packed.Reset()
	z = gzip.NewWriter(&packed)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 100<<20))
	_ = z.Close()
	if status, _ := r.do("POST", "/_bulk", packed.String(), "Content-Encoding", "gzip"); status != 413 {
		t.Errorf("a gzip bomb: %d", status)
	}
	big := "{\"index\":{\"_index\":\"z\"}}\n{\"message\":\"" + strings.Repeat("x", 16<<20) + "\"}\n"
	if status, a := r.do("POST", "/_bulk", big); status != 200 || at(a, "errors") != false {
		t.Errorf("16 MiB: %d %v", status, at(a, "errors"))
	}
	if status, _ := r.do("POST", "/_bulk", "a=b", "Content-Type", "application/x-www-form-urlencoded"); status != 406 {
		t.Errorf("a form: %d", status)
	}
	for v, want := range map[string]int{"8": 200, "9": 200, "7": 400} {
		w := r.raw("POST", "/z/_search", `{"size":0}`, "Content-Type", "application/vnd.elasticsearch+json; compatible-with="+v, "Accept", "application/vnd.elasticsearch+json; compatible-with="+v)
		if w.Code != want || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/vnd.elasticsearch+json;compatible-with="+v) {
			t.Errorf("compatible-with=%s: %d %s", v, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

func TestWhatShippersAsk(t *testing.T) {
	r := newRig(t)
	r.fill()
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/", "", 200}, {"HEAD", "/", "", 200}, {"GET", "/_cluster/health", "", 200}, {"GET", "/_license", "", 200}, {"GET", "/_xpack", "", 200},
		{"GET", "/_nodes", "", 200}, {"GET", "/_nodes/_local/stats", "", 200}, {"GET", "/_nodes/stats", "", 200}, {"GET", "/_cluster/stats", "", 200},
		{"HEAD", "/_index_template/x", "", 404}, {"PUT", "/_index_template/x", `{"index_patterns":["x-*"]}`, 200}, {"HEAD", "/_index_template/x", "", 200},
		{"PUT", "/_component_template/c", `{"template":{}}`, 200}, {"GET", "/_component_template/c", "", 200}, {"PUT", "/_template/t", `{"index_patterns":"*"}`, 200}, {"GET", "/_template/t", "", 200},
		{"PUT", "/_ilm/policy/p", `{"policy":{"phases":{}}}`, 200}, {"GET", "/_ilm/policy/p", "", 200}, {"DELETE", "/_ilm/policy/p", "", 200}, {"GET", "/_ilm/policy/p", "", 404},
		{"PUT", "/_ingest/pipeline/e", `{"processors":[]}`, 200}, {"PUT", "/_ingest/pipeline/g", `{"processors":[{"grok":{}}]}`, 400}, {"GET", "/_ingest/pipeline/g", "", 404},
		{"POST", "/_bulk?pipeline=g", "{\"index\":{\"_index\":\"a\"}}\n{}\n", 400}, {"POST", "/_bulk?pipeline=e", "{\"index\":{\"_index\":\"a\"}}\n{}\n", 200},
		{"HEAD", "/new", "", 404}, {"PUT", "/new", `{"mappings":{}}`, 200}, {"HEAD", "/new", "", 200}, {"PUT", "/new", "", 400}, {"DELETE", "/new", "", 200}, {"DELETE", "/new", "", 404},
		{"DELETE", "/web-2026", "", 400}, {"PUT", "/_BAD", "", 400}, {"GET", "/web-2026/_mapping", "", 200}, {"GET", "/web-*/_field_caps?fields=*", "", 200},
		{"GET", "/_cat/indices?v", "", 200}, {"GET", "/_cat/indices?format=json", "", 200}, {"POST", "/web-2026/_refresh", "", 200}, {"GET", "/_all/_search", "", 200},
		{"GET", "/_sql", "", 400}, {"PATCH", "/_bulk", "", 405}, {"GET", "/web-2026/_settings", "", 200}, {"GET", "/_stats", "", 200},
	} {
		w := r.raw(c.method, c.path, c.body)
		if w.Code != c.status || w.Header().Get("X-Elastic-Product") != "Elasticsearch" {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, w.Code, w.Body, c.status)
		}
	}
	_, a := r.do("GET", "/web-2026/_mapping", "")
	if got := at(a, "web-2026", "mappings", "properties", "http", "properties", "status", "type"); got != "long" {
		t.Errorf("the mapping of http.status is %v", got)
	}
	_, a = r.do("GET", "/web-2026/_field_caps?fields=message*", "")
	if at(a, "fields", "message", "text", "searchable") != true || at(a, "fields", "message.keyword", "keyword", "aggregatable") != true {
		t.Errorf("field caps: %v", a)
	}
}

// Whatever comes in a search, the answer is one of Elasticsearch's and never an
// internal error.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{
		`{"query":{"bool":{"must":[{"match":{"a":"b"}}],"should":{"range":{"@timestamp":{"gte":"now-1d/d"}}}}}}`,
		`{"size":1,"sort":["_doc",{"a":"desc"}],"search_after":[1,2],"_source":{"includes":["a*"]}}`,
		`{"aggs":{"t":{"terms":{"field":"a","order":{"m":"asc"}},"aggs":{"m":{"sum":{"field":"b"}},"d":{"date_histogram":{"calendar_interval":"1w","time_zone":"-03:00"}}}}}}`,
		`{"aggs":{"r":{"date_range":{"ranges":[{"from":"2020","to":"now"}]}},"c":{"composite":{"sources":[{"x":{"histogram":{"field":"a","interval":2}}}]}}}}`,
	} {
		f.Add(s)
	}
	db, err := eventdb.Open(f.Context(), eventdb.Config{Dir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	may := func(*http.Request) error { return nil }
	door := elasticsearch.New(elasticsearch.Config{Events: db, Documents: &kept{}, Counts: &counted{}, Ingest: may, Read: may, Logger: slog.New(slog.DiscardHandler)})
	post := func(path, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("POST", path, strings.NewReader(body))
		w := httptest.NewRecorder()
		door.ServeHTTP(w, req)
		return w
	}
	post("/_bulk", "{\"index\":{\"_index\":\"f\"}}\n{\"a\":\"b\",\"b\":3}\n{\"index\":{\"_index\":\"f\"}}\n{\"a\":7,\"b\":-1.5}\n")
	f.Fuzz(func(t *testing.T, body string) {
		if w := post("/_search", body); w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
	})
}

// Whatever comes as a bulk, each item is answered, and nothing is a crash.
func FuzzBulk(f *testing.F) {
	f.Add("{\"index\":{\"_index\":\"a\",\"_type\":\"t\"}}\n{\"m\":1}\n")
	f.Add("{\"create\":{\"_index\":\"a\",\"_id\":7}}\n{\"@timestamp\":1}\n\n{\"delete\":{}}\n")
	db, err := eventdb.Open(f.Context(), eventdb.Config{Dir: f.TempDir(), Sync: eventdb.SyncInterval})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	may := func(*http.Request) error { return nil }
	door := elasticsearch.New(elasticsearch.Config{Events: db, Documents: &kept{}, Counts: &counted{}, Ingest: may, Read: may, Logger: slog.New(slog.DiscardHandler)})
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		door.ServeHTTP(w, httptest.NewRequest("POST", "/_bulk", strings.NewReader(body)))
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}

// An index of very many fields lists the most frequent ones and says how many it
// leaves out; a field that is named is found all the same.
func TestVeryManyFields(t *testing.T) {
	r := newRig(t)
	const names = 6000
	var b strings.Builder
	for i := range names {
		fmt.Fprintf(&b, "{\"index\":{\"_index\":\"wide\"}}\n{\"@timestamp\":\"2026-01-02T03:04:05Z\",\"zone\":\"a\",\"own%d\":%d}\n", i, i)
	}
	if status, a := r.do("POST", "/_bulk", b.String()); status != 200 || at(a, "errors") != false {
		t.Fatalf("bulk: %d %.300v", status, a)
	}
	for _, path := range []string{"/wide/_mapping", "/wide"} {
		_, a := r.do("GET", path, "")
		mappings := at(a, "wide", "mappings")
		listed, _ := at(mappings, "properties").(map[string]any)
		left, _ := at(mappings, "_meta", "fields_left_out").(float64)
		if listed["zone"] == nil || listed["@timestamp"] == nil || len(listed) > 5001 || len(listed) < 4900 || left < names-5000 {
			t.Errorf("%s: %d properties, %v left out", path, len(listed), left)
		}
	}
	_, a := r.do("GET", "/wide/_field_caps?fields=zone,zone.keyword", "")
	if at(a, "fields", "zone", "keyword") == nil {
		t.Errorf("of zone: %.300v", a)
	}
	for i := range names {
		if i%500 != 0 {
			continue
		}
		name := fmt.Sprintf("own%d", i)
		if _, a := r.do("GET", "/wide/_field_caps?fields="+name, ""); at(a, "fields", name, "long") == nil {
			t.Errorf("of %s: %.300v", name, a)
		}
	}
}
