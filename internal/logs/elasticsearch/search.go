package elasticsearch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
)

// request is one search, read and checked.
type request struct {
	index  string
	filter event.Filter
	rows   event.Rows
	from   int
	size   int
	sorted []sortKey
	source sources
	fields []string
	form   dateForm // of @timestamp among them
	total  bool     // tell the exact number of hits
	aggs   []aggregation
	dates  []string // fields compared with dates
	tie    bool     // _shard_doc is part of the order
	pit    bool
	marks  *marks
	now    time.Time
}

type sortKey struct {
	field string
	desc  bool
}

// maxWindow is how far from and size reach, as in Elasticsearch.
const maxWindow = event.MaxRows

// ignored are members of a search that change nothing here.
var ignored = map[string]bool{
	"version": true, "seq_no_primary_term": true, "explain": false, "timeout": true, "track_scores": true, "profile": false, "min_score": false,
	"stored_fields": true, "terminate_after": true, "script_fields": false, "runtime_mappings": false, "indices_boost": true, "stats": true,
	"ext": true, "allow_no_indices": true, "ignore_unavailable": true, "preference": true,
}

func parseSearch(index string, body map[string]any, now time.Time) (*request, error) {
	s := &request{index: index, size: 10, now: now, total: true}
	for _, name := range names(body) {
		if err := s.member(name, body[name]); err != nil {
			return nil, err
		}
	}
	if s.from < 0 || s.size < 0 {
		return nil, illegal("[from] and [size] cannot be negative, found [%d] and [%d]", s.from, s.size)
	}
	if s.from+s.size > maxWindow {
		return nil, illegal("Result window is too large, from + size must be less than or equal to: [%d] but was [%d]. See the scroll api or search_after for a more efficient way to request large data sets.", maxWindow, s.from+s.size)
	}
	s.filter = event.And(indexFilter(s.index), s.filter)
	if err := s.after(body["search_after"]); err != nil {
		return nil, err
	}
	s.rows.Limit = max(1, s.from+s.size)
	s.rows.Count = s.total
	return s, nil
}

func (s *request) member(name string, v any) (err error) {
	switch name {
	case "query":
		var f event.Filter
		c := &compiler{now: s.now}
		f, err = c.query(v)
		s.filter, s.dates = event.And(s.filter, f), c.dates
	case "post_filter":
		return uncovered("member of a search", name)
	case "from":
		s.from, err = integer(v, 0)
	case "size":
		s.size, err = integer(v, 10)
	case "sort":
		err = s.sort(v)
	case "_source":
		s.source, err = sourceFilter(v)
	case "fields", "docvalue_fields":
		err = s.wantFields(v)
	case "track_total_hits":
		switch n := v.(type) {
		case bool:
			s.total = n
		}
	case "aggs", "aggregations":
		s.aggs, err = parseAggs(v, 0, s.now)
	case "highlight":
		s.marks, err = parseMarks(v)
	case "search_after":
	case "pit":
		err = s.point(v)
	default:
		known, harmless := ignored[name]
		empty, isObject := v.(map[string]any)
		if !known || !harmless && (!isObject || len(empty) > 0) && v != false {
			return uncovered("member of a search", name)
		}
	}
	return err
}

// sort reads every form of a sort. Scores are all alike, so _score orders
// nothing; _doc is the order of coming.
func (s *request) sort(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		key := sortKey{}
		switch item := item.(type) {
		case string:
			name, order, _ := strings.Cut(item, ":")
			key = sortKey{name, order == "desc"}
		case map[string]any:
			if len(item) != 1 {
				return parsing("a sort names one field, found %d", len(item))
			}
			key.field = names(item)[0]
			switch o := item[key.field].(type) {
			case string:
				key.desc = o == "desc"
			case map[string]any:
				key.desc = o["order"] == "desc"
				if err := sortOptions(key.field, o); err != nil {
					return err
				}
			}
		default:
			return parsing("a sort is a name or an object, found [%.60v]", item)
		}
		switch key.field {
		case "_score":
			continue
		case "_shard_doc":
			s.tie = true
			continue
		case "_doc":
			key.field = event.IDField
		}
		key.field = match.Field(key.field)
		s.sorted = append(s.sorted, key)
		s.rows.Order = append(s.rows.Order, event.Order{By: key.field, Desc: key.desc})
	}
	if len(s.rows.Order) > 8 {
		return illegal("at most 8 fields can be sorted by")
	}
	return nil
}

// sortOptions refuses what would change the order or the values of a sort.
func sortOptions(field string, o map[string]any) error {
	for _, name := range names(o) {
		v := o[name]
		switch name {
		case "order", "unmapped_type", "numeric_type":
			continue
		case "missing":
			if v == "_last" {
				continue
			}
		case "format":
			if v == "epoch_millis" && match.Field(field) == event.TimeField {
				continue
			}
		}
		return uncovered("option of a sort", fmt.Sprintf("%s: %.60v", name, v))
	}
	return nil
}

// point takes the index of a point in time.
func (s *request) point(v any) error {
	m, ok := v.(map[string]any)
	id, isText := m["id"].(string)
	if !ok || !isText {
		return parsing("[pit] needs an [id]")
	}
	index, err := indexOfPoint(id)
	s.index, s.pit, s.tie = index, true, true
	return err
}

// after goes on behind the sort values of a hit.
func (s *request) after(v any) error {
	if v == nil {
		return nil
	}
	values, ok := v.([]any)
	want := len(s.sorted)
	if s.tie {
		want++
	}
	if !ok || len(values) != want {
		return illegal("search_after has %d value(s) but sort has %d.", len(values), want)
	}
	if s.from > 0 {
		return illegal("[from] parameter must be set to 0 when [search_after] is used")
	}
	if s.tie {
		return s.afterTie(values)
	}
	if want == 0 {
		return illegal("Sort must contain at least one field when search_after is used")
	}
	var cases []event.Filter
	var equal []event.Filter
	for i, key := range s.sorted {
		beyond, same := beyondValue(key, values[i])
		cases = append(cases, event.And(append(slices.Clone(equal), beyond)...))
		equal = append(equal, same)
	}
	s.filter = event.And(s.filter, event.Or(cases...))
	return nil
}

// beyondValue are the filters of what comes after a sort value, and of what is
// equal to it. Times in answers are milliseconds.
func beyondValue(key sortKey, v any) (beyond, same event.Filter) {
	val := value(v)
	if key.field == event.TimeField {
		ms, _ := number(v)
		low, high := event.Time(int64(ms)*1e6), event.Time((int64(ms)+1)*1e6)
		same = event.And(event.AtLeast(key.field, low), event.LessThan(key.field, high))
		if key.desc {
			return event.LessThan(key.field, low), same
		}
		return event.AtLeast(key.field, high), same
	}
	if val.IsNull() {
		return match.Nothing(), event.Not(event.Exists(key.field))
	}
	missing := event.Not(event.Exists(key.field))
	if key.field == event.IDField {
		missing = match.Nothing()
	}
	if key.desc {
		return event.Or(event.LessThan(key.field, val), missing), event.Equals(key.field, val)
	}
	return event.Or(event.MoreThan(key.field, val), missing), event.Equals(key.field, val)
}

// afterTie goes on at the exact place, which the last value holds.
func (s *request) afterTie(values []any) error {
	ns, id, ok := strings.Cut(fmt.Sprint(values[len(values)-1]), "-")
	at, err1 := strconv.ParseInt(ns, 10, 64)
	n, err2 := strconv.ParseUint(id, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return illegal("the last value of search_after is not one of an answer before")
	}
	c := event.Cursor{Time: at, ID: n}
	for i, key := range s.sorted {
		v := value(values[i])
		switch key.field {
		case event.TimeField:
			v = event.Time(at)
		case event.IDField:
			v = event.Int(int64(n))
		}
		c.Values = append(c.Values, v)
	}
	s.rows.After = &c
	return nil
}

func (s *request) wantFields(v any) error {
	items, _ := v.([]any)
	for _, item := range items {
		switch item := item.(type) {
		case string:
			s.fields = append(s.fields, match.Field(item))
		case map[string]any:
			name, ok := item["field"].(string)
			if !ok {
				return parsing("an item of [fields] names a [field]")
			}
			if err := s.wantForm(match.Field(name), item); err != nil {
				return err
			}
			s.fields = append(s.fields, match.Field(name))
		}
	}
	return nil
}

// wantForm takes how a field is to be written.
func (s *request) wantForm(field string, item map[string]any) error {
	for _, name := range names(item) {
		switch {
		case name == "field" || name == "include_unmapped" || name == "format" && item[name] == "use_field_mapping":
		case name == "format" && field == event.TimeField:
			forms, err := formsOf(item[name])
			if err != nil {
				return err
			}
			s.form = forms[0]
		default:
			return uncovered("option of a field of [fields]", fmt.Sprintf("%s: %.60v", name, item[name]))
		}
	}
	return nil
}

// sources says which fields of the document are shown.
type sources struct {
	none           bool
	include, leave []string
}

func (s sources) take(name string) bool {
	fits := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			ok, _ := path.Match(p, name)
			return ok || strings.HasPrefix(name, strings.TrimSuffix(p, ".*")+".") || event.MatchWildcard(p, name)
		})
	}
	return (len(s.include) == 0 || fits(s.include)) && !fits(s.leave)
}

func sourceFilter(v any) (s sources, err error) {
	switch v := v.(type) {
	case nil:
	case bool:
		s.none = !v
	case string, []any:
		s.include = stringList(v)
	case map[string]any:
		for _, name := range names(v) {
			switch name {
			case "include", "includes":
				s.include = stringList(v[name])
			case "exclude", "excludes":
				s.leave = stringList(v[name])
			default:
				return s, uncovered("option of _source", name)
			}
		}
	default:
		return s, parsing("[_source] is true, false, names or an object")
	}
	return s, nil
}

// sourceParams are the same from the query of the URL.
func sourceParams(r *http.Request) any {
	q := r.URL.Query()
	switch s := q.Get("_source"); s {
	case "":
	case "true":
		return true
	case "false":
		return false
	default:
		return s
	}
	m := map[string]any{}
	for param, name := range map[string]string{"_source_includes": "includes", "_source_excludes": "excludes"} {
		if v := q.Get(param); v != "" {
			m[name] = v
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// searchBody is the body of a search with what stands in the URL put in.
func searchBody(r *http.Request) (map[string]any, error) {
	body, err := document(r)
	if err != nil {
		return nil, err
	}
	if body == nil {
		body = map[string]any{}
	}
	q := r.URL.Query()
	for _, name := range []string{"from", "size"} {
		if v := q.Get(name); v != "" {
			body[name] = json.Number(v)
		}
	}
	if v := q.Get("q"); v != "" {
		inner := map[string]any{"query": v, "default_operator": q.Get("default_operator")}
		if field := q.Get("df"); field != "" {
			inner["default_field"] = field
		}
		body["query"] = map[string]any{"query_string": inner}
	}
	if v := q.Get("sort"); v != "" {
		var items []any
		for item := range strings.SplitSeq(v, ",") {
			items = append(items, item)
		}
		body["sort"] = items
	}
	if v := sourceParams(r); v != nil {
		body["_source"] = v
	}
	if v := q.Get("track_total_hits"); v != "" {
		body["track_total_hits"] = v == "true"
	}
	return body, nil
}

func (d *Door) search(r *http.Request) (any, error) {
	body, err := searchBody(r)
	if err != nil {
		return nil, err
	}
	if keep := r.URL.Query().Get("scroll"); keep != "" {
		return d.openScroll(r, body, keep)
	}
	s, err := d.readSearch(r, body)
	if err != nil {
		return nil, err
	}
	result, _, err := d.run(r.Context(), s, flag(r, "rest_total_hits_as_int"), flag(r, "typed_keys"))
	return result, err
}

// readSearch reads a search of indices that there are.
func (d *Door) readSearch(r *http.Request, body map[string]any) (*request, error) {
	s, err := parseSearch(r.PathValue("index"), body, time.Now())
	if err != nil {
		return nil, err
	}
	if err := d.refuseAbsent(r.Context(), s.index, absenceOf(r)); err != nil {
		return nil, err
	}
	return s, d.refuseDates(r.Context(), s.index, s.dates)
}

// run answers a search.
func (d *Door) run(ctx context.Context, s *request, plainTotal, typed bool) (map[string]any, *event.Result, error) {
	start := time.Now()
	q := event.Query{Range: bounds(s.filter), Filter: s.filter, Rows: &s.rows}
	res, err := d.cfg.Events.Query(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	hits := []any{}
	if s.size > 0 {
		for i := min(s.from, len(res.Rows)); i < len(res.Rows); i++ {
			hits = append(hits, s.hit(&res.Rows[i]))
		}
	}
	answer := map[string]any{"took": 0, "timed_out": false, "_shards": map[string]int{"total": 1, "successful": 1, "skipped": 0, "failed": 0}}
	found := map[string]any{"hits": hits, "max_score": nil}
	if len(hits) > 0 && len(s.sorted) == 0 {
		found["max_score"] = 1.0
	}
	switch {
	case plainTotal:
		found["total"] = res.Matched
	case s.total:
		found["total"] = map[string]any{"value": res.Matched, "relation": "eq"}
	}
	answer["hits"] = found
	if len(s.aggs) > 0 {
		all, err := d.aggregate(ctx, s, typed)
		if err != nil {
			return nil, nil, err
		}
		answer["aggregations"] = all
	}
	if s.pit {
		answer["pit_id"] = pointID(s.index)
	}
	answer["took"] = time.Since(start).Milliseconds()
	return answer, res, nil
}

// hit is one document of an answer.
func (s *request) hit(e *event.Event) map[string]any {
	h := map[string]any{"_index": e.Get(event.DatasetField).Text(), "_id": idOf(e), "_score": 1.0}
	if !s.source.none {
		h["_source"] = record.Source(e, s.source.take)
	}
	if len(s.sorted) > 0 || s.tie {
		h["_score"] = nil
		values := []any{}
		for _, key := range s.sorted {
			switch v := e.Get(key.field); {
			case key.field == event.TimeField:
				values = append(values, e.Time/1e6)
			case v.IsNull():
				values = append(values, nil)
			case v.Type() == event.TypeList:
				values = append(values, v.String())
			default:
				values = append(values, v)
			}
		}
		if s.tie {
			values = append(values, strconv.FormatInt(e.Time, 10)+"-"+strconv.FormatUint(e.ID, 10))
		}
		h["sort"] = values
	}
	if len(s.fields) > 0 {
		h["fields"] = s.fieldValues(e)
	}
	if s.marks != nil {
		if m := s.marks.of(e, s.filter); len(m) > 0 {
			h["highlight"] = m
		}
	}
	return h
}

func (s *request) fieldValues(e *event.Event) map[string][]any {
	out := map[string][]any{}
	put := func(name string, v event.Value) {
		if v.Type() == event.TypeList {
			for _, item := range v.Strings() {
				out[name] = append(out[name], item)
			}
			return
		}
		out[name] = append(out[name], v)
	}
	for _, pattern := range s.fields {
		if pattern == event.TimeField {
			out[pattern] = []any{s.form.write(e.Time, time.UTC)}
			continue
		}
		if !strings.Contains(pattern, "*") {
			if v := e.Get(pattern); !v.IsNull() {
				put(pattern, v)
			}
			continue
		}
		for name, v := range e.All {
			if event.MatchWildcard(pattern, name) && out[name] == nil {
				put(name, v)
			}
		}
	}
	return out
}

func (d *Door) count(r *http.Request) (any, error) {
	body, err := searchBody(r)
	if err != nil {
		return nil, err
	}
	for _, name := range names(body) {
		if name != "query" {
			return nil, parsing("request does not support [%s]", name)
		}
	}
	s, err := d.readSearch(r, body)
	if err != nil {
		return nil, err
	}
	n, err := d.countOf(r.Context(), s.filter)
	return map[string]any{"count": n, "_shards": map[string]int{"total": 1, "successful": 1, "skipped": 0, "failed": 0}}, err
}

func (d *Door) countOf(ctx context.Context, f event.Filter) (int64, error) {
	res, err := d.cfg.Events.Query(ctx, event.Query{Range: bounds(f), Filter: f, Tables: []event.Table{{Calculate: []event.Calculation{{Op: event.CalcCount}}}}})
	if err != nil {
		return 0, err
	}
	return res.Matched, nil
}

// manySearches is _msearch: pairs of a header and a body.
func (d *Door) manySearches(r *http.Request) (any, error) {
	start := time.Now()
	lines := bufio.NewReaderSize(r.Body, 64<<10)
	answers := []any{}
	for len(answers) < 1000 {
		header, err := nextLine(lines)
		if errors.Is(err, io.EOF) {
			return map[string]any{"took": time.Since(start).Milliseconds(), "responses": answers}, nil
		}
		if err != nil {
			return nil, bodyError(err)
		}
		if len(bytes.TrimSpace(header)) == 0 && len(answers) > 0 {
			continue
		}
		line, err := nextLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, bodyError(err)
		}
		answer, err := d.oneOfMany(r, header, line)
		if err != nil {
			f := faultOf(err)
			answers = append(answers, f.body())
			continue
		}
		answer["status"] = http.StatusOK
		answers = append(answers, answer)
	}
	return nil, illegal("at most 1000 searches at once")
}

func (d *Door) oneOfMany(r *http.Request, header, line []byte) (map[string]any, error) {
	head, err := decode(header)
	if err != nil {
		return nil, err
	}
	body, err := decode(line)
	if err != nil {
		return nil, err
	}
	index := r.PathValue("index")
	if list := stringList(head["index"]); len(list) > 0 {
		index = strings.Join(list, ",")
	}
	s, err := parseSearch(index, body, time.Now())
	if err != nil {
		return nil, err
	}
	absent := absenceOf(r)
	absent.member(head)
	if err := d.refuseAbsent(r.Context(), s.index, absent); err != nil {
		return nil, err
	}
	if err := d.refuseDates(r.Context(), s.index, s.dates); err != nil {
		return nil, err
	}
	answer, _, err := d.run(r.Context(), s, flag(r, "rest_total_hits_as_int"), flag(r, "typed_keys"))
	return answer, err
}
