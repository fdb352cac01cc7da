package elasticsearch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
)

// aggregation is one aggregation, read and checked: either a metric or buckets
// with aggregations of their own.
type aggregation struct {
	name    string
	kind    string
	field   string
	options map[string]any
	key     *event.Key // of buckets
	keys    []event.Key
	filters []event.Named // filter, filters, missing: in their order
	keyed   bool
	subs    []aggregation
	meta    any
	now     time.Time
	zone    *time.Location // in which times are written
	forms   []dateForm
}

const (
	maxAggDepth   = 8
	maxBuckets    = 65_536 // of one answer, as in Elasticsearch
	maxHitBuckets = 200    // with top_hits
)

func parseAggs(v any, depth int, now time.Time) ([]aggregation, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, parsing("[aggs] is an object")
	}
	if depth > maxAggDepth {
		return nil, illegal("aggregations are nested more than %d deep", maxAggDepth)
	}
	if len(m) > 100 {
		return nil, illegal("at most 100 aggregations side by side")
	}
	var all []aggregation
	for _, name := range names(m) {
		body, ok := m[name].(map[string]any)
		if !ok {
			return nil, parsing("Expected [START_OBJECT] in the aggregation [%s]", name)
		}
		a := aggregation{name: name, now: now}
		for _, member := range names(body) {
			switch member {
			case "aggs", "aggregations":
				subs, err := parseAggs(body[member], depth+1, now)
				if err != nil {
					return nil, err
				}
				a.subs = subs
			case "meta":
				a.meta = body[member]
			default:
				if a.kind != "" {
					return nil, parsing("Found two aggregation type definitions in [%s]: [%s] and [%s]", name, a.kind, member)
				}
				a.kind = member
				a.options, _ = body[member].(map[string]any)
			}
		}
		if a.kind == "" {
			return nil, parsing("Missing definition for aggregation [%s]", name)
		}
		if err := a.prepare(); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// prepare reads what the kind needs.
func (a *aggregation) prepare() error {
	if f, ok := a.options["field"].(string); ok {
		a.field = match.Field(f)
	}
	if a.options["script"] != nil {
		return uncovered("option of an aggregation", "script")
	}
	var err error
	if a.forms, err = formsOf(a.options["format"]); err != nil && a.kind != "terms" {
		return err
	}
	a.zone = time.UTC
	switch a.kind {
	case "avg", "min", "max", "sum", "stats", "extended_stats", "value_count", "cardinality", "percentiles":
		if err := a.allows("percents", "keyed", "tdigest", "hdr", "precision_threshold", "rehash", "execution_hint", "sigma", "format"); err != nil {
			return err
		}
		if a.options["format"] != nil && (a.field != event.TimeField || a.kind != "min" && a.kind != "max") {
			return uncovered("option of the aggregation "+a.kind, "format")
		}
		if a.field == "" {
			return illegal("Required one of fields [field, script], but none were specified in [%s]", a.name)
		}
		if len(a.subs) > 0 {
			return illegal("Aggregator [%s] of type [%s] cannot accept sub-aggregations", a.name, a.kind)
		}
		return nil
	case "top_hits":
		return nil
	case "terms":
		return a.terms()
	case "date_histogram":
		return a.dateHistogram()
	case "histogram":
		return a.histogram()
	case "range", "date_range":
		return a.ranges()
	case "filter", "filters", "missing":
		return a.byFilter()
	case "composite":
		return a.composite()
	}
	return uncovered("aggregation", a.kind)
}

// allows refuses options that would change the answer.
func (a *aggregation) allows(known ...string) error {
	for _, name := range names(a.options) {
		if name != "field" && !slices.Contains(known, name) {
			return uncovered("option of the aggregation "+a.kind, name)
		}
	}
	if o := a.options["order"]; o != nil && a.kind != "terms" {
		if m, ok := o.(map[string]any); !ok || len(m) != 1 || m["_key"] != "asc" {
			return uncovered("option of the aggregation "+a.kind, "order")
		}
	}
	return nil
}

func (a *aggregation) needsField() error {
	if a.field == "" {
		return illegal("Required one of fields [field, script], but none were specified in [%s]", a.name)
	}
	return nil
}

func (a *aggregation) terms() error {
	for _, name := range names(a.options) {
		switch name {
		case "field", "size", "order", "min_doc_count", "shard_size", "show_term_doc_count_error", "missing", "include", "exclude", "execution_hint", "collect_mode", "value_type", "format", "shard_min_doc_count":
		default:
			return uncovered("option of the aggregation terms", name)
		}
	}
	for _, name := range []string{"include", "exclude"} {
		if v := a.options[name]; v != nil {
			if _, ok := v.([]any); !ok {
				if _, ok := v.(string); !ok {
					return uncovered("option of the aggregation terms", name)
				}
			}
		}
	}
	if n, err := integer(a.options["size"], 10); err != nil || n < 1 {
		return illegal("[size] must be greater than 0 in [%s]", a.name)
	}
	a.key = &event.Key{Field: a.field, Present: a.options["missing"] == nil}
	return a.needsField()
}

// calendarUnits are Elasticsearch's names of calendar intervals.
var calendarUnits = map[string]string{
	"1m": "minute", "minute": "minute", "1h": "hour", "hour": "hour", "1d": "day", "day": "day", "1w": "week", "week": "week",
	"1M": "month", "month": "month", "1q": "quarter", "quarter": "quarter", "1y": "year", "year": "year",
}

func (a *aggregation) dateHistogram() error {
	if err := a.allows("interval", "fixed_interval", "calendar_interval", "time_zone", "offset", "format", "keyed", "min_doc_count", "extended_bounds", "order"); err != nil {
		return err
	}
	if a.field == "" {
		a.field = event.TimeField
	}
	if a.field != event.TimeField {
		return uncovered("field of a date_histogram", a.field+": only @timestamp is a date")
	}
	k := event.Key{Field: a.field}
	fixed, _ := a.options["fixed_interval"].(string)
	calendar, _ := a.options["calendar_interval"].(string)
	if old, ok := a.options["interval"].(string); ok && fixed == "" && calendar == "" {
		if calendarUnits[old] != "" {
			calendar = old
		} else {
			fixed = old
		}
	}
	zone, _ := a.options["time_zone"].(string)
	switch {
	case calendar != "":
		unit, ok := calendarUnits[calendar]
		if !ok {
			return illegal("The supplied interval [%.40s] could not be parsed as a calendar interval.", calendar)
		}
		k.Calendar = unit
	case fixed != "":
		every, err := interval(fixed)
		if err != nil || every <= 0 {
			return illegal("failed to parse [%.40s] as a fixed interval", fixed)
		}
		k.Every = every
	default:
		return illegal("Invalid interval specified, must be non-null and non-empty")
	}
	if zone != "" {
		z, err := zoneOf(zone)
		if err != nil {
			return err
		}
		a.zone = z
		if strings.Contains(zone, ":") && k.Calendar != "" {
			_, offset := a.now.In(z).Zone()
			if offset%3600 != 0 {
				return uncovered("time_zone", zone+": use an IANA name")
			}
			zone = fmt.Sprintf("Etc/GMT%+d", -offset/3600)
			if offset == 0 {
				zone = "UTC"
			}
		}
		if k.Calendar != "" {
			k.Zone = zone
		} else {
			_, offset := a.now.In(z).Zone()
			k.Offset = -time.Duration(offset) * time.Second
		}
	}
	if off, ok := a.options["offset"].(string); ok && off != "" {
		shift, err := interval(strings.TrimLeft(off, "+-"))
		if err != nil || k.Calendar != "" && shift != 0 {
			return uncovered("offset of a date_histogram", off)
		}
		if strings.HasPrefix(off, "-") {
			shift = -shift
		}
		k.Offset += shift
	}
	a.key = &k
	return nil
}

// interval reads 30s, 5m, 1h, 7d, 100ms and plain milliseconds.
func interval(s string) (time.Duration, error) {
	n := len(s) - len(strings.TrimLeft(s, "0123456789."))
	v, err := strconv.ParseFloat(s[:n], 64)
	unit, ok := map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "": time.Millisecond,
		"micros": time.Microsecond, "nanos": 1,
	}[s[n:]]
	if err != nil || !ok || v*float64(unit) > 1e18 {
		return 0, illegal("failed to parse [%.40s] as a time value", s)
	}
	return time.Duration(v * float64(unit)), nil
}

func (a *aggregation) histogram() error {
	if err := a.allows("interval", "offset", "keyed", "min_doc_count", "extended_bounds", "order"); err != nil {
		return err
	}
	step, ok := number(a.options["interval"])
	if !ok || step <= 0 {
		return illegal("[interval] must be >0 for histogram aggregation [%s]", a.name)
	}
	origin, _ := number(a.options["offset"])
	a.key = &event.Key{Field: a.field, Step: step, Origin: origin, Present: true}
	return a.needsField()
}

func (a *aggregation) ranges() error {
	list, ok := a.options["ranges"].([]any)
	if !ok || len(list) == 0 {
		return illegal("No [ranges] specified for the [%s] aggregation", a.name)
	}
	if err := a.allows("ranges", "keyed", "format", "time_zone"); err != nil {
		return err
	}
	if a.kind == "range" && (a.options["format"] != nil || a.options["time_zone"] != nil) {
		return uncovered("option of the aggregation range", "format or time_zone")
	}
	if a.kind == "date_range" && a.field == "" {
		a.field = event.TimeField
	}
	if a.kind == "date_range" && a.field != event.TimeField {
		return uncovered("field of a date_range", a.field+": only @timestamp is a date")
	}
	if z, ok := a.options["time_zone"].(string); ok {
		var err error
		if a.zone, err = zoneOf(z); err != nil {
			return err
		}
	}
	a.keyed = a.options["keyed"] == true
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			return parsing("a range is an object")
		}
		if err := a.band(m); err != nil {
			return err
		}
	}
	return a.needsField()
}

// band makes a filter of one range: what is in several counts in each.
func (a *aggregation) band(m map[string]any) error {
	var parts []event.Filter
	ends := map[string]string{}
	for _, end := range []string{"from", "to"} {
		v := m[end]
		if v == nil {
			ends[end] = "*"
			continue
		}
		op, text, shown := ">=", fmt.Sprint(v), ""
		if end == "to" {
			op = "<"
		}
		if a.kind == "date_range" {
			t, err := parseDate(text, a.forms, a.now, false, a.zone)
			if err != nil {
				return err
			}
			text, shown = t.Format(time.RFC3339Nano), a.forms[0].write(t.UnixNano(), a.zone)
		} else if f, ok := number(v); ok {
			text = esFloat(f)
		}
		if ends[end] = shown; shown == "" {
			ends[end] = text
		}
		f, err := match.Range(a.field, a.now, match.Bound{Op: op, Text: text})
		if err != nil {
			return err
		}
		parts = append(parts, f)
	}
	if len(parts) == 0 {
		parts = append(parts, event.Exists(a.field))
	}
	name, ok := m["key"].(string)
	if !ok {
		name = ends["from"] + "-" + ends["to"]
	}
	a.filters = append(a.filters, event.Named{Name: name, Filter: event.And(parts...)})
	return nil
}

// esFloat writes a number as Elasticsearch does: 5 as 5.0.
func esFloat(f float64) string {
	if f == float64(int64(f)) {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func (a *aggregation) byFilter() error {
	c := &compiler{now: a.now}
	switch a.kind {
	case "missing":
		a.filters = []event.Named{{Name: a.name, Filter: event.Not(event.Exists(a.field))}}
		return a.needsField()
	case "filter":
		f, err := c.simple(a.options)
		a.filters = []event.Named{{Name: a.name, Filter: f}}
		return err
	}
	switch of := a.options["filters"].(type) {
	case map[string]any:
		a.keyed = true
		for _, name := range names(of) {
			f, err := c.simple(of[name])
			if err != nil {
				return err
			}
			a.filters = append(a.filters, event.Named{Name: name, Filter: f})
		}
	case []any:
		for i, one := range of {
			f, err := c.simple(one)
			if err != nil {
				return err
			}
			a.filters = append(a.filters, event.Named{Name: strconv.Itoa(i), Filter: f})
		}
	default:
		return parsing("[filters] needs [filters]")
	}
	if a.options["other_bucket"] == true || a.options["other_bucket_key"] != nil {
		name, ok := a.options["other_bucket_key"].(string)
		if !ok {
			name = "_other_"
		}
		var any []event.Filter
		for _, f := range a.filters {
			any = append(any, f.Filter)
		}
		a.filters = append(a.filters, event.Named{Name: name, Filter: event.Not(event.Or(any...))})
	}
	if len(a.filters) == 0 {
		return illegal("[filters] cannot be empty")
	}
	return nil
}

func (a *aggregation) composite() error {
	sources, ok := a.options["sources"].([]any)
	if !ok || len(sources) == 0 {
		return illegal("Required [sources]")
	}
	for _, item := range sources {
		m, ok := item.(map[string]any)
		if !ok || len(m) != 1 {
			return parsing("a source of [composite] is an object with one name")
		}
		name := names(m)[0]
		def, _ := m[name].(map[string]any)
		if len(def) != 1 {
			return parsing("a source of [composite] has one kind")
		}
		kind := names(def)[0]
		one := aggregation{name: name, kind: kind, now: a.now}
		one.options, _ = def[kind].(map[string]any)
		if one.options["order"] == "desc" || one.options["missing_bucket"] == true {
			return uncovered("option of a source of composite", "order desc or missing_bucket")
		}
		if one.options["format"] != nil {
			return uncovered("option of a source of composite", "format")
		}
		delete(one.options, "missing_bucket")
		delete(one.options, "order")
		switch kind {
		case "terms", "histogram", "date_histogram":
		default:
			return uncovered("source of composite", kind)
		}
		if err := one.prepare(); err != nil {
			return err
		}
		one.key.Name, one.key.Present = name, true
		a.keys = append(a.keys, *one.key)
	}
	return nil
}
