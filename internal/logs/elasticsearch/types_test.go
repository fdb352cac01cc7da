package elasticsearch_test

import (
	"fmt"
	"strings"
	"testing"
)

// Dates in other fields than @timestamp are compared as moments, or the question
// is refused.
func TestRangesOfDates(t *testing.T) {
	r := newRig(t)
	r.put("web-d", `{"t":"2026-01-02T03:04:05Z"}`, `{"t":"2026-01-02T03:04:05.500Z"}`, `{"t":"2026-01-02T03:04:06Z"}`, `{"t":"2026-01-03"}`, `{"t":1767409446000}`)
	r.hits("web-d", map[string]float64{
		`{"query":{"range":{"t":{"gte":"2026-01-02T03:04:05Z"}}}}`:                                  5,
		`{"query":{"range":{"t":{"gt":"2026-01-02T03:04:05Z"}}}}`:                                   4,
		`{"query":{"range":{"t":{"gte":"2026-01-02T03:04:05.5Z"}}}}`:                                4,
		`{"query":{"range":{"t":{"gt":"2026-01-02T03:04:05.5Z"}}}}`:                                 3,
		`{"query":{"range":{"t":{"lt":"2026-01-02T03:04:05.5Z"}}}}`:                                 1,
		`{"query":{"range":{"t":{"lte":"2026-01-02T04:04:05.5+01:00"}}}}`:                           2,
		`{"query":{"range":{"t":{"gte":"2026-01-02","lt":"2026-01-03"}}}}`:                          3,
		`{"query":{"range":{"t":{"gte":"02/01/2026","lte":"02/01/2026","format":"dd/MM/yyyy"}}}}`:   3,
		`{"query":{"range":{"t":{"gt":"02/01/2026","format":"dd/MM/yyyy"}}}}`:                       2,
		`{"query":{"range":{"t":{"gte":"2026-01-03","time_zone":"-01:00"}}}}`:                       1,
		`{"query":{"range":{"t":{"gte":"2026-01-02||+1d/d"}}}}`:                                     2,
		`{"query":{"range":{"t":{"gte":1767323046,"lte":"1767323046","format":"epoch_second"}}}}`:   1,
		`{"query":{"range":{"t":{"gte":"now-1d"}}}}`:                                                0,
		`{"query":{"range":{"@timestamp":{"gte":"20200101","lt":"20200102","format":"yyyyMMdd"}}}}`: 0,
	})
	r.put("web-o", `{"t":"2026-01-02T03:04:05+02:00","n":[1,10],"k":"b"}`)
	r.hits("web-o", map[string]float64{
		`{"query":{"range":{"n":{"gte":5,"lte":6}}}}`:    0,
		`{"query":{"range":{"n":{"gte":5,"lte":10}}}}`:   1,
		`{"query":{"range":{"k":{"gte":"a","lt":"c"}}}}`: 1,
	})
	r.refusals(map[string]string{
		`{"query":{"range":{"t":{"gte":"2026-01-02T00:00:00Z"}}}}`:                      "1 of its values",
		`{"query":{"range":{"t":{"gte":"2026 02","format":"yyyy ww"}}}}`:                "date format [yyyy ww]",
		`{"query":{"range":{"@timestamp":{"gte":"32/01/2026","format":"dd/MM/yyyy"}}}}`: "failed to parse date field [32/01/2026]",
		`{"aggs":{"f":{"filter":{"range":{"t":{"gte":"2026-01-02"}}}}}}`:                "only @timestamp is a date",
		`{"aggs":{"f":{"date_range":{"field":"t","ranges":[{"from":"2026-01-02"}]}}}}`:  "only @timestamp is a date",
	})
}

// Both bounds must hold for the same element, so a field of arrays is refused.
func TestRangesOfDatesInArrays(t *testing.T) {
	r := newRig(t)
	r.put("web-l", `{"t":["2026-01-01","2026-03-01"]}`)
	status, answer := r.do("POST", "/web-l/_search", `{"query":{"range":{"t":{"gte":"2026-02-01","lt":"2026-02-15"}}}}`)
	if status != 400 || !strings.Contains(fmt.Sprint(answer), "field of arrays") {
		t.Errorf("%d %v", status, answer)
	}
}

func TestNetworks(t *testing.T) {
	r := newRig(t)
	r.put("web-ip", `{"ip":"10.0.0.7"}`, `{"ip":"10.0.1.7"}`, `{"ip":"10.0.0.0/24"}`, `{"ip":"110.0.0.7"}`, `{"ip":["192.168.1.130","x"]}`)
	r.hits("web-ip", map[string]float64{
		`{"query":{"term":{"ip":"10.0.0.0/24"}}}`:                      2,
		`{"query":{"match":{"ip":"10.0.0.0/23"}}}`:                     2,
		`{"query":{"terms":{"ip":["192.168.1.128/25","10.0.1.7"]}}}`:   2,
		`{"query":{"query_string":{"query":"ip:\"192.168.1.0/25\""}}}`: 0,
		`{"query":{"query_string":{"query":"ip:\"10.0.0.0/8\""}}}`:     2,
	})
	r.refusals(map[string]string{`{"query":{"term":{"ip":"2001:db8::/32"}}}`: "network of IPv6 addresses"})
}

func TestWrittenTimes(t *testing.T) {
	r := newRig(t)
	r.put("web-t", `{"@timestamp":"2026-01-02T23:30:00.123Z","n":3}`, `{"@timestamp":"2026-01-02T23:10:00Z","n":9}`, `{"@timestamp":"2026-01-02T23:20:00Z","n":5}`)
	_, a := r.do("POST", "/web-t/_search?size=0", `{"aggs":{
		"day":{"date_histogram":{"field":"@timestamp","calendar_interval":"day","time_zone":"Europe/Vienna"}},
		"own":{"date_histogram":{"field":"@timestamp","fixed_interval":"1h","format":"dd.MM.yyyy HH:mm","time_zone":"+01:00","keyed":true}},
		"ms":{"date_histogram":{"field":"@timestamp","fixed_interval":"1h","format":"epoch_millis"}},
		"latest":{"max":{"field":"@timestamp"}},
		"named":{"min":{"field":"@timestamp","format":"yyyy-MM-dd"}},
		"band":{"date_range":{"field":"@timestamp","format":"yyyy-MM-dd","time_zone":"+01:00","ranges":[{"from":"2026-01-03"}]}},
		"p":{"percentiles":{"field":"n","percents":[0,1,50,99,100]}}
	}}`)
	g := at(a, "aggregations")
	for _, c := range []struct {
		path []any
		want any
	}{
		{[]any{"day", "buckets", 0, "key_as_string"}, "2026-01-03T00:00:00.000+01:00"},
		{[]any{"own", "buckets", "03.01.2026 00:00", "doc_count"}, 3.0},
		{[]any{"ms", "buckets", 0, "key_as_string"}, "1767394800000"},
		{[]any{"latest", "value"}, 1767396600123.0},
		{[]any{"latest", "value_as_string"}, "2026-01-02T23:30:00.123Z"},
		{[]any{"named", "value_as_string"}, "2026-01-02"},
		{[]any{"band", "buckets", 0, "key"}, "2026-01-03-*"},
		{[]any{"band", "buckets", 0, "doc_count"}, 3.0},
		{[]any{"p", "values", "0.0"}, 3.0},
		{[]any{"p", "values", "1.0"}, 3.0},
		{[]any{"p", "values", "99.0"}, 9.0},
		{[]any{"p", "values", "100.0"}, 9.0},
	} {
		if got := at(g, c.path...); got != c.want {
			t.Errorf("%v is %v, want %v", c.path, got, c.want)
		}
	}
}

// Of arrays Elasticsearch counts every element; what is counted by documents here
// is refused over them.
func TestArraysInAggregations(t *testing.T) {
	r := newRig(t)
	r.put("web-a", `{"n":[1,2,3],"m":4}`, `{"n":5,"m":6}`)
	for _, kind := range []string{"avg", "sum", "min", "max", "stats", "value_count", "percentiles"} {
		r.refusals(map[string]string{fmt.Sprintf(`{"aggs":{"x":{%q:{"field":"n"}}}}`, kind): "over a field of arrays [n]"})
	}
	r.refusals(map[string]string{
		`{"aggs":{"x":{"terms":{"field":"m"},"aggs":{"y":{"histogram":{"field":"n","interval":1}}}}}}`: "over a field of arrays [n]",
		`{"aggs":{"x":{"avg":{"field":"m","missing":0}}}}`:                                             "missing",
		`{"aggs":{"x":{"date_histogram":{"fixed_interval":"1h","hard_bounds":{}}}}}`:                   "hard_bounds",
	})
	_, a := r.do("POST", "/web-a/_search?size=0", `{"aggs":{"x":{"terms":{"field":"n"}},"s":{"sum":{"field":"m"}}}}`)
	if at(a, "aggregations", "s", "value") != 10.0 {
		t.Errorf("the sum is %v", a)
	}
}

func TestOptionsThatChangeAnswers(t *testing.T) {
	r := newRig(t)
	r.put("web-s", `{"@timestamp":"2026-01-02T03:04:05.678Z","n":7,"message":"the quick fox"}`, `{"n":8}`)
	r.hits("web-s", map[string]float64{
		`{"query":{"match_phrase_prefix":{"n":7}}}`:                1,
		`{"query":{"match_phrase_prefix":{"message":"quick fo"}}}`: 1,
	})
	r.refusals(map[string]string{
		`{"sort":[{"n":{"order":"asc","mode":"max"}}]}`:                  "mode: max",
		`{"sort":[{"n":{"missing":0}}]}`:                                 "missing: 0",
		`{"sort":[{"a.n":{"nested":{"path":"a"}}}]}`:                     "nested",
		`{"query":{"terms":{"n":[7],"m":[8]}}}`:                          "multiple fields",
		`{"fields":[{"field":"n","format":"000"}]}`:                      "format: 000",
		`{"query":{"match_phrase_prefix":{"n":{"query":"a","slop":2}}}}`: "slop",
	})
	_, a := r.do("POST", "/web-s/_search", `{"query":{"term":{"n":7}},"docvalue_fields":["n",{"field":"@timestamp","format":"epoch_millis"}]}`)
	if got := fmt.Sprint(at(a, "hits", "hits", 0, "fields")); got != "map[@timestamp:[1767323045678] n:[7]]" {
		t.Errorf("docvalue_fields: %s", got)
	}
}
