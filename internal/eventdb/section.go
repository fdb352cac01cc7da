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
		b = appendPacked(b, bits.Len(uint(len(c.dict)-1)), c.n, func(i int) uint64 { return uint64(c.codes[i]) })
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

// readColumn reads the whole column of a page of n rows.
func readColumn(body []byte, m *meta, n int) (*column, error) {
	r := &reader{b: body}
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
	out := make([]float64, n)
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
		c.codes = make([]uint16, c.n)
		for i := range c.codes {
			code := p.at(i)
			if code >= uint64(size) {
				r.bad = true
				return
			}
			c.codes[i] = uint16(code)
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

// readValue reads the value of one row alone.
func readValue(body []byte, m *meta, n, row int) (event.Value, error) {
	r := &reader{b: body}
	if m.shape != shapeDict && m.count < n {
		if present := r.bytes((n + 63) / 64 * 8); present == nil || present[row>>3]&(1<<(row&7)) == 0 {
			if r.bad {
				return event.Value{}, errDamaged("column %q", m.name)
			}
			return event.Value{}, nil
		}
	}
	var v event.Value
	ok := true
	switch m.shape {
	case shapeInts:
		v, ok = event.Raw(m.typ, uint64(r.intsAt(n, row)), "")
	case shapePrefixed:
		prefix := r.text()
		v = event.String(prefix + event.Int(r.intsAt(n, row)).String())
	case shapeHex:
		width := r.length(64)
		if raw := r.bytes(width * n); raw != nil {
			v = event.String(hexText(raw[row*width : (row+1)*width]))
		}
	case shapeTexts:
		v, ok = r.textAt(m.typ, n, row)
	default:
		c, err := readColumn(body, m, n)
		if err != nil {
			return event.Value{}, err
		}
		return c.value(row), nil
	}
	if r.bad || !ok {
		return event.Value{}, errDamaged("column %q", m.name)
	}
	return v, nil
}

// textAt reads one of n texts.
func (r *reader) textAt(t event.Type, n, row int) (event.Value, bool) {
	low, step := r.varint(), int64(r.uvarint())
	p := r.packed(n)
	if r.bad {
		return event.Value{}, false
	}
	start := int64(0)
	for i := range row {
		start += low + int64(p.at(i))*step
	}
	end := start + low + int64(p.at(row))*step
	if start < 0 || start > end || end > int64(len(r.b)) {
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
