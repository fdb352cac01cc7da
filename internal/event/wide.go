package event

import (
	"encoding/json"
	"slices"
)

// Event is one wide record: a log line, a span, a structured event. Time is in
// Unix nanoseconds. ID is given by the store when the event is appended; within
// one store it tells events apart and orders those of the same time.
//
// A name stands once among stream and fields: of several fields the last counts,
// and a label of the stream counts before a field. A null field is no field.
type Event struct {
	Time   int64
	ID     uint64
	Stream Stream
	Fields []Field
}

// Field is one named value.
type Field struct {
	Name  string
	Value Value
}

// Limits of one event. What is over them is cut, named in CutField and counted
// by the store.
const (
	MaxFields    = 2000
	MaxValueSize = 1 << 20 // bytes of a String, Bytes or List
	MaxNameSize  = 512     // bytes of a field's name
)

// Get is the value under a name, that of TimeField and IDField included; null
// if there is none.
func (e *Event) Get(name string) Value {
	switch name {
	case TimeField:
		return Time(e.Time)
	case IDField:
		return Int(int64(e.ID))
	}
	if v, ok := e.Stream.Get(name); ok {
		return String(v)
	}
	for i := len(e.Fields) - 1; i >= 0; i-- {
		if e.Fields[i].Name == name && !e.Fields[i].Value.IsNull() {
			return e.Fields[i].Value
		}
	}
	return Value{}
}

// Set gives a field a value, in place of an earlier one; null takes it away.
func (e *Event) Set(name string, v Value) {
	e.Fields = slices.DeleteFunc(e.Fields, func(f Field) bool { return f.Name == name })
	if !v.IsNull() {
		e.Fields = append(e.Fields, Field{name, v})
	}
}

// All ranges over the labels of the stream and then the fields that count, each
// name once. TimeField and IDField are not among them.
func (e *Event) All(yield func(name string, v Value) bool) {
	for name, v := range e.Stream.All {
		if !yield(name, String(v)) {
			return
		}
	}
	for i, f := range e.Fields {
		if f.Value.IsNull() || e.hidden(i) {
			continue
		}
		if !yield(f.Name, f.Value) {
			return
		}
	}
}

// hidden tells whether field i is behind a label or a later field of its name.
func (e *Event) hidden(i int) bool {
	name := e.Fields[i].Name
	if _, ok := e.Stream.Get(name); ok || name == TimeField || name == IDField {
		return true
	}
	return slices.ContainsFunc(e.Fields[i+1:], func(f Field) bool { return f.Name == name && !f.Value.IsNull() })
}

// MarshalJSON writes one flat object: @timestamp in RFC 3339, @id as a string
// (it may not fit a JavaScript number), the labels, the fields.
func (e Event) MarshalJSON() ([]byte, error) {
	object := map[string]any{}
	for name, v := range e.All {
		switch v.Type() {
		case TypeDuration:
			object[name] = v.Int64()
		case TypeTime, TypeBytes:
			object[name] = v.String()
		default:
			object[name] = v
		}
	}
	object[TimeField] = Time(e.Time).String()
	object[IDField] = Int(int64(e.ID)).String()
	return json.Marshal(object)
}
