package elasticsearch_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// refusals asks each question and wants a refusal that says why.
func (r *rig) refusals(questions map[string]string) {
	r.t.Helper()
	for body, why := range questions {
		status, a := r.do("POST", "/web-*/_search", body)
		if got := fmt.Sprint(at(a, "error", "reason")); status != 400 || !strings.Contains(got, why) {
			r.t.Errorf("%s: %d %s, want one that says %q", body, status, got, why)
		}
	}
}

// hits asks each question and wants so many answers.
func (r *rig) hits(index string, questions map[string]float64) {
	r.t.Helper()
	for body, want := range questions {
		status, a := r.do("POST", "/"+index+"/_search", body)
		if status != 200 || at(a, "hits", "total", "value") != want {
			r.t.Errorf("%s: %d, %v found, want %v: %v", body, status, at(a, "hits", "total", "value"), want, at(a, "error", "reason"))
		}
	}
}

// put sends documents to an index.
func (r *rig) put(index string, documents ...string) {
	r.t.Helper()
	var b strings.Builder
	for _, doc := range documents {
		fmt.Fprintf(&b, "{\"index\":{\"_index\":%q}}\n%s\n", index, doc)
	}
	if status, a := r.do("POST", "/_bulk", b.String()); status != 200 || at(a, "errors") != false {
		r.t.Fatalf("bulk: %d %v", status, a)
	}
}

// What Elasticsearch answers from a link between the values of one object of an
// array, which is not kept, is refused.
func TestNestedIsRefused(t *testing.T) {
	r := newRig(t)
	r.put("web-n", `{"items":[{"k":"a","v":1},{"k":"b","v":2}]}`)
	r.refusals(map[string]string{
		`{"query":{"nested":{"path":"items","query":{"bool":{"must":[{"term":{"items.k":"a"}},{"term":{"items.v":2}}]}}}}}`: "does not cover the query [nested]",
		`{"query":{"bool":{"must_not":{"nested":{"path":"items","query":{"match_all":{}}}}}}}`:                              "[nested]",
		`{"aggs":{"n":{"nested":{"path":"items"}}}}`:                                                                        "[nested]",
	})
}

func TestStringQueries(t *testing.T) {
	r := newRig(t)
	r.put("web-q", `{"message":"the quick fox","mode":"fast","n":7}`, `{"message":"a slow dog","mode":"slow"}`)
	r.hits("web-q", map[string]float64{
		`{"query":{"query_string":{"query":"quick","fields":["m*"]}}}`:                1,
		`{"query":{"query_string":{"query":"slow","fields":["mo*"]}}}`:                1,
		`{"query":{"query_string":{"query":"m*:dog"}}}`:                               1,
		`{"query":{"simple_query_string":{"query":"quick | dog","fields":["m*^2"]}}}`: 2,
		`{"query":{"simple_query_string":{"query":"fox + (quick","fields":["m*"]}}}`:  1,
		`{"query":{"simple_query_string":{"query":"\"quick fox"}}}`:                   1,
		`{"query":{"simple_query_string":{"query":"+ |"}}}`:                           0,
		`{"query":{"simple_query_string":{"query":"slow + -fox"}}}`:                   1,
		`{"query":{"multi_match":{"query":"quick","fields":["m*"]}}}`:                 1,
	})
	r.refusals(map[string]string{
		`{"query":{"simple_query_string":{"query":"quikc~1"}}}`:                       "not covered",
		`{"query":{"simple_query_string":{"query":"a","flags":"NONE"}}}`:              "flags: NONE",
		`{"query":{"query_string":{"query":"a","type":"phrase"}}}`:                    "type: phrase",
		`{"query":{"query_string":{"query":"d:[now-1d TO *]","time_zone":"+02:00"}}}`: "time_zone",
	})
	if status, a := r.do("GET", "/web-q/_search?q=dog&df=message", ""); status != 200 || at(a, "hits", "total", "value") != 1.0 {
		t.Errorf("df: %d %v", status, a)
	}
}

func TestActionsOfABulk(t *testing.T) {
	r := newRig(t)
	body := strings.Join([]string{
		`{"index":{"_index":"w","pipeline":null},"attempts":0}`, `{"message":"one"}`,
		`{"index":{"_index":"w","_id":"null"}}`, `{"message":"two"}`,
		`{"create":{"_index":"w","_id":"null"}}`, `{"message":"two again"}`,
		`{"index":{"_index":"w","_id":""}}`, `{"message":"three"}`,
		`{"index":{"_index":"w","_id":null}}`, `{"message":"four"}`,
		`{"index":{"_index":"w","pipeline":"nope"}}`, `{"message":"five"}`,
		`{"index":{"_index":"w","_id":7,"pipeline":"_none"}}`, `{"message":"six"}`,
		`{"index":{"_index":"w","_id":"x","op_type":"create"}}`, `{"message":"seven"}`,
	}, "\n") + "\n"
	status, a := r.do("POST", "/_bulk", body)
	items, _ := at(a, "items").([]any)
	var got []any
	for _, it := range items {
		for name, v := range it.(map[string]any) {
			got = append(got, name, at(v, "status"))
		}
	}
	if want := "[index 201 index 201 create 409 index 400 index 201 index 400 index 201 create 201]"; status != 200 || fmt.Sprint(got) != want {
		t.Errorf("%d %v, want %s", status, got, want)
	}
	if got := fmt.Sprint(at(items, 5, "index", "error", "reason")); got != "pipeline with id [nope] does not exist" {
		t.Errorf("of an unknown pipeline: %s", got)
	}
	if status, a := r.do("GET", "/w/_doc/null", ""); status != 200 || at(a, "_source", "message") != "two" {
		t.Errorf("the document null: %d %v", status, a)
	}
	for line, why := range map[string]string{
		`[]`: "expected an object", `{"index":7}`: "expected an object after [index]", `{"index":{"_index":7}}`: "[_index] must be a string",
		`{"attempts":0}`: "unknown action [attempts]", `{"index":{},"create":{}}`: "expected one action", `{"index":{"_id":{}}}`: "[_id] must be a string",
	} {
		_, a := r.do("POST", "/w/_bulk", line+"\n{}\n")
		if got := fmt.Sprint(at(a, "error", "reason")); !strings.Contains(got, why) || strings.Contains(got, "Go ") {
			t.Errorf("%s: %s, want one that says %q", line, got, why)
		}
	}
}

func TestIndicesThatAreNotThere(t *testing.T) {
	r := newRig(t)
	r.put("there", `{"message":"one"}`)
	r.do("PUT", "/made", "")
	for path, want := range map[string]int{
		"/nope/_search": 404, "/nope/_count": 404, "/there,nope/_search": 404, "/there/_search": 200, "/made/_search": 200, "/no*/_search": 200,
		"/nope/_search?ignore_unavailable=true": 200, "/no*/_search?allow_no_indices=false": 404, "/the*/_count?allow_no_indices=false": 200,
		"/nope/_search?scroll=1m": 404, "/nope/_field_caps?fields=*": 404, "/_all/_search": 200, "/there,-nope/_search": 200,
		"/nope/_search?ignore_unavailable=true&allow_no_indices=false": 404,
	} {
		status, a := r.do("GET", path, "")
		if status != want || want == 404 && at(a, "error", "type") != "index_not_found_exception" {
			t.Errorf("%s: %d %v, want %d", path, status, a, want)
		}
	}
	if status, _ := r.do("POST", "/nope/_pit?keep_alive=1m", ""); status != 404 {
		t.Errorf("a point in time: %d", status)
	}
	_, a := r.do("POST", "/_msearch", "{\"index\":\"nope\"}\n{}\n{\"index\":\"nope\",\"ignore_unavailable\":true}\n{}\n")
	if at(a, "responses", 0, "status") != 404.0 || at(a, "responses", 1, "status") != 200.0 {
		t.Errorf("_msearch: %v", a)
	}
}

func TestPathsThatAreNotCovered(t *testing.T) {
	r := newRig(t)
	r.put("there", `{"message":"one","n":1}`)
	for _, c := range [][2]string{{"DELETE", "/there/_doc/1"}, {"PUT", "/there/_mapping"}, {"PUT", "/there/_settings"}, {"POST", "/there/_delete_by_query"}, {"POST", "/there/_update/1"}} {
		status, a := r.do(c[0], c[1], "{}")
		if got := fmt.Sprint(at(a, "error", "reason")); status != 400 || !strings.Contains(got, "daytwo does not cover") {
			t.Errorf("%s %s: %d %s", c[0], c[1], status, got)
		}
	}
	if _, a := r.do("GET", "/nope/_search?filter_path=hits", ""); at(a, "error", "type") != "index_not_found_exception" {
		t.Errorf("an error with filter_path: %v", a)
	}
	for paths, want := range map[string]string{
		"hits.total.value":                    `{"hits":{"total":{"value":1}}}`,
		"hits.hits._source.n,nope":            `{"hits":{"hits":[{"_source":{"n":1}}]}}`,
		"**.n":                                `{"hits":{"hits":[{"_source":{"n":1}}]}}`,
		"h*.t*,-**.relation":                  `{"hits":{"total":{"value":1}}}`,
		"nope":                                `{}`,
		strings.Repeat("**.", 300) + "n":      `{"hits":{"hits":[{"_source":{"n":1}}]}}`,
		strings.Repeat("**.*.", 6) + "n,**.n": `{"hits":{"hits":[{"_source":{"n":1}}]}}`,
		"-hits,-took,-_sh*":                   `{"timed_out":false}`,
		"hits.hits,-hits.hits._i*,-hits.hits._source.message,-**.@timestamp": `{"hits":{"hits":[{"_score":1,"_source":{"n":1}}]}}`,
	} {
		w := r.raw("GET", "/there/_search?filter_path="+paths, "")
		if got := w.Body.String(); got != want {
			t.Errorf("filter_path=%s is %s, want %s", paths, got, want)
		}
	}
	if w := r.raw("GET", "/there/_search?filter_path="+strings.Repeat("a.", 2000)+"a", ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "filter_path") {
		t.Errorf("a path of 2,001 names: %d %s", w.Code, w.Body)
	}
}
