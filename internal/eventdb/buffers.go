package eventdb

// buffers lends memory for what is read of one block, which is given back as a
// whole: what outlives the block must be copied. The content of what is lent is
// anything. A nil *buffers lends new memory.
type buffers struct {
	ints   pool[int64]
	floats pool[float64]
	codes  pool[uint16]
	bytes  pool[byte]
}

// reset takes everything back.
func (b *buffers) reset() {
	b.ints.used, b.floats.used, b.codes.used, b.bytes.used = 0, 0, 0, 0
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
}

func (p *pool[T]) get(n int) []T {
	if p.used == len(p.list) {
		p.list = append(p.list, nil)
	}
	if cap(p.list[p.used]) < n {
		p.list[p.used] = make([]T, n)
	}
	p.used++
	return p.list[p.used-1][:n]
}
