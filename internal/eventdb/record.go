package eventdb

import (
	"encoding/binary"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// A batch of events in the write-ahead log:
//
//	uvarint  number of events
//	each     varint   time, as the difference to the event before
//	         ref      stream key
//	         uvarint  number of fields
//	         each     ref     name
//	                  byte    type
//	                  value   Int, Duration, Time: varint; Float: 8 bytes;
//	                          Bool: byte; text: uvarint length, bytes
//
// A ref is a uvarint: 0 and a text (uvarint length, bytes) that gets the next
// number from 1 on, or the number of an earlier text of the batch.

// batchEncoder writes batches. It is used by one goroutine at a time.
type batchEncoder struct {
	refs map[string]uint64
	last []string // names of the fields of the event before, by place
	lref []uint64
}

func (e *batchEncoder) encode(b []byte, events []event.Event) []byte {
	if e.refs == nil {
		e.refs = map[string]uint64{}
	}
	clear(e.refs)
	e.last, e.lref = e.last[:0], e.lref[:0]
	b = binary.AppendUvarint(b, uint64(len(events)))
	var before int64
	for i := range events {
		ev := &events[i]
		b = binary.AppendVarint(b, ev.Time-before)
		before = ev.Time
		b, _ = e.ref(b, ev.Stream.Key())
		b = binary.AppendUvarint(b, uint64(len(ev.Fields)))
		for j := range ev.Fields {
			b = e.field(b, j, &ev.Fields[j])
		}
	}
	return b
}

func (e *batchEncoder) field(b []byte, place int, f *event.Field) []byte {
	if place < len(e.last) && e.last[place] == f.Name {
		b = binary.AppendUvarint(b, e.lref[place])
	} else {
		var ref uint64
		b, ref = e.ref(b, f.Name)
		if place < len(e.last) {
			e.last[place], e.lref[place] = f.Name, ref
		} else if place == len(e.last) {
			e.last, e.lref = append(e.last, f.Name), append(e.lref, ref)
		}
	}
	num, text := f.Value.Raw()
	b = append(b, byte(f.Value.Type()))
	switch f.Value.Type() {
	case event.TypeNull:
	case event.TypeInt, event.TypeDuration, event.TypeTime:
		b = binary.AppendVarint(b, int64(num))
	case event.TypeFloat:
		b = binary.LittleEndian.AppendUint64(b, num)
	case event.TypeBool:
		b = append(b, byte(num))
	default:
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

func (e *batchEncoder) ref(b []byte, s string) ([]byte, uint64) {
	if n, ok := e.refs[s]; ok {
		return binary.AppendUvarint(b, n), n
	}
	n := uint64(len(e.refs) + 1)
	e.refs[s] = n
	b = append(b, 0)
	return append(binary.AppendUvarint(b, uint64(len(s))), s...), n
}

// batchDecoder reads batches; it never trusts a length.
type batchDecoder struct {
	rest    string
	refs    []string
	streams map[string]event.Stream
	bad     bool
}

// decode reads a batch. The events' IDs are not set.
func (d *batchDecoder) decode(batch []byte) ([]event.Event, error) {
	*d = batchDecoder{rest: string(batch), streams: map[string]event.Stream{}}
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		return nil, errDamaged("a batch of %d bytes has %d events", len(batch), n)
	}
	events := make([]event.Event, 0, n)
	var before int64
	for range n {
		before += d.varint()
		e := event.Event{Time: before, Stream: d.stream()}
		fields := d.uvarint()
		if d.bad || fields > uint64(len(d.rest)) {
			return nil, errDamaged("event %d of a batch", len(events))
		}
		e.Fields = make([]event.Field, 0, fields)
		for range fields {
			e.Fields = append(e.Fields, event.Field{Name: d.ref(), Value: d.value()})
		}
		events = append(events, e)
	}
	if d.bad || d.rest != "" {
		return nil, errDamaged("a batch ends in the middle, or after its end")
	}
	return events, nil
}

func (d *batchDecoder) stream() event.Stream {
	key := d.ref()
	s, ok := d.streams[key]
	if !ok {
		if s, ok = event.ParseStream(key); !ok {
			d.bad = true
		}
		d.streams[key] = s
	}
	return s
}

func (d *batchDecoder) value() event.Value {
	t := event.Type(d.byte())
	var num uint64
	var text string
	switch t {
	case event.TypeNull:
	case event.TypeInt, event.TypeDuration, event.TypeTime:
		num = uint64(d.varint())
	case event.TypeFloat:
		if len(d.rest) < 8 {
			d.bad = true
			return event.Value{}
		}
		num = binary.LittleEndian.Uint64([]byte(d.rest[:8]))
		d.rest = d.rest[8:]
	case event.TypeBool:
		num = uint64(d.byte() & 1)
	default:
		text = d.text()
	}
	v, ok := event.Raw(t, num, text)
	d.bad = d.bad || !ok
	return v
}

func (d *batchDecoder) byte() byte {
	if d.rest == "" {
		d.bad = true
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

func (d *batchDecoder) uvarint() uint64 {
	var x uint64
	for shift := uint(0); shift < 64; shift += 7 {
		c := d.byte()
		x |= uint64(c&0x7f) << shift
		if c < 0x80 || d.bad {
			return x
		}
	}
	d.bad = true
	return 0
}

func (d *batchDecoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *batchDecoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *batchDecoder) ref() string {
	n := d.uvarint()
	if n == 0 {
		s := strings.Clone(d.text())
		d.refs = append(d.refs, s)
		return s
	}
	if n > uint64(len(d.refs)) {
		d.bad = true
		return ""
	}
	return d.refs[n-1]
}
