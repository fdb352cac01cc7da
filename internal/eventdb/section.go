package eventdb

import (
	"encoding/binary"
	"math"
	"math/bits"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// codec is how the bytes of a section are compressed.
type codec uint8

const (
	codecNone codec = iota
	codecZstd
	codecChunks // of shapeTexts, see chunk.go
)

// meta describes a stored column: what its index knows without reading it.
type meta struct {
	name   string
	typ    event.Type
	shape  shape
	codec  codec
	count  int    // rows that have a value
	offset uint64 // in the part
	size   uint32 // stored
	raw    uint32 // decompressed
	sum    uint32 // CRC-32C of the stored bytes
	bloom  uint64 // offset
	blocks uint32 // of the bloom; 0: there is none
	low    uint64 // smallest and largest value: of shapeInts int64, of shapeFloats float bits
	high   uint64
}

// zstds compress and decompress; both are safe for concurrent use.
type zstds struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

var newZstds = sync.OnceValues(func() (*zstds, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxSection), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &zstds{enc, dec}, nil
})

// maxSection bounds a decompressed section: pageRows of the longest values do
// not come near it, because a page ends at pageBytes.
const maxSection = 64 << 20

// appendBody writes a column. Present rows come first as bits if some have none;
// what follows depends on the shape.
func appendBody(b []byte, c *column) []byte {
	if c.shape != shapeDict && c.present != nil {
		for _, w := range c.present {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	switch c.shape {
	case shapeInts:
		return appendInts(b, c.ints)
	case shapeFloats:
		if ints, digits, ok := scaled(c.floats); ok {
			return appendInts(append(b, byte(digits)), ints)
		}
		b = append(b, 255)
		for _, f := range c.floats {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
		}
		return b
	case shapePrefixed:
		b = append(binary.AppendUvarint(b, uint64(len(c.prefix))), c.prefix...)
		return appendInts(b, c.ints)
	case shapeHex:
		return append(binary.AppendUvarint(b, uint64(c.width)), c.raw...)
	case shapeTexts:
		lens := make([]int64, c.n)
		last := uint32(0)
		for i, end := range c.ends {
			lens[i], last = int64(end-last), end
		}
		return append(appendInts(b, lens), c.data...)
	}
	return appendDict(b, c)
}

// appendDict: uvarint number of values, byte whether the first is null, the codes
// packed, the lengths of the texts, the texts.
func appendDict(b []byte, c *column) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.dict)))
	null := byte(0)
	values := c.dict
	if values[0].IsNull() {
		null, values = 1, values[1:]
	}
	b = append(b, null)
	if c.codes != nil {
		b = appendPacked(b, bits.Len(uint(len(c.dict)-1)), c.codes, 0, 1)
	}
	lens := make([]int64, len(values))
	for i, v := range values {
		_, text := v.Raw()
		lens[i] = int64(len(text))
	}
	b = appendInts(b, lens)
	for _, v := range values {
		_, text := v.Raw()
		b = append(b, text...)
	}
	return b
}

// readColumn reads the whole column of a page of n rows; it lives as long as body
// and what buf lends, which may be nil.
func readColumn(body []byte, m *meta, n int, buf *buffers) (*column, error) {
	r := &reader{b: body, buf: buf}
	c := &column{name: m.name, typ: m.typ, shape: m.shape, n: n}
	if m.shape != shapeDict && m.count < n {
		c.present = r.bitset(n)
	}
	switch m.shape {
	case shapeInts:
		c.ints = r.ints(n)
	case shapeFloats:
		c.floats = r.floats(n)
	case shapePrefixed:
		c.prefix = r.text()
		c.ints = r.ints(n)
	case shapeHex:
		c.width = r.length(64)
		c.raw = r.bytes(c.width * n)
	case shapeTexts:
		c.ends = r.ends(n)
		c.data = r.b
		if !r.bad && int(c.ends[n-1]) != len(c.data) {
			r.bad = true
		}
	case shapeDict:
		r.dict(c)
	default:
		r.bad = true
	}
	if r.bad {
		return nil, errDamaged("column %q", m.name)
	}
	return c, nil
}

// readPresent reads of a column, which not every row has, the rows that have a
// value, and values only of a dict, where these say it.
func readPresent(body []byte, m *meta, n int, buf *buffers) (*column, error) {
	if m.shape == shapeDict {
		return readColumn(body, m, n, buf)
	}
	r := &reader{b: body, buf: buf}
	c := &column{name: m.name, typ: m.typ, shape: m.shape, n: n, present: r.bitset(n)}
	if r.bad {
		return nil, errDamaged("column %q", m.name)
	}
	return c, nil
}

func (r *reader) bitset(n int) bitset {
	raw := r.bytes((n + 63) / 64 * 8)
	if raw == nil {
		return nil
	}
	b := newBitset(n)
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(raw[i*8:])
	}
	if n&63 != 0 {
		b[len(b)-1] &= 1<<(n&63) - 1
	}
	return b
}

func (r *reader) floats(n int) []float64 {
	digits := r.byte()
	out := r.buf.getFloats(n)
	if digits <= decimals {
		for i, x := range r.ints(n) {
			out[i] = float64(x) / powers[digits]
		}
		return out
	}
	raw := r.bytes(8 * n)
	if raw == nil {
		return nil
	}
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[i*8:]))
	}
	return out
}

// floatAt reads only number i of n.
func (r *reader) floatAt(n, i int) float64 {
	if digits := r.byte(); digits <= decimals {
		return float64(r.intsAt(n, i)) / powers[digits]
	}
	raw := r.bytes(8 * n)
	if raw == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(raw[i*8:]))
}

// ends reads lengths of n texts and sums them up.
func (r *reader) ends(n int) []uint32 {
	lens := r.ints(n)
	if r.bad {
		return nil
	}
	ends := make([]uint32, n)
	sum := int64(0)
	for i, l := range lens {
		if sum += l; l < 0 || sum > int64(len(r.b)) {
			r.bad = true
			return nil
		}
		ends[i] = uint32(sum)
	}
	return ends
}

func (r *reader) dict(c *column) {
	size := r.length(c.n + 1)
	null := int(r.byte() & 1)
	if r.bad || size == 0 {
		r.bad = true
		return
	}
	if size > 1 {
		p := r.packed(c.n)
		if r.bad {
			return
		}
		c.codes = r.buf.getCodes(c.n)
		if p.unpack(c.codes) >= uint64(size) {
			r.bad = true
			return
		}
	}
	c.dict = make([]event.Value, size)
	if size == null {
		return
	}
	ends := r.ends(size - null)
	if r.bad || int(ends[len(ends)-1]) != len(r.b) {
		r.bad = true
		return
	}
	start := uint32(0)
	for i, end := range ends {
		v, ok := event.Raw(c.typ, 0, view(r.b[start:end]))
		if !ok {
			r.bad = true
			return
		}
		c.dict[null+i], start = v, end
	}
}

// section is a stored column of which single rows are read.
type section struct {
	m     *meta
	n     int
	body  []byte
	text  chunks // of codecChunks; then body is its head
	part  []byte // of the text, decompressed last
	start int    // where in the text part begins
}

func newSection(stored []byte, m *meta, n int) (*section, bool) {
	s := &section{m: m, n: n, body: stored}
	ok := true
	if m.codec == codecChunks {
		s.text, ok = readChunks(stored, int(m.raw))
		s.body = s.text.head
	}
	return s, ok
}

// value reads the value of one row.
func (s *section) value(row int) (event.Value, error) {
	r := &reader{b: s.body}
	if s.m.shape != shapeDict && s.m.count < s.n {
		if present := r.bytes((s.n + 63) / 64 * 8); present == nil || present[row>>3]&(1<<(row&7)) == 0 {
			if r.bad {
				return event.Value{}, errDamaged("column %q", s.m.name)
			}
			return event.Value{}, nil
		}
	}
	var v event.Value
	ok := true
	switch s.m.shape {
	case shapeInts:
		v, ok = event.Raw(s.m.typ, uint64(r.intsAt(s.n, row)), "")
	case shapeFloats:
		v = event.Float(r.floatAt(s.n, row))
	case shapePrefixed:
		prefix := r.text()
		v = event.String(prefix + event.Int(r.intsAt(s.n, row)).String())
	case shapeHex:
		width := r.length(64)
		if raw := r.bytes(width * s.n); raw != nil {
			v = event.String(hexText(raw[row*width : (row+1)*width]))
		}
	case shapeTexts:
		v, ok = s.textAt(r, row)
	case shapeDict:
		v, ok = r.dictAt(s.m.typ, s.n, row)
	default:
		r.bad = true
	}
	if r.bad || !ok {
		return event.Value{}, errDamaged("column %q", s.m.name)
	}
	return v, nil
}

// textAt reads one of n texts.
func (s *section) textAt(r *reader, row int) (event.Value, bool) {
	start, end := r.span(s.n, row)
	if r.bad {
		return event.Value{}, false
	}
	if s.m.codec != codecChunks {
		if start < 0 || start > end || end > int64(len(r.b)) {
			return event.Value{}, false
		}
		return event.Raw(s.m.typ, 0, string(r.b[start:end]))
	}
	from, to := int(start)-s.start, int(end)-s.start
	if from < 0 || to > len(s.part) {
		z, err := newZstds()
		if err != nil {
			return event.Value{}, false
		}
		var ok bool
		if s.part, s.start, ok = s.text.part(z, int(start), int(end)); !ok {
			return event.Value{}, false
		}
		from, to = int(start)-s.start, int(end)-s.start
	}
	if from > to {
		return event.Value{}, false
	}
	return event.Raw(s.m.typ, 0, string(s.part[from:to]))
}

// span reads the lengths of n texts; it is where text i begins and ends.
func (r *reader) span(n, i int) (start, end int64) {
	if n == 0 {
		return 0, 0
	}
	low, step := r.varint(), int64(r.uvarint())
	p := r.packed(n)
	if r.bad {
		return 0, 0
	}
	for j := range i {
		start += low + int64(p.at(j))*step
	}
	return start, start + low + int64(p.at(i))*step
}

// dictAt reads the value of one of n rows of a dictionary.
func (r *reader) dictAt(t event.Type, n, row int) (event.Value, bool) {
	size := r.length(n + 1)
	null := int(r.byte() & 1)
	code := uint64(0)
	if size > 1 {
		p := r.packed(n)
		if r.bad {
			return event.Value{}, false
		}
		code = p.at(row)
	}
	if r.bad || code >= uint64(size) {
		return event.Value{}, false
	}
	if code < uint64(null) {
		return event.Value{}, true
	}
	start, end := r.span(size-null, int(code)-null)
	if r.bad || start < 0 || start > end || end > int64(len(r.b)) {
		return event.Value{}, false
	}
	return event.Raw(t, 0, string(r.b[start:end]))
}

// bounds are the smallest and largest number of a column.
func (c *column) bounds(m *meta) {
	switch c.shape {
	case shapeInts:
		low, high, first := int64(0), int64(0), true
		for i, x := range c.ints {
			if c.present != nil && !c.present.has(i) {
				continue
			}
			if first {
				low, high, first = x, x, false
			}
			low, high = min(low, x), max(high, x)
		}
		m.low, m.high = uint64(low), uint64(high)
	case shapeFloats:
		low, high := math.Inf(1), math.Inf(-1)
		for i, f := range c.floats {
			if c.present != nil && !c.present.has(i) {
				continue
			}
			if f != f { // NaN has no place: no bounds
				low, high = math.Inf(-1), math.Inf(1)
				break
			}
			low, high = min(low, f), max(high, f)
		}
		m.low, m.high = math.Float64bits(low), math.Float64bits(high)
	}
}
