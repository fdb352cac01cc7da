package eventdb

import "sync"

// buffers lends memory for what is read of one block, which is given back as a
// whole: what outlives the block must be copied. The content of what is lent is
// anything. A nil *buffers lends new memory.
type buffers struct {
	ints   pool[int64]
	floats pool[float64]
	codes  pool[uint16]
	bytes  pool[byte]
}

// lenders are the buffers of queries that are over.
var lenders = sync.Pool{New: func() any { return &buffers{} }}

// takeBuffers are buffers to be given back.
func takeBuffers() *buffers { return lenders.Get().(*buffers) }

// give makes the memory another query's.
func (b *buffers) give() {
	b.reset()
	lenders.Put(b)
}

// maxLent is how many bytes of lent memory are kept for the next block.
const maxLent = 16 << 20

// reset takes everything back, and gives up what has grown beyond maxLent.
func (b *buffers) reset() {
	if 8*b.ints.size+8*b.floats.size+2*b.codes.size+b.bytes.size > maxLent {
		*b = buffers{}
		return
	}
	b.takeBack(lent{})
}

// lent is how much is lent, for takeBack.
type lent struct{ ints, floats, codes, bytes int }

func (b *buffers) lent() lent {
	if b == nil {
		return lent{}
	}
	return lent{b.ints.used, b.floats.used, b.codes.used, b.bytes.used}
}

// takeBack takes back what was lent since.
func (b *buffers) takeBack(since lent) {
	if b != nil {
		b.ints.used, b.floats.used, b.codes.used, b.bytes.used = since.ints, since.floats, since.codes, since.bytes
	}
}

func (b *buffers) getInts(n int) []int64 {
	if b == nil {
		return make([]int64, n)
	}
	return b.ints.get(n)
}

func (b *buffers) getFloats(n int) []float64 {
	if b == nil {
		return make([]float64, n)
	}
	return b.floats.get(n)
}

func (b *buffers) getCodes(n int) []uint16 {
	if b == nil {
		return make([]uint16, n)
	}
	return b.codes.get(n)
}

func (b *buffers) getBytes(n int) []byte {
	if b == nil {
		return make([]byte, n)
	}
	return b.bytes.get(n)
}

// pool is memory that was lent before; the first used of it are lent now.
type pool[T any] struct {
	list [][]T
	used int
	size int // elements that list has room for
}

func (p *pool[T]) get(n int) []T {
	if p.used == len(p.list) {
		p.list = append(p.list, nil)
	}
	if have := cap(p.list[p.used]); have < n {
		p.list[p.used] = make([]T, n)
		p.size += n - have
	}
	p.used++
	return p.list[p.used-1][:n]
}
