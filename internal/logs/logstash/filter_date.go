package logstash

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs/logstash/joda"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// dateFilter makes a time of a field by the first pattern that fits.
type dateFilter struct {
	source    Ref
	readers   []dateReader
	target    Ref
	zone      *template // empty: the process's
	onFailure []string
	now       func() time.Time
}

type dateReader func(v any, zone *time.Location, now time.Time) (time.Time, bool)

func newDate(o *options) filter {
	f := &dateFilter{target: o.ref("target", "@timestamp"), now: time.Now, onFailure: o.texts("tag_on_failure")}
	if !o.has("tag_on_failure") {
		f.onFailure = []string{"_dateparsefailure"}
	}
	if f.zone = o.template("timezone", ""); f.zone.constant() {
		o.zone("timezone") // says if it is none
	}
	locale := o.text("locale", "en")
	o.ignore("precision")
	match := o.texts("match")
	if len(match) < 2 {
		o.wrong(o.plugin.Pos, `write match => ["timestamp", "ISO8601"]`, "filter date needs match with a field and at least one pattern")
		return f
	}
	f.source = parseRef(match[0])
	for _, pattern := range match[1:] {
		if r, ok := namedDates[pattern]; ok {
			f.readers = append(f.readers, r)
			continue
		}
		layout, err := joda.Parse(pattern, locale)
		if err != nil {
			v, _ := o.find("match")
			o.report(v.At(), problem.From(err))
			continue
		}
		f.readers = append(f.readers, layoutReader(layout))
	}
	return f
}

var namedDates = map[string]dateReader{
	"ISO8601": func(v any, zone *time.Location, _ time.Time) (time.Time, bool) { return parseISO8601(text(v), zone) },
	"UNIX":    func(v any, _ *time.Location, _ time.Time) (time.Time, bool) { return unixTime(v, 1) },
	"UNIX_MS": func(v any, _ *time.Location, _ time.Time) (time.Time, bool) { return unixTime(v, 1000) },
	"TAI64N":  func(v any, _ *time.Location, _ time.Time) (time.Time, bool) { return tai64n(text(v)) },
}

// unixTime reads seconds, or what goes so often into one, since 1970.
func unixTime(v any, parts float64) (time.Time, bool) {
	if n, ok := v.(int64); ok && parts == 1000 {
		return time.UnixMilli(n).UTC(), true
	}
	s := text(v)
	whole, fraction, _ := strings.Cut(s, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil && parts == 1 && len(fraction) < 10 && n < 1e12 && n > -1e12 {
		nanos, err := strconv.Atoi((fraction + "000000000")[:9])
		if err == nil || fraction == "" {
			if n < 0 || strings.HasPrefix(s, "-") {
				nanos = -nanos
			}
			return time.Unix(n, int64(nanos)).UTC(), true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f/parts) > 1e12 {
		return time.Time{}, false
	}
	seconds, rest := math.Modf(f / parts)
	return time.Unix(int64(seconds), int64(math.Round(rest*1e6))*1000).UTC(), true
}

// tai64n reads the labels of daemontools: @ and 24 hexadecimal digits.
func tai64n(s string) (time.Time, bool) {
	raw, err := hex.DecodeString(strings.TrimPrefix(s, "@"))
	if err != nil || len(raw) != 12 {
		return time.Time{}, false
	}
	var seconds, nanos uint64
	for _, b := range raw[:8] {
		seconds = seconds<<8 | uint64(b)
	}
	for _, b := range raw[8:] {
		nanos = nanos<<8 | uint64(b)
	}
	return time.Unix(int64(seconds-1<<62)-10, int64(nanos)).UTC(), true
}

func layoutReader(l *joda.Layout) dateReader {
	return func(v any, zone *time.Location, now time.Time) (time.Time, bool) {
		t, err := l.Parse(text(v), now, zone)
		if err != nil {
			return time.Time{}, false
		}
		if !l.HasYear() { // the year that brings it nearest to now
			switch month := t.Month(); {
			case month == time.December && now.Month() == time.January:
				t = t.AddDate(-1, 0, 0)
			case month == time.January && now.Month() == time.December:
				t = t.AddDate(1, 0, 0)
			}
		}
		return t.UTC(), true
	}
}

func (f *dateFilter) apply(e *Event, _ func(*Event)) bool {
	v, ok := e.get(f.source)
	if !ok || v == nil {
		return false
	}
	if list, isList := v.([]any); isList {
		if len(list) == 0 {
			return false
		}
		v = list[0]
	}
	if t, isTime := v.(time.Time); isTime {
		return e.set(f.target, t)
	}
	zone := time.Local
	if name := f.zone.fill(e); name != "" {
		z, err := loadZone(name)
		if err != nil {
			f.fail(e)
			return false
		}
		zone = z
	}
	now := f.now()
	for _, read := range f.readers {
		if t, ok := read(v, zone, now); ok {
			return e.set(f.target, t)
		}
	}
	f.fail(e)
	return false
}

func (f *dateFilter) fail(e *Event) {
	for _, t := range f.onFailure {
		e.tag(t)
	}
}
