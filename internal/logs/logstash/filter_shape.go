package logstash

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/logs/grok"
)

// filterFunc is a filter that needs no more than a function.
type filterFunc func(e *Event, emit func(*Event)) bool

func (f filterFunc) apply(e *Event, emit func(*Event)) bool { return f(e, emit) }

func newDrop(o *options) filter {
	percentage := o.int("percentage", 100, 0, 100)
	return filterFunc(func(e *Event, _ func(*Event)) bool {
		if percentage < 100 && rand.IntN(100) >= percentage {
			return false
		}
		e.cancelled = true
		return true
	})
}

func newClone(o *options) filter {
	clones, compatible := o.texts("clones"), o.compatible()
	o.require("clones", `["copy"]`)
	return filterFunc(func(e *Event, emit func(*Event)) bool {
		for _, name := range clones {
			c := e.clone()
			if compatible {
				c.tag(name)
			} else {
				c.fields["type"] = name
			}
			emit(c)
		}
		return false // decorates the clones, not the event
	})
}

func newSplit(o *options) filter {
	field := o.ref("field", "message")
	terminator := unescape(o.text("terminator", "\n"))
	target, hasTarget := o.target("target")
	o.ignore("ecs_compatibility")
	return filterFunc(func(e *Event, emit func(*Event)) bool {
		v, _ := e.get(field)
		var parts []any
		switch v := v.(type) {
		case []any:
			parts = v
		case string:
			parts = splitText(v, terminator)
			if len(parts) == 1 {
				return true
			}
		default:
			e.tag("_split_type_failure")
			return false
		}
		for _, p := range parts {
			if s, ok := p.(string); ok && s == "" {
				continue
			}
			if _, isList := v.([]any); isList {
				e.set(field, nil) // not to be copied for each part
			}
			c := e.clone()
			if hasTarget {
				c.set(target, copyValue(p))
			} else {
				c.set(field, copyValue(p))
			}
			emit(c)
		}
		e.cancelled = true
		return true
	})
}

func newUUID(o *options) filter {
	target, overwrite := o.ref("target", "uuid"), o.bool("overwrite", false)
	o.require("target", `"uuid"`)
	return filterFunc(func(e *Event, _ func(*Event)) bool {
		if _, ok := e.get(target); ok && !overwrite {
			return true
		}
		return e.set(target, randomUUID())
	})
}

func newDeDot(o *options) filter {
	separator, fields, nested := o.text("separator", "_"), o.texts("fields"), o.bool("nested", false)
	o.ignore("recursive")
	return filterFunc(func(e *Event, _ func(*Event)) bool {
		for _, k := range sortedKeys(e.fields) {
			if !strings.Contains(k, ".") || len(fields) > 0 && !containsText(fields, k) {
				continue
			}
			v := e.fields[k]
			delete(e.fields, k)
			if nested {
				e.set(Ref{path: strings.Split(k, ".")}, v)
			} else {
				e.fields[strings.ReplaceAll(k, ".", separator)] = v
			}
		}
		return true
	})
}

func containsText(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func newTruncate(o *options) filter {
	most, refs := o.int("length_bytes", 0, 0, 1<<30), o.refs("fields")
	o.require("length_bytes", "1024")
	return filterFunc(func(e *Event, _ func(*Event)) bool {
		cut := func(s string) (string, bool) {
			if len(s) <= most {
				return s, true
			}
			s = s[:most]
			for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-4):]) && !utf8.RuneStart(s[len(s)-1]) {
				s = s[:len(s)-1]
			}
			if n := len(s); n > 0 && s[n-1] >= utf8.RuneSelf && !utf8.ValidString(s) {
				s = strings.ToValidUTF8(s, "")
			}
			return s, true
		}
		if refs != nil {
			for _, r := range refs {
				e.eachText(r, cut)
			}
			return true
		}
		for k := range e.fields {
			e.eachText(Ref{path: []string{k}}, cut)
		}
		return true
	})
}

// prune keeps or takes away fields by their names and values.
type prune struct {
	keepNames, dropNames   []*grok.Pattern
	keepValues, dropValues map[string]*grok.Pattern
}

func newPrune(o *options) filter {
	f := &prune{keepNames: o.expressions("whitelist_names"), dropNames: o.expressions("blacklist_names")}
	if !o.has("blacklist_names") && !o.has("whitelist_names") && !o.has("blacklist_values") && !o.has("whitelist_values") {
		f.dropNames = []*grok.Pattern{mustExpression("%{[^}]+}")}
	}
	f.keepValues, f.dropValues = o.expressionPairs("whitelist_values"), o.expressionPairs("blacklist_values")
	if o.bool("interpolate", false) {
		o.wrong(o.plugin.Pos, "write the names as they are", "interpolate of filter prune is not carried out")
	}
	return f
}

func mustExpression(s string) *grok.Pattern {
	p, err := grok.CompileExpression(s, matchTimeout)
	if err != nil {
		panic(err)
	}
	return p
}

func (o *options) expressions(name string) []*grok.Pattern {
	var out []*grok.Pattern
	for _, s := range o.texts(name) {
		if p := o.compileAt(name, s); p != nil {
			out = append(out, p)
		}
	}
	return out
}

func (o *options) expressionPairs(name string) map[string]*grok.Pattern {
	out := map[string]*grok.Pattern{}
	for _, p := range o.textPairs(name) {
		if c := o.compileAt(name, p[1]); c != nil {
			out[p[0]] = c
		}
	}
	return out
}

func (f *prune) apply(e *Event, _ func(*Event)) bool {
	for _, k := range sortedKeys(e.fields) {
		if k == "@timestamp" || k == "@version" {
			continue
		}
		v := e.fields[k]
		if len(f.keepNames) > 0 && !anyMatches(f.keepNames, k) || anyMatches(f.dropNames, k) ||
			!valueStays(f.keepValues[k], v, true) || !valueStays(f.dropValues[k], v, false) {
			delete(e.fields, k)
		}
	}
	return true
}

func anyMatches(patterns []*grok.Pattern, s string) bool {
	for _, p := range patterns {
		if p.Matches(s) {
			return true
		}
	}
	return false
}

func valueStays(p *grok.Pattern, v any, keep bool) bool {
	if p == nil {
		return true
	}
	return p.Matches(text(v)) == keep
}

// newCIDR asks whether addresses lie in networks.
func newCIDR(o *options) filter {
	addresses, networks := o.templates("address"), o.templates("network")
	field, byField := o.target("address_field")
	if byField && addresses != nil {
		o.wrong(o.plugin.Pos, "leave one of them out", "address and address_field of cidr exclude each other")
	}
	o.refuse("write the networks in network", "network_path", "refresh_interval", "separator")
	var fixed []netip.Prefix
	dynamic := false
	for _, t := range networks {
		if !t.constant() {
			dynamic = true
			continue
		}
		p, ok := parseNetwork(t.source)
		if !ok {
			v, _ := o.find("network")
			o.wrong(v.At(), "write 10.0.0.0/8 or an address", "%q is no network", t.source)
		}
		fixed = append(fixed, p)
	}
	return filterFunc(func(e *Event, _ func(*Event)) bool {
		nets := fixed
		if dynamic {
			nets = nil
			for _, t := range networks {
				if p, ok := parseNetwork(t.fill(e)); ok {
					nets = append(nets, p)
				}
			}
		}
		lies := func(address string) bool {
			ip, err := netip.ParseAddr(strings.TrimSpace(address))
			return err == nil && slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(ip.Unmap()) })
		}
		if byField {
			v, _ := e.get(field)
			if list, isList := v.([]any); isList {
				return slices.ContainsFunc(list, func(v any) bool { return lies(text(v)) })
			}
			return v != nil && lies(text(v))
		}
		return slices.ContainsFunc(addresses, func(a *template) bool { return lies(a.fill(e)) })
	})
}

func parseNetwork(s string) (netip.Prefix, bool) {
	s = strings.TrimSpace(s)
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// throttle tells which events are too few or too many of their key within a period: those count as matched.
type throttle struct {
	key           *template
	before, after int
	period        time.Duration
	most          int
	mu            sync.Mutex
	counts        map[string]*throttleCount
}

type throttleCount struct {
	n     int
	until time.Time
}

func newThrottle(o *options) filter {
	f := &throttle{
		key: o.template("key", ""), before: o.int("before_count", -1, -1, 1<<30), after: o.int("after_count", -1, -1, 1<<30),
		period: o.seconds("period", time.Minute), most: o.int("max_counters", 100_000, -1, 10_000_000), counts: map[string]*throttleCount{},
	}
	o.require("key", `"%{message}"`)
	o.ignore("max_age")
	return f
}

func (f *throttle) apply(e *Event, _ func(*Event)) bool {
	key, at := f.key.fill(e), e.time()
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.counts[key]
	if !ok || at.After(c.until) {
		if !ok && f.most > 0 && len(f.counts) >= f.most {
			for k, old := range f.counts { // make room: what is over first, then anything
				if delete(f.counts, k); at.After(old.until) || len(f.counts) < f.most {
					break
				}
			}
		}
		c = &throttleCount{until: at.Add(f.period)}
		f.counts[key] = c
	}
	c.n++
	return f.before >= 0 && c.n < f.before || f.after >= 0 && c.n > f.after
}

// elapsed measures the time between an event with one tag and the next with another and the same id.
type elapsed struct {
	start, end, id   string
	timeout          time.Duration
	newEvent, compat bool
	keepStart        bool
	mu               sync.Mutex
	open             map[string]*Event
}

// maxElapsed bounds the starts that wait for their end.
const maxElapsed = 100_000

func newElapsed(o *options) filter {
	f := &elapsed{
		start: o.text("start_tag", ""), end: o.text("end_tag", ""), id: o.text("unique_id_field", ""), timeout: o.seconds("timeout", 30*time.Minute),
		newEvent: o.bool("new_event_on_match", false), keepStart: o.bool("keep_start_event", false), open: map[string]*Event{}, compat: o.compatible(),
	}
	for _, s := range []string{"start_tag", "end_tag", "unique_id_field"} {
		o.require(s, `"…"`)
	}
	o.text("keep_start_event", "")
	o.ordered = true
	return f
}

func (f *elapsed) names() (seconds, start string) {
	if f.compat {
		return "[event][duration]", "[event][start]"
	}
	return "elapsed_time", "elapsed_timestamp_start"
}

func (f *elapsed) apply(e *Event, emit func(*Event)) bool {
	id, ok := e.text(parseRef(f.id))
	if !ok {
		return false
	}
	tags, _ := e.get(parseRef("tags"))
	f.mu.Lock()
	defer f.mu.Unlock()
	if contains(tags, f.start) {
		if _, waits := f.open[id]; (!waits || !f.keepStart) && len(f.open) < maxElapsed {
			f.open[id] = &Event{fields: map[string]any{"@timestamp": e.time()}}
		}
		return false
	}
	if !contains(tags, f.end) {
		return false
	}
	begun, ok := f.open[id]
	if !ok {
		e.tag("elapsed_end_without_start")
		return false
	}
	delete(f.open, id)
	took := e.time().Sub(begun.time())
	into := e
	if f.newEvent {
		into = newEvent(nil)
		into.set(parseRef(f.id), id)
		into.tag("elapsed_match")
	}
	name, start := f.names()
	if f.compat {
		into.set(parseRef(name), took.Nanoseconds())
	} else {
		into.set(parseRef(name), took.Seconds())
	}
	into.set(parseRef(start), begun.time())
	into.tag("elapsed")
	if f.newEvent {
		emit(into)
	}
	return true
}

func (f *elapsed) flush(now time.Time, _ bool) []*Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, e := range f.open {
		if now.Sub(e.time()) > f.timeout {
			delete(f.open, id)
		}
	}
	return nil
}

// metricsFilter counts events and tells the counts regularly.
type metricsFilter struct {
	meters []*template
	timers [][2]*template
	every  time.Duration
	mu     sync.Mutex
	counts map[string]*meter
	last   time.Time
}

type meter struct {
	n, before     int64
	sum, min, max float64
	timer         bool
}

func newMetrics(o *options) filter {
	f := &metricsFilter{meters: o.templates("meter"), every: o.seconds("flush_interval", 5*time.Second), counts: map[string]*meter{}}
	for _, p := range o.textPairs("timer") {
		f.timers = append(f.timers, [2]*template{o.templateOf(p[0], "timer"), o.templateOf(p[1], "timer")})
	}
	o.ignore("ignore_older_than")
	o.refuse("a search in daytwo gives rates and percentiles", "rates", "percentiles", "clear_interval")
	return f
}

// maxMeters bounds the names that are counted.
const maxMeters = 10_000

func (f *metricsFilter) apply(e *Event, _ func(*Event)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.meters {
		f.add(t.fill(e), 0, false)
	}
	for _, t := range f.timers {
		v, _ := leadingNumber(t[1].fill(e))
		f.add(t[0].fill(e), v, true)
	}
	return false
}

func (f *metricsFilter) add(name string, v float64, timer bool) {
	m, ok := f.counts[name]
	if !ok {
		if len(f.counts) >= maxMeters {
			return
		}
		m = &meter{timer: timer, min: v, max: v}
		f.counts[name] = m
	}
	m.n++
	m.sum += v
	m.min, m.max = min(m.min, v), max(m.max, v)
}

func (f *metricsFilter) flush(now time.Time, last bool) []*Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.counts) == 0 || !last && now.Sub(f.last) < f.every {
		return nil
	}
	took := now.Sub(f.last).Seconds()
	e := newEvent(nil)
	for name, m := range f.counts {
		values := map[string]any{"count": m.n}
		if !f.last.IsZero() && took > 0 {
			values["rate"] = float64(m.n-m.before) / took
		}
		if m.timer && m.n > 0 {
			values["mean"], values["min"], values["max"] = m.sum/float64(m.n), m.min, m.max
		}
		m.before = m.n
		ref := parseRef(name)
		if !strings.HasPrefix(name, "[") {
			ref = Ref{path: []string{name}}
		}
		e.set(ref, values)
	}
	f.last = now
	return []*Event{e}
}
