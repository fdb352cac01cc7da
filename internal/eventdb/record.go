package eventdb

import (
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"unsafe"

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

// batch is what one Append brought, as it lies in the log, and where in it each
// event is: events wait in this form, which has few pointers, until they become
// a part. Strings made from it share its memory.
type batch struct {
	firstID uint64
	data    string
	refs    []string // texts with a number, the first has 1
	named   bitset   // which of refs are names of fields; the others are keys of streams
	streams []event.Stream
	events  []place
}

// place is an event of a batch.
type place struct {
	time   int64
	stream uint32 // place in streams
	at     uint32 // in data, of the number of its fields
}

// size is how many bytes of the batch event i takes.
func (b *batch) size(i int) int {
	if i+1 < len(b.events) {
		return int(b.events[i+1].at - b.events[i].at)
	}
	return len(b.data) - int(b.events[i].at)
}

// fields is how many fields event i has.
func (b *batch) fields(i int) int {
	c := cursor{data: b.data, at: int(b.events[i].at)}
	return int(c.uvarint())
}

// memory is how many bytes the batch takes, all in all.
func (b *batch) memory() int64 {
	return int64(unsafe.Sizeof(*b)) + int64(len(b.data)) + int64(cap(b.events))*int64(unsafe.Sizeof(place{})) +
		int64(cap(b.refs))*int64(unsafe.Sizeof("")) + int64(cap(b.named))*8 + int64(cap(b.streams))*int64(unsafe.Sizeof(event.Stream{})) + batchExtra
}

// batchExtra are bytes that a batch takes beside itself: its place in the head, and
// what memory is rounded up to.
const batchExtra = 64

// batchEncoder writes batches. It is used by one goroutine at a time.
type batchEncoder struct {
	buf     []byte
	refs    map[string]uint64
	texts   [][2]int // of refs: from and to in buf
	named   []bool   // of refs: it is the name of a field
	last    []string // names of the fields of the event before, by place
	lref    []uint64
	streams map[event.Stream]streamRef
	order   []event.Stream
}

// streamRef is a stream's number among the texts and its place among the streams.
type streamRef struct {
	ref   uint64
	place uint32
}

// encode makes the batch of events; its first ID is not set. It keeps nothing of
// the events but their streams.
func (e *batchEncoder) encode(events []event.Event) *batch {
	if e.refs == nil {
		e.refs, e.streams = map[string]uint64{}, map[event.Stream]streamRef{}
	}
	clear(e.refs)
	clear(e.streams)
	e.last, e.lref, e.texts, e.order = e.last[:0], e.lref[:0], e.texts[:0], e.order[:0]
	e.named = e.named[:0]
	out := &batch{events: make([]place, len(events))}
	b := binary.AppendUvarint(e.buf[:0], uint64(len(events)))
	var before int64
	for i := range events {
		if i%yieldRows == 0 {
			runtime.Gosched()
		}
		ev := &events[i]
		b = binary.AppendVarint(b, ev.Time-before)
		before = ev.Time
		var s streamRef
		b, s = e.stream(b, ev.Stream)
		out.events[i] = place{ev.Time, s.place, uint32(min(len(b), math.MaxUint32))}
		b = binary.AppendUvarint(b, uint64(len(ev.Fields)))
		for j := range ev.Fields {
			b = e.field(b, j, &ev.Fields[j])
		}
	}
	out.data, out.streams = string(b), slices.Clone(e.order)
	out.refs, out.named = make([]string, len(e.texts)), newBitset(len(e.texts))
	for i, t := range e.texts {
		out.refs[i] = out.data[t[0]:t[1]]
		if e.named[i] {
			out.named.set(i)
		}
	}
	if e.buf = b; cap(b) > maxGroup {
		e.buf = nil
	}
	return out
}

func (e *batchEncoder) stream(b []byte, s event.Stream) ([]byte, streamRef) {
	if have, ok := e.streams[s]; ok {
		return binary.AppendUvarint(b, have.ref), have
	}
	made := streamRef{place: uint32(len(e.order))}
	b, made.ref = e.ref(b, s.Key())
	e.streams[s], e.order = made, append(e.order, s)
	return b, made
}

func (e *batchEncoder) field(b []byte, place int, f *event.Field) []byte {
	if place < len(e.last) && e.last[place] == f.Name {
		b = binary.AppendUvarint(b, e.lref[place])
	} else {
		var ref uint64
		b, ref = e.ref(b, f.Name)
		e.named[ref-1] = true
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
	b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	e.texts, e.named = append(e.texts, [2]int{len(b) - len(s), len(b)}), append(e.named, false)
	return b, n
}

// readBatch finds the events of a batch, and checks every one: what it accepts
// can be read without an error.
func readBatch(firstID uint64, data string) (*batch, error) {
	c := cursor{data: data}
	n := c.uvarint()
	if n > uint64(len(data)) {
		return nil, errDamaged("a batch of %d bytes has %d events", len(data), n)
	}
	b := &batch{firstID: firstID, data: data, events: make([]place, 0, n)}
	places := map[string]uint32{}
	var before int64
	for range n {
		before += c.varint()
		key, _ := c.newRef(&b.refs)
		stream, ok := places[key]
		if !ok {
			s, whole := event.ParseStream(key)
			c.bad = c.bad || !whole
			stream = uint32(len(b.streams))
			b.streams, places[key] = append(b.streams, s), stream
		}
		b.events = append(b.events, place{before, stream, uint32(c.at)})
		fields := c.uvarint()
		if c.bad || fields > uint64(len(data)) {
			return nil, errDamaged("event %d of a batch", len(b.events)-1)
		}
		for range fields {
			_, ref := c.newRef(&b.refs)
			b.name(ref)
			t, num, text := c.value()
			if _, ok := event.Raw(t, num, text); !ok || c.bad {
				return nil, errDamaged("event %d of a batch", len(b.events)-1)
			}
		}
	}
	if c.bad || c.at != len(data) {
		return nil, errDamaged("a batch ends in the middle, or after its end")
	}
	return b, nil
}

// cursor reads a batch; it never trusts a length. After an error bad is set.
type cursor struct {
	data string
	at   int
	bad  bool
}

// name notes that a ref is the name of a field.
func (b *batch) name(ref uint64) {
	for uint64(len(b.named))*64 < ref {
		b.named = append(b.named, 0)
	}
	if ref > 0 {
		b.named.set(int(ref - 1))
	}
}

// newRef is the text of a ref and its number; one that stands here for the first time
// is added to refs.
func (c *cursor) newRef(refs *[]string) (string, uint64) {
	n := c.uvarint()
	if n == 0 {
		s := c.text()
		*refs = append(*refs, s)
		return s, uint64(len(*refs))
	}
	if n > uint64(len(*refs)) {
		c.bad = true
		return "", 0
	}
	return (*refs)[n-1], n
}

// value reads the type of a value and its parts, see event.Value.Raw.
func (c *cursor) value() (t event.Type, num uint64, text string) {
	t = event.Type(c.byte())
	switch t {
	case event.TypeNull:
	case event.TypeInt, event.TypeDuration, event.TypeTime:
		num = uint64(c.varint())
	case event.TypeFloat:
		if c.at+8 > len(c.data) {
			c.bad = true
			break
		}
		for i := range 8 {
			num |= uint64(c.data[c.at+i]) << (8 * i)
		}
		c.at += 8
	case event.TypeBool:
		num = uint64(c.byte() & 1)
	default:
		text = c.text()
	}
	return t, num, text
}

func (c *cursor) byte() byte {
	if c.at >= len(c.data) {
		c.bad = true
		return 0
	}
	x := c.data[c.at]
	c.at++
	return x
}

func (c *cursor) uvarint() uint64 {
	if c.at < len(c.data) && c.data[c.at] < 0x80 {
		c.at++
		return uint64(c.data[c.at-1])
	}
	var x uint64
	for shift := uint(0); shift < 64; shift += 7 {
		b := c.byte()
		x |= uint64(b&0x7f) << shift
		if b < 0x80 || c.bad {
			return x
		}
	}
	c.bad = true
	return 0
}

func (c *cursor) varint() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (c *cursor) text() string {
	var n uint64
	if c.at < len(c.data) && c.data[c.at] < 0x80 { // as uvarint, which is no small function
		n = uint64(c.data[c.at])
		c.at++
	} else {
		n = c.uvarint()
	}
	if n > uint64(len(c.data)-c.at) {
		c.bad = true
		return ""
	}
	s := c.data[c.at : c.at+int(n)]
	c.at += int(n)
	return s
}
