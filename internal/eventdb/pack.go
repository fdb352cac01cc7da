package eventdb

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Packed numbers: uvarint width in bits, then each number in so many bits, the
// first in the lowest of the first byte, and eight bytes of zero behind, so that
// any number can be read with one load.
const packPad = 8

// appendPacked packs numbers less low, divided by step; none needs more bits than
// width then.
func appendPacked[T int64 | uint16](b []byte, width int, v []T, low, step uint64) []byte {
	b = binary.AppendUvarint(b, uint64(width))
	if width == 0 {
		return b
	}
	var word uint64
	have := 0
	for _, x := range v {
		d := uint64(x) - low
		if step > 1 {
			d /= step
		}
		if width > 56 {
			b = binary.LittleEndian.AppendUint64(b, d)
			continue
		}
		word |= d << have
		if have += width; have < 64 {
			continue
		}
		b = binary.LittleEndian.AppendUint64(b, word)
		have -= 64
		word = 0
		if have > 0 {
			word = d >> (width - have)
		}
	}
	if width > 56 {
		return b
	}
	for ; have > 0; have -= 8 {
		b = append(b, byte(word))
		word >>= 8
	}
	return append(b, make([]byte, packPad)...)
}

// packed is a row of packed numbers, read where they lie.
type packed struct {
	width int
	mask  uint64
	data  []byte
}

// readPacked takes packed numbers from r.
func (r *reader) packed(n int) packed {
	width := int(r.uvarint())
	switch {
	case width == 0:
		return packed{}
	case width > 64:
		r.bad = true
		return packed{}
	case width > 56:
		return packed{width: 64, mask: ^uint64(0), data: r.bytes(8 * n)}
	}
	data := r.bytes((n*width+7)/8 + packPad)
	return packed{width: width, mask: 1<<width - 1, data: data}
}

// at is number i.
func (p packed) at(i int) uint64 {
	if p.width == 0 {
		return 0
	}
	if p.width == 64 {
		return binary.LittleEndian.Uint64(p.data[i*8:])
	}
	bit := i * p.width
	return binary.LittleEndian.Uint64(p.data[bit>>3:]) >> (bit & 7) & p.mask
}

// unpack reads all numbers, which it cuts to 16 bits, and returns the largest.
func (p packed) unpack(out []uint16) (largest uint64) {
	if p.width == 0 || p.width == 64 {
		for i := range out {
			x := p.at(i)
			out[i], largest = uint16(x), max(largest, x)
		}
		return largest
	}
	bit, width, mask, data := 0, p.width, p.mask, p.data
	for i := range out {
		x := binary.LittleEndian.Uint64(data[bit>>3:]) >> (bit & 7) & mask
		out[i], largest = uint16(x), max(largest, x)
		bit += width
	}
	return largest
}

// appendInts writes numbers as their distance to the smallest, divided by what
// divides all of these.
func appendInts(b []byte, v []int64) []byte {
	if len(v) == 0 {
		return b
	}
	low, high := v[0], v[0]
	for _, x := range v {
		low, high = min(low, x), max(high, x)
	}
	step := uint64(0)
	for _, x := range v {
		d := uint64(x) - uint64(low)
		if step != 0 && d%step == 0 {
			continue
		}
		if step = gcd(step, d); step == 1 {
			break
		}
	}
	step = max(step, 1)
	width := bits.Len64((uint64(high) - uint64(low)) / step)
	b = binary.AppendVarint(b, low)
	b = binary.AppendUvarint(b, step)
	return appendPacked(b, width, v, uint64(low), step)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// ints reads n numbers.
func (r *reader) ints(n int) []int64 {
	if n == 0 {
		return nil
	}
	low, step := r.varint(), int64(r.uvarint())
	p := r.packed(n)
	if r.bad {
		return nil
	}
	out := r.buf.getInts(n)
	switch {
	case p.width == 0:
		for i := range out {
			out[i] = low
		}
	case p.width == 64:
		for i := range out {
			out[i] = low + int64(p.at(i))*step
		}
	default:
		bit, width, mask, data := 0, p.width, p.mask, p.data
		for i := range out {
			out[i] = low + int64(binary.LittleEndian.Uint64(data[bit>>3:])>>(bit&7)&mask)*step
			bit += width
		}
	}
	return out
}

// intsAt reads only number i of n.
func (r *reader) intsAt(n, i int) int64 {
	low, step := r.varint(), int64(r.uvarint())
	p := r.packed(n)
	if r.bad {
		return 0
	}
	return low + int64(p.at(i))*step
}

// appendDeltas writes numbers by the differences of neighbours.
func appendDeltas(b []byte, v []int64) []byte {
	b = binary.AppendVarint(b, v[0])
	d := make([]int64, len(v)-1)
	for i := range d {
		d[i] = v[i+1] - v[i]
	}
	return appendInts(b, d)
}

// deltas reads n numbers.
func (r *reader) deltas(n int) []int64 {
	first := r.varint()
	d := r.ints(n - 1)
	if r.bad {
		return nil
	}
	out := r.buf.getInts(n)
	out[0] = first
	for i, x := range d {
		first += x
		out[i+1] = first
	}
	return out
}

// decimals are the most digits behind the point that floats are kept as whole
// numbers with.
const decimals = 4

var powers = [decimals + 1]float64{1, 10, 100, 1000, 10_000}

// scaled are floats as whole numbers times a power of ten, if none loses a bit.
func scaled(v []float64) (ints []int64, digits int, ok bool) {
	ints = make([]int64, len(v))
next:
	for ; digits <= decimals; digits++ {
		for i, f := range v {
			n := math.Round(f * powers[digits])
			if !(math.Abs(n) < 1<<53) || n/powers[digits] != f || n == 0 && math.Signbit(f) {
				continue next
			}
			ints[i] = int64(n)
		}
		return ints, digits, true
	}
	return nil, 0, false
}

// reader reads a section; a length is never trusted. After an error bad is set
// and everything read is empty.
type reader struct {
	b   []byte
	bad bool
	buf *buffers // for what is read; may be nil
}

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return x
}

// length is a uvarint of at most max.
func (r *reader) length(max int) int {
	n := r.uvarint()
	if n > uint64(max) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) text() string { return string(r.bytes(r.length(len(r.b)))) }

func (r *reader) uint32() uint32 {
	b := r.bytes(4)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint32(b)
}
