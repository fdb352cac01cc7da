package event

import (
	"encoding/binary"
	"maps"
	"slices"
)

// Names of fields with a meaning of their own. Everything else follows
// OpenTelemetry's semantic conventions where they have a name.
const (
	TimeField = "@timestamp" // the event's time, as a field of queries
	IDField   = "@id"        // the number the store gave the event, as a field of queries
	CutField  = "@cut"       // a List naming the fields that were over a limit and cut or left out

	DatasetField = "dataset"      // stream: the dataset (Honeycomb), index (Elasticsearch)
	KindField    = "kind"         // stream: log, span or event
	ServiceField = "service.name" // stream: the service of the catalog
	HostField    = "host.name"    // stream
	MessageField = "message"      // the text of a log line
	LevelField   = "level"        // its severity in lower case: trace, debug, info, warn, error, fatal
	TraceField   = "trace.id"     // 32 hexadecimal digits in lower case
	SpanField    = "span.id"      // 16 hexadecimal digits in lower case
	ParentField  = "parent.id"    // span id of the parent span
	NameField    = "name"         // what a span or event is called
	ElapsedField = "duration"     // how long a span took, a Duration
)

// Kinds of events, the values of KindField.
const (
	KindLog   = "log"
	KindSpan  = "span"
	KindEvent = "event"
)

// Stream is the few fields of low cardinality that tell where an event comes
// from: dataset, kind, service, host. Events of one stream lie together. To
// queries its labels are fields like all others. The zero Stream has none.
// Streams are comparable: equal labels, equal streams.
type Stream struct {
	key string // names and values by turns, sorted by name, each behind its length as uvarint
}

// NewStream is the stream with these labels; empty values are left out. Make it
// once and use it for many events.
func NewStream(labels Labels) Stream {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if labels[name] == "" {
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
		b = append(binary.AppendUvarint(b, uint64(len(labels[name]))), labels[name]...)
	}
	return Stream{string(b)}
}

// ParseStream reads what Key returned; false if it is damaged.
func ParseStream(key string) (Stream, bool) {
	last, n := "", 0
	for rest := key; rest != ""; n++ {
		size, used := uvarint(rest)
		if used <= 0 || size > uint64(len(rest)-used) {
			return Stream{}, false
		}
		item := rest[used : used+int(size)]
		if n%2 == 0 && n > 0 && item <= last {
			return Stream{}, false
		}
		if n%2 == 0 {
			last = item
		}
		rest = rest[used+int(size):]
	}
	return Stream{key}, n%2 == 0
}

// Key is a canonical form for stores: as a map's key and to be parsed again.
func (s Stream) Key() string { return s.key }

// All ranges over the labels by name.
func (s Stream) All(yield func(name, value string) bool) {
	name, isName := "", true
	for item := range (Value{typ: TypeList, str: s.key}).items {
		if isName {
			name = item
		} else if !yield(name, item) {
			return
		}
		isName = !isName
	}
}

// Get is the value of a label.
func (s Stream) Get(name string) (string, bool) {
	for n, v := range s.All {
		if n == name {
			return v, true
		}
	}
	return "", false
}

// Labels are the stream's labels, the caller's to change.
func (s Stream) Labels() Labels {
	l := Labels{}
	for n, v := range s.All {
		l[n] = v
	}
	return l
}

// String is the labels' canonical form, {dataset="web", kind="log"}.
func (s Stream) String() string { return s.Labels().String() }
