// Package logstash carries out Logstash's pipelines: configuration files in its language become inputs, filters and outputs that
// move events through bounded queues, and what reaches the output elasticsearch is kept in daytwo's own store.
//
// A file is read and checked by Build, which starts nothing. Pipelines runs what was built and changes it at a reload; Trial shows what
// each stage does to sample lines. A plugin that is not carried out is refused by its name.
package logstash

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Event is one record on its way through a pipeline: text, int64, float64, bool, time.Time, nil, []any and map[string]any. One
// goroutine has it at a time.
type Event struct {
	fields    map[string]any
	meta      map[string]any // below @metadata: never shown by outputs
	cancelled bool
	receipt   *receipt
}

// receipt is told when every event that came of one arrival has gone where it should.
type receipt struct {
	open atomic.Int64
	done func()
}

func (r *receipt) share() {
	if r != nil {
		r.open.Add(1)
	}
}

func (r *receipt) settle() {
	if r != nil && r.open.Add(-1) == 0 && r.done != nil {
		r.done()
	}
}

// newEvent is an event of now. fields belongs to it afterwards; nil is none.
func newEvent(fields map[string]any) *Event {
	if fields == nil {
		fields = make(map[string]any, 8)
	}
	e := &Event{fields: fields}
	if meta, ok := fields["@metadata"].(map[string]any); ok {
		e.meta = meta
		delete(fields, "@metadata")
	}
	switch at := fields["@timestamp"].(type) {
	case nil:
		fields["@timestamp"] = time.Now().UTC()
	case time.Time:
	default:
		if t, ok := parseTimestamp(at); ok {
			fields["@timestamp"] = t
		} else {
			fields["_@timestamp"] = at
			fields["@timestamp"] = time.Now().UTC()
			e.tag("_timestampparsefailure")
		}
	}
	if _, ok := fields["@version"]; !ok {
		fields["@version"] = "1"
	}
	return e
}

// parseTimestamp reads what may stand under @timestamp.
func parseTimestamp(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		t, ok := parseISO8601(v, time.UTC)
		return t, ok
	}
	return time.Time{}, false
}

// time is the event's @timestamp.
func (e *Event) time() time.Time {
	t, _ := e.fields["@timestamp"].(time.Time)
	return t
}

// clone is a copy that shares nothing with e but its receipt.
func (e *Event) clone() *Event {
	e.receipt.share()
	return &Event{fields: copyValue(e.fields).(map[string]any), meta: copyMeta(e.meta), receipt: e.receipt}
}

func copyMeta(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	return copyValue(m).(map[string]any)
}

func copyValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = copyValue(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = copyValue(x)
		}
		return out
	}
	return v
}

// tag adds a tag that is not there yet.
func (e *Event) tag(t string) {
	switch tags := e.fields["tags"].(type) {
	case nil:
		e.fields["tags"] = []any{t}
	case []any:
		if !slices.Contains(tags, any(t)) {
			e.fields["tags"] = append(tags, t)
		}
	default:
		if tags != any(t) {
			e.fields["tags"] = []any{tags, t}
		}
	}
}

func (e *Event) untag(t string) {
	switch tags := e.fields["tags"].(type) {
	case []any:
		tags = slices.DeleteFunc(tags, func(v any) bool { return v == any(t) })
		if len(tags) == 0 {
			delete(e.fields, "tags")
		} else {
			e.fields["tags"] = tags
		}
	case string:
		if tags == t {
			delete(e.fields, "tags")
		}
	}
}

// Ref names a field: a, [a][b], [list][0], [@metadata][x].
type Ref struct {
	path []string
	meta bool
}

// maxPath bounds how deep a reference may go.
const maxPath = 64

// parseRef reads a reference; text that is none names the field so called.
func parseRef(s string) Ref {
	path := []string{s}
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") && len(s) > 2 {
		path = strings.Split(s[1:len(s)-1], "][")
		if len(path) > maxPath || slices.Contains(path, "") || slices.ContainsFunc(path, func(p string) bool { return strings.ContainsAny(p, "[]") }) {
			path = []string{s}
		}
	}
	if path[0] == "@metadata" {
		return Ref{path[1:], true}
	}
	return Ref{path, false}
}

// String is the reference as one writes it.
func (r Ref) String() string {
	path := r.path
	if r.meta {
		path = append([]string{"@metadata"}, path...)
	}
	if len(path) == 1 {
		return path[0]
	}
	return "[" + strings.Join(path, "][") + "]"
}

// get is the value of a field; false if it is not there. null is there.
func (e *Event) get(r Ref) (any, bool) {
	fields := e.fields
	if r.meta {
		if len(r.path) == 0 {
			return e.meta, e.meta != nil
		}
		fields = e.meta
	}
	if len(r.path) == 1 {
		v, ok := fields[r.path[0]]
		return v, ok
	}
	var v any = fields
	for _, p := range r.path {
		var ok bool
		if v, ok = child(v, p); !ok {
			return nil, false
		}
	}
	return v, true
}

func child(v any, key string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		x, ok := v[key]
		return x, ok
	case []any:
		i, ok := index(key, len(v))
		if !ok {
			return nil, false
		}
		return v[i], true
	}
	return nil, false
}

func index(key string, n int) (int, bool) {
	i, err := strconv.Atoi(key)
	if err != nil {
		return 0, false
	}
	if i < 0 {
		i += n
	}
	return i, i >= 0 && i < n
}

// set gives a field a value and makes the hashes above it. It is false where something else stands in the way, or @timestamp would become
// no time.
func (e *Event) set(r Ref, v any) bool {
	if r.meta && len(r.path) == 0 {
		m, ok := v.(map[string]any)
		if ok {
			e.meta = m
		}
		return ok
	}
	fields := e.fields
	if r.meta {
		if e.meta == nil {
			e.meta = map[string]any{}
		}
		fields = e.meta
	} else if len(r.path) == 1 && r.path[0] == "@timestamp" {
		t, ok := parseTimestamp(v)
		if ok {
			fields["@timestamp"] = t
		}
		return ok
	}
	if len(r.path) == 1 {
		fields[r.path[0]] = v
		return true
	}
	var at any = fields
	for i, p := range r.path[:len(r.path)-1] {
		next, ok := child(at, p)
		if !ok || next == nil {
			m, isMap := at.(map[string]any)
			if !isMap {
				return false
			}
			next = make(map[string]any, max(1, 4-i))
			m[p] = next
		}
		at = next
	}
	last := r.path[len(r.path)-1]
	switch at := at.(type) {
	case map[string]any:
		at[last] = v
		return true
	case []any:
		if i, ok := index(last, len(at)); ok {
			at[i] = v
			return true
		}
	}
	return false
}

// remove takes a field away and returns what it held.
func (e *Event) remove(r Ref) (any, bool) {
	if r.meta && len(r.path) == 0 {
		v := e.meta
		e.meta = nil
		return v, v != nil
	}
	fields := e.fields
	if r.meta {
		fields = e.meta
	}
	var at any = fields
	for _, p := range r.path[:len(r.path)-1] {
		var ok bool
		if at, ok = child(at, p); !ok {
			return nil, false
		}
	}
	m, ok := at.(map[string]any)
	if !ok {
		return nil, false
	}
	last := r.path[len(r.path)-1]
	v, ok := m[last]
	delete(m, last)
	return v, ok
}

// text is the value of a field as text; false if it is not there or null.
func (e *Event) text(r Ref) (string, bool) {
	v, ok := e.get(r)
	if !ok || v == nil {
		return "", false
	}
	return text(v), true
}

// Fields is a copy of what an output shows.
func (e *Event) Fields() map[string]any { return copyValue(e.fields).(map[string]any) }

// sortedKeys are the names of a hash in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
