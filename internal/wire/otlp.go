package wire

// Message is one of OpenTelemetry's, as [Check] looks at it: which of its fields hold others. Whatever else it holds, above all the
// text of people, is not looked into. Source: github.com/open-telemetry/opentelemetry-proto.
type Message struct {
	fields map[uint32]*Message
	entry  bool // counted against MaxEntries
}

// Logs and Metrics are what is exported.
var (
	Logs    = export(entry(map[uint32]*Message{5: attribute.fields[2], 6: attribute}))
	Metrics = export(metric())
)

var (
	attribute = pair()
	leaf      = &Message{} // holds no others; an empty one in a list takes room too
	entity    = &Message{fields: map[uint32]*Message{3: leaf, 4: leaf}}
	resource  = &Message{fields: map[uint32]*Message{1: attribute, 3: entity}}
	scope     = &Message{fields: map[uint32]*Message{3: attribute}}
)

func entry(fields map[uint32]*Message) *Message { return &Message{fields: fields, entry: true} }

// pair is a name with a value: the only message that can hold itself, by way of a value that is a list or a map.
func pair() *Message {
	p, value := &Message{}, &Message{}
	list := &Message{fields: map[uint32]*Message{1: value}}
	pairs := &Message{fields: map[uint32]*Message{1: p}}
	value.fields = map[uint32]*Message{5: list, 6: pairs}
	p.fields = map[uint32]*Message{2: value}
	return p
}

// export is a request: records of scopes of resources. Decoders take scopes under the number of old too.
func export(record *Message) *Message {
	scoped := entry(map[uint32]*Message{1: scope, 2: record})
	return &Message{fields: map[uint32]*Message{1: entry(map[uint32]*Message{1: resource, 2: scoped, 1000: scoped})}}
}

func metric() *Message {
	exemplar := entry(map[uint32]*Message{7: attribute})
	points := func(fields map[uint32]*Message) *Message {
		return &Message{fields: map[uint32]*Message{1: entry(fields)}}
	}
	numbers := points(map[uint32]*Message{7: attribute, 5: exemplar})
	return entry(map[uint32]*Message{
		5: numbers, 7: numbers, // gauge and sum
		9:  points(map[uint32]*Message{9: attribute, 8: exemplar}),                    // histogram
		10: points(map[uint32]*Message{1: attribute, 8: leaf, 9: leaf, 11: exemplar}), // exponential histogram
		11: points(map[uint32]*Message{7: attribute, 6: leaf}),                        // summary
		12: attribute,
	})
}
