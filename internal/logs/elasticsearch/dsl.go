package elasticsearch

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/glob"
	"github.com/daytwo-dev/daytwo/internal/logs/lucene"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
)

// compiler turns a query of the DSL into a filter.
type compiler struct {
	now   time.Time
	depth int
	dates []string // other fields than @timestamp that are compared with dates
}

// simple compiles a query that compares no field but @timestamp with dates.
func (c *compiler) simple(v any) (event.Filter, error) {
	f, err := c.query(v)
	if err == nil && len(c.dates) > 0 {
		err = uncovered("range of dates within a filter of an aggregation, over a field", c.dates[0]+": only @timestamp is a date")
	}
	return f, err
}

const maxQueryDepth = 50

func (c *compiler) query(v any) (event.Filter, error) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		if v == nil || ok {
			return event.Filter{}, nil
		}
		return event.Filter{}, parsing("a query is an object, found [%.60v]", v)
	}
	if len(m) != 1 {
		return event.Filter{}, parsing("[%s] malformed query, expected one query and found %d", names(m)[0], len(m))
	}
	if c.depth++; c.depth > maxQueryDepth {
		return event.Filter{}, illegal("The nested depth of the query exceeds the maximum nested depth for queries of %d", maxQueryDepth)
	}
	defer func() { c.depth-- }()
	name := names(m)[0]
	build := queryNamed(name)
	if build == nil {
		return event.Filter{}, uncovered("query", name)
	}
	body, ok := m[name].(map[string]any)
	if !ok {
		return event.Filter{}, parsing("[%s] query malformed, no start_object after query name", name)
	}
	return build(c, body)
}

func names(m map[string]any) []string {
	all := make([]string, 0, len(m))
	for name := range m {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

type buildQuery func(*compiler, map[string]any) (event.Filter, error)

// queryNamed is how a covered query is built; nil for one that is not.
func queryNamed(name string) buildQuery {
	switch name {
	case "match_all":
		return func(*compiler, map[string]any) (event.Filter, error) { return event.Filter{}, nil }
	case "match_none":
		return func(*compiler, map[string]any) (event.Filter, error) { return match.Nothing(), nil }
	case "match":
		return matchQuery
	case "match_phrase":
		return phraseQuery
	case "match_phrase_prefix":
		return phrasePrefixQuery
	case "multi_match":
		return multiMatchQuery
	case "term":
		return termQuery
	case "terms":
		return termsQuery
	case "range":
		return rangeQuery
	case "exists":
		return existsQuery
	case "prefix":
		return prefixQuery
	case "wildcard":
		return wildcardQuery
	case "regexp":
		return regexpQuery
	case "ids":
		return idsQuery
	case "bool":
		return boolQuery
	case "constant_score":
		return wrapped("filter")
	case "nested":
		return nestedQuery
	case "query_string":
		return stringQuery(false)
	case "simple_query_string":
		return stringQuery(true)
	}
	return nil
}

// onField takes {field: value} or {field: {key: value, …}} apart.
func onField(query string, m map[string]any, key string) (field string, value any, options map[string]any, err error) {
	options = map[string]any{}
	for _, name := range names(m) {
		if name == "boost" || name == "_name" {
			continue
		}
		if field != "" {
			return "", nil, nil, parsing("[%s] query doesn't support multiple fields, found [%s] and [%s]", query, field, name)
		}
		field, value = name, m[name]
	}
	if field == "" {
		return "", nil, nil, parsing("[%s] query names no field", query)
	}
	if inner, ok := value.(map[string]any); ok {
		options = inner
		value = inner[key]
		if value == nil && key != "query" {
			value = inner["query"]
		}
	}
	return field, value, options, nil
}

// only refuses options that would change the answer.
func only(query string, options map[string]any, known ...string) error {
	for _, name := range names(options) {
		ok := name == "boost" || name == "_name"
		for _, k := range known {
			ok = ok || name == k
		}
		if !ok {
			return uncovered("option of the query "+query, name)
		}
	}
	return nil
}

// value is a JSON scalar as a value of events.
func value(v any) event.Value {
	switch v := v.(type) {
	case string:
		return event.String(v)
	case bool:
		return event.Bool(v)
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return event.Int(n)
		}
		if f, err := v.Float64(); err == nil {
			return event.Float(f)
		}
		return event.String(string(v))
	}
	return event.Value{}
}

func matchQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	field, v, o, err := onField("match", m, "query")
	if err == nil {
		err = only("match", o, "query", "operator", "minimum_should_match", "analyzer", "lenient", "zero_terms_query", "auto_generate_synonyms_phrase_query", "fuzziness")
	}
	if f := o["fuzziness"]; err == nil && f != nil && fmt.Sprint(f) != "0" {
		err = uncovered("option of the query match", "fuzziness")
	}
	if err != nil {
		return event.Filter{}, err
	}
	return matchWords(field, v, strings.EqualFold(fmt.Sprint(o["operator"]), "and"), o["minimum_should_match"])
}

// matchWords is full text: words in any case. A number or a truth value is equal.
func matchWords(field string, v any, all bool, atLeast any) (event.Filter, error) {
	field = match.Field(field)
	text, ok := v.(string)
	if !ok {
		return event.Equals(field, value(v)), nil
	}
	if err := refuseNetwork(field, v); err != nil {
		return event.Filter{}, err
	}
	if f, is := match.Network(field, text); is && !match.IsProse(field) {
		return f, nil
	}
	if field == event.TimeField {
		return match.Value(field, text, false), nil
	}
	words := match.Words(field, text, false, all)
	if atLeast != nil && words.Op == event.OpOr {
		n, err := minimum(atLeast, len(words.Of))
		if err != nil {
			return event.Filter{}, err
		}
		words = event.Some(max(1, n), words.Of...) // of words alone one is always needed
	}
	if s := match.Scalar(text); s.Type() != event.TypeString || !match.IsProse(field) {
		return event.Or(event.Equals(field, s), words), nil
	}
	return words, nil
}

func phraseQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	field, v, o, err := onField("match_phrase", m, "query")
	if err == nil {
		err = only("match_phrase", o, "query", "analyzer", "zero_terms_query", "slop")
	}
	if s := o["slop"]; err == nil && s != nil && fmt.Sprint(s) != "0" {
		err = uncovered("option of the query match_phrase", "slop")
	}
	if err != nil {
		return event.Filter{}, err
	}
	text, ok := v.(string)
	if !ok {
		return event.Equals(match.Field(field), value(v)), nil
	}
	f := match.Words(match.Field(field), text, true, true)
	if match.Field(field) == event.TimeField {
		f = match.Value(field, text, false)
	}
	return f, nil
}

func phrasePrefixQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	field, v, o, err := onField("match_phrase_prefix", m, "query")
	if err == nil {
		err = only("match_phrase_prefix", o, "query", "analyzer", "max_expansions", "zero_terms_query")
	}
	text, ok := v.(string)
	if err != nil || !ok {
		return event.Equals(match.Field(field), value(v)), err
	}
	return event.Regexp(match.Field(field), `(?:^|[^\pL\pN_])`+strings.Join(quoteAll(strings.Fields(text)), `[^\pL\pN_]+`)).AnyCase(), nil
}

func quoteAll(words []string) []string {
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	return words
}

func multiMatchQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	if err := only("multi_match", m, "query", "fields", "type", "operator", "minimum_should_match", "lenient", "analyzer", "tie_breaker"); err != nil {
		return event.Filter{}, err
	}
	fields := stringList(m["fields"])
	if len(fields) == 0 {
		fields = []string{"*"}
	}
	var of []event.Filter
	for _, field := range fields {
		field, _, _ = strings.Cut(field, "^")
		text := fmt.Sprint(m["query"])
		switch kind := fmt.Sprint(m["type"]); kind {
		case "phrase":
			of = append(of, match.Words(match.Field(field), text, true, true))
		case "<nil>", "best_fields", "most_fields", "cross_fields":
			f, err := matchWords(field, m["query"], strings.EqualFold(fmt.Sprint(m["operator"]), "and"), m["minimum_should_match"])
			if err != nil {
				return f, err
			}
			of = append(of, f)
		default:
			return event.Filter{}, uncovered("type of multi_match", kind)
		}
	}
	return event.Or(of...), nil
}

func termQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	field, v, o, err := onField("term", m, "value")
	if err == nil {
		err = only("term", o, "value", "query", "case_insensitive")
	}
	if err != nil {
		return event.Filter{}, err
	}
	switch v.(type) {
	case string, bool, json.Number:
	default:
		return event.Filter{}, illegal("[term] query needs a value for [%s]", field)
	}
	if err := refuseNetwork(field, v); err != nil {
		return event.Filter{}, err
	}
	return fold(equals(field, v), o), nil
}

// refuseNetwork refuses networks of IPv6 addresses, which are written in too many
// ways to be found by their text.
func refuseNetwork(field string, v any) error {
	text, ok := v.(string)
	if !ok || !strings.Contains(text, "/") {
		return nil
	}
	if net, err := netip.ParsePrefix(text); err == nil && net.Addr().Is6() {
		return uncovered("network of IPv6 addresses of ["+field+"]", text)
	}
	return nil
}

func equals(field string, v any) event.Filter {
	field = match.Field(field)
	if text, ok := v.(string); ok {
		if f, is := match.Network(field, text); is {
			return f
		}
	}
	switch {
	case field == "_id":
		return idFilter([]string{fmt.Sprint(v)})
	case field == event.TimeField:
		return match.Value(field, fmt.Sprint(v), false)
	}
	return event.Equals(field, value(v))
}

func fold(f event.Filter, o map[string]any) event.Filter {
	f.Fold = fmt.Sprint(o["case_insensitive"]) == "true"
	return f
}

func termsQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	for _, field := range names(m) {
		if field == "boost" || field == "_name" {
			continue
		}
		if len(m) > 1 {
			if _, _, _, err := onField("terms", m, ""); err != nil {
				return event.Filter{}, err
			}
		}
		list, ok := m[field].([]any)
		if !ok {
			return event.Filter{}, parsing("[terms] query for [%s] needs an array of values", field)
		}
		if len(list) > 65_536 {
			return event.Filter{}, illegal("The number of terms [%d] used in the Terms Query request has exceeded the allowed maximum of [65536]", len(list))
		}
		if match.Field(field) == "_id" {
			return idFilter(stringList(list)), nil
		}
		values := make([]event.Value, 0, len(list))
		var nets []event.Filter
		for _, v := range list {
			if err := refuseNetwork(field, v); err != nil {
				return event.Filter{}, err
			}
			text, _ := v.(string)
			if f, is := match.Network(match.Field(field), text); is {
				nets = append(nets, f)
				continue
			}
			values = append(values, value(v))
		}
		return event.Or(append(nets, event.In(match.Field(field), values...))...), nil
	}
	return event.Filter{}, parsing("[terms] query names no field")
}

func existsQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	field, ok := m["field"].(string)
	if !ok || field == "" {
		return event.Filter{}, parsing("[exists] must be provided with a [field]")
	}
	f := event.Exists(match.Field(field))
	if !strings.Contains(field, "*") { // an object exists if one of its fields does
		f = event.Or(f, event.Exists(match.Field(field)+".*"))
	}
	return f, nil
}

func prefixQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	field, v, o, err := onField("prefix", m, "value")
	if err == nil {
		err = only("prefix", o, "value", "query", "case_insensitive", "rewrite")
	}
	return fold(event.Prefix(match.Field(field), fmt.Sprint(v)), o), err
}

func wildcardQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	field, v, o, err := onField("wildcard", m, "value")
	if v == nil {
		v = o["wildcard"]
	}
	if err == nil {
		err = only("wildcard", o, "value", "wildcard", "query", "case_insensitive", "rewrite")
	}
	pattern := fmt.Sprint(v)
	f := fold(event.Wildcard(match.Field(field), pattern), o)
	if match.IsProse(match.Field(field)) && !strings.HasSuffix(field, ".keyword") && !strings.ContainsAny(pattern, `?\`) {
		f = match.Pattern(field, glob.Pattern(strings.Split(pattern, "*")), true)
	}
	return f, err
}

func regexpQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	field, v, o, err := onField("regexp", m, "value")
	if err == nil {
		err = only("regexp", o, "value", "query", "case_insensitive", "flags", "max_determinized_states", "rewrite")
	}
	if err != nil {
		return event.Filter{}, err
	}
	expr := "^(?:" + fmt.Sprint(v) + ")$"
	if _, err := regexp.Compile(expr); err != nil {
		return event.Filter{}, illegal("failed to parse the regular expression [%.100v]: %v", v, err)
	}
	return fold(event.Regexp(match.Field(field), expr), o), nil
}

func idsQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	return idFilter(stringList(m["values"])), only("ids", m, "values", "type")
}

func wrapped(key string) buildQuery {
	return func(c *compiler, m map[string]any) (event.Filter, error) { return c.query(m[key]) }
}

// nestedQuery refuses: an array of objects is kept as one list for each name, so
// that which values stood in one object is not known any more.
func nestedQuery(_ *compiler, m map[string]any) (event.Filter, error) {
	return event.Filter{}, faultf(http.StatusBadRequest, "unsupported_operation_exception",
		"daytwo does not cover the query [nested]: which values of an array stood in one object is not kept; ask for fields below [%.60v] with [bool], without that link", m["path"])
}

func boolQuery(c *compiler, m map[string]any) (event.Filter, error) {
	if err := only("bool", m, "must", "filter", "should", "must_not", "minimum_should_match", "adjust_pure_negative"); err != nil {
		return event.Filter{}, err
	}
	var all []event.Filter
	required := 0
	for _, part := range []string{"must", "filter", "must_not"} {
		of, err := c.list(m[part])
		if err != nil {
			return event.Filter{}, err
		}
		for _, f := range of {
			if part == "must_not" {
				f = event.Not(f)
			} else {
				required++
			}
			all = append(all, f)
		}
	}
	should, err := c.list(m["should"])
	if err != nil {
		return event.Filter{}, err
	}
	need := 0
	if given := m["minimum_should_match"]; given != nil {
		if need, err = minimum(given, len(should)); err != nil {
			return event.Filter{}, err
		}
	}
	if len(should) > 0 && required == 0 { // of optional clauses alone one is always needed
		need = max(1, need)
	}
	if need > 0 {
		all = append(all, event.Some(need, should...))
	}
	return event.And(all...), nil
}

func (c *compiler) list(v any) ([]event.Filter, error) {
	if v == nil {
		return nil, nil
	}
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	if len(items) > 4096 {
		return nil, illegal("a bool query has at most 4096 clauses in one list, found %d", len(items))
	}
	of := make([]event.Filter, len(items))
	for i, item := range items {
		var err error
		if of[i], err = c.query(item); err != nil {
			return nil, err
		}
	}
	return of, nil
}

// minimum reads 2, -1, "75%" and "-25%" of n.
func minimum(v any, n int) (int, error) {
	text := strings.TrimSpace(fmt.Sprint(v))
	percent := strings.HasSuffix(text, "%")
	k, err := strconv.Atoi(strings.TrimSuffix(text, "%"))
	if err != nil {
		return 0, uncovered("minimum_should_match", text)
	}
	less := k < 0
	if percent {
		k = int(min(max(math.Trunc(float64(n)*float64(k)/100), math.MinInt32), math.MaxInt32))
	}
	if less { // also where a percentage of few clauses is none of them
		k += n
	}
	return max(0, k), nil
}

func rangeQuery(c *compiler, m map[string]any) (event.Filter, error) {
	field, _, o, err := onField("range", m, "")
	if err == nil {
		err = only("range", o, "gt", "gte", "lt", "lte", "from", "to", "include_lower", "include_upper", "format", "time_zone", "relation")
	}
	if err != nil {
		return event.Filter{}, err
	}
	zone := time.UTC
	if z, ok := o["time_zone"].(string); ok {
		if zone, err = zoneOf(z); err != nil {
			return event.Filter{}, err
		}
	}
	forms, err := formsOf(o["format"])
	if err != nil {
		return event.Filter{}, err
	}
	field = match.Field(field)
	dates := field == event.TimeField || o["format"] != nil || o["time_zone"] != nil
	for _, name := range []string{"gt", "gte", "lt", "lte", "from", "to"} {
		dates = dates || looksLikeDate(o[name])
	}
	if dates && field != event.TimeField {
		c.dates = append(c.dates, field)
	}
	var bounds []match.Bound
	var moments []event.Filter
	for name, op := range map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "from": ">=", "to": "<="} {
		v := o[name]
		if v == nil {
			continue
		}
		if name == "from" && o["include_lower"] == false {
			op = ">"
		}
		if name == "to" && o["include_upper"] == false {
			op = "<"
		}
		text := fmt.Sprint(v)
		if dates {
			t, err := parseDate(text, forms, c.now, op == "<=" || op == ">", zone)
			if err != nil {
				return event.Filter{}, err
			}
			if text = t.Format(time.RFC3339Nano); field != event.TimeField {
				moments = append(moments, dateRange(field, op, t))
				continue
			}
		}
		bounds = append(bounds, match.Bound{Op: op, Text: text})
	}
	if len(moments) > 0 {
		return event.And(moments...), nil
	}
	return match.Range(field, c.now, bounds...)
}

// looksLikeDate tells date math and days, with or without a time, from other texts.
func looksLikeDate(v any) bool {
	text, ok := v.(string)
	if !ok {
		return false
	}
	if _, err := time.Parse("2006-01-02", text[:min(len(text), 10)]); err == nil && len(text) >= 10 {
		return true
	}
	if _, err := match.Date(text, time.Now(), false, time.UTC); err != nil {
		return false
	}
	return strings.HasPrefix(text, "now") || strings.Contains(text, "||")
}

func zoneOf(name string) (*time.Location, error) {
	for _, layout := range []string{"-07:00", "-0700", "Z07:00"} {
		if t, err := time.Parse(layout, name); err == nil {
			_, offset := t.Zone()
			return time.FixedZone(name, offset), nil
		}
	}
	if strings.ContainsAny(name, `\.`) || strings.HasPrefix(name, "/") {
		return nil, illegal("time zone [%.60s] is not known", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, illegal("time zone [%.60s] is not known", name)
	}
	return zone, nil
}

func stringQuery(simple bool) buildQuery {
	name := "query_string"
	if simple {
		name = "simple_query_string"
	}
	return func(c *compiler, m map[string]any) (event.Filter, error) {
		if err := only(name, m, "query", "fields", "default_field", "default_operator", "analyze_wildcard", "lenient", "time_zone", "flags", "allow_leading_wildcard", "quote_field_suffix", "fuzzy_max_expansions", "analyzer", "type"); err != nil {
			return event.Filter{}, err
		}
		text, ok := m["query"].(string)
		if !ok {
			return event.Filter{}, parsing("[%s] must be provided with a [query]", name)
		}
		if err := refuseStringOptions(name, m); err != nil {
			return event.Filter{}, err
		}
		n, err := lucene.Parse(text, lucene.Options{And: strings.EqualFold(fmt.Sprint(m["default_operator"]), "and"), Simple: simple})
		if err != nil {
			return event.Filter{}, faultf(400, "query_shard_exception", "Failed to parse query [%.200s]: %v", text, err)
		}
		fields := stringList(m["fields"])
		if f, ok := m["default_field"].(string); ok {
			fields = []string{f}
		}
		for i := range fields {
			fields[i], _, _ = strings.Cut(fields[i], "^")
		}
		return match.FromLucene(n, fields, c.now)
	}
}

// refuseStringOptions refuses what would change the answer of a query_string.
func refuseStringOptions(name string, m map[string]any) error {
	for option, same := range map[string][]string{
		"type": {"best_fields", "most_fields", "cross_fields"}, "flags": {"ALL", "-1"}, "time_zone": {"UTC", "Z", "+00:00", "GMT"},
	} {
		if v := m[option]; v != nil && !slices.Contains(same, fmt.Sprint(v)) {
			return uncovered("option of the query "+name, fmt.Sprintf("%s: %.60v", option, v))
		}
	}
	return nil
}

func stringList(v any) []string {
	switch v := v.(type) {
	case string:
		return strings.Split(v, ",")
	case []any:
		var list []string
		for _, item := range v {
			list = append(list, fmt.Sprint(item))
		}
		return list
	}
	return nil
}

// bounds are the times outside of which nothing can match f, taken from its
// conditions on @timestamp that always hold.
func bounds(f event.Filter) (r event.Range) {
	switch {
	case f.Op == event.OpAnd:
		for _, of := range f.Of {
			inner := bounds(of)
			if !inner.From.IsZero() && (r.From.IsZero() || inner.From.After(r.From)) {
				r.From = inner.From
			}
			if !inner.To.IsZero() && (r.To.IsZero() || inner.To.Before(r.To)) {
				r.To = inner.To
			}
		}
	case f.Op == event.OpRange && f.Field == event.TimeField:
		if f.Min != nil && f.Min.Type() == event.TypeTime {
			r.From = time.Unix(0, f.Min.Int64())
		}
		if f.Max != nil && f.Max.Type() == event.TypeTime {
			r.To = time.Unix(0, f.Max.Int64()).Add(1)
		}
	}
	if !r.From.IsZero() && !r.To.IsZero() && r.To.Before(r.From) {
		r.To = r.From
	}
	return r
}

// indexFilter are the datasets that an index expression names: a,b-*,-b-x.
func indexFilter(expr string) event.Filter {
	if expr == "" || expr == "_all" || expr == "*" {
		return event.Filter{}
	}
	var take, leave []event.Filter
	for name := range strings.SplitSeq(expr, ",") {
		to := &take
		if rest, ok := strings.CutPrefix(name, "-"); ok && len(take) > 0 {
			name, to = rest, &leave
		}
		if name == "_all" {
			name = "*"
		}
		if strings.Contains(name, "*") {
			*to = append(*to, event.Wildcard(event.DatasetField, name))
			continue
		}
		*to = append(*to, event.Equals(event.DatasetField, event.String(name)))
	}
	f := event.Or(take...)
	for _, l := range leave {
		f = event.And(f, event.Not(l))
	}
	return f
}
