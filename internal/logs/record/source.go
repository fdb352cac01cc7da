package record

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// IDField is the id that a document came with.
const IDField = "_id"

// Source writes an event as the nested JSON document it may have come from: the
// dots of names become objects, and labels that only daytwo gave it are left
// out. keep says which fields; nil is all.
func Source(e *event.Event, keep func(string) bool) json.RawMessage {
	root := &object{}
	put := func(name string, v any) {
		if keep == nil || keep(name) {
			root.put(name, name, v)
		}
	}
	put(event.TimeField, event.Time(e.Time).String())
	for name, v := range e.All {
		switch name {
		case event.KindField, event.DatasetField, IDField:
			continue
		case event.HostField, event.ServiceField:
			short := strings.TrimSuffix(name, ".name")
			if other := e.Get(short); !other.IsNull() {
				continue // the document says it in its own way
			}
		}
		put(name, plain(v))
	}
	var b bytes.Buffer
	root.write(&b)
	return b.Bytes()
}

func plain(v event.Value) any {
	switch v.Type() {
	case event.TypeDuration:
		return v.Int64()
	case event.TypeTime, event.TypeBytes:
		return v.String()
	case event.TypeFloat:
		if f, ok := v.Number(); !ok || f-f != 0 {
			return v.String()
		}
	}
	return v
}

// object keeps the order of its members.
type object struct {
	names  []string
	values []any // *object or a value
}

// put places a value below its dotted name; where a value is in the way the
// rest of the name stays dotted.
func (o *object) put(name, whole string, v any) {
	head, rest, nested := strings.Cut(name, ".")
	if !nested || head == "" || rest == "" {
		o.set(name, v)
		return
	}
	i := slices.Index(o.names, head)
	if i < 0 {
		child := &object{}
		child.put(rest, whole, v)
		o.set(head, child)
		return
	}
	if child, ok := o.values[i].(*object); ok {
		child.put(rest, whole, v)
		return
	}
	o.set(name, v)
}

func (o *object) set(name string, v any) {
	if i := slices.Index(o.names, name); i >= 0 {
		if child, isObject := o.values[i].(*object); isObject { // a: 1 beside a.b: 2
			for j, n := range child.names {
				o.set(name+"."+n, child.values[j])
			}
		}
		o.values[i] = v
		return
	}
	o.names, o.values = append(o.names, name), append(o.values, v)
}

func (o *object) write(b *bytes.Buffer) {
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(name)
		b.Write(key)
		b.WriteByte(':')
		if child, ok := o.values[i].(*object); ok {
			child.write(b)
			continue
		}
		data, err := json.Marshal(o.values[i])
		if err != nil {
			data = []byte("null")
		}
		b.Write(data)
	}
	b.WriteByte('}')
}
