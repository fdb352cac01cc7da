package eventdb

import "slices"

// numbers are a column's values as numbers.
type numbers struct {
	values  []float64
	present bitset // nil: every row has one
}

// numbers reads a column as numbers, once for all who ask.
func (l *looking) numbers(c *column) *numbers {
	if n := l.asNumbers[c]; n != nil {
		return n
	}
	if l.asNumbers == nil {
		l.asNumbers = map[*column]*numbers{}
	}
	n := c.numbers(l.buf)
	l.asNumbers[c] = n
	return n
}

func (c *column) numbers(buf *buffers) *numbers {
	out := &numbers{values: buf.getFloats(c.n), present: c.present}
	switch c.shape {
	case shapeInts:
		for i, x := range c.ints {
			out.values[i] = float64(x)
		}
		return out
	case shapeFloats:
		copy(out.values, c.floats)
		own := false
		for i, f := range c.floats {
			if f == f {
				continue
			}
			if !own {
				out.present, own = out.own(c.n), true
			}
			out.present[i>>6] &^= 1 << (i & 63)
		}
		return out
	case shapePrefixed:
		if c.prefix == "" {
			for i, x := range c.ints {
				out.values[i] = float64(x)
			}
			return out
		}
	case shapeDict:
		parsed, ok := make([]float64, len(c.dict)), make([]bool, len(c.dict))
		for i, v := range c.dict {
			parsed[i], ok[i] = v.Number()
		}
		out.present = newBitset(c.n)
		for i := range c.n {
			if code := c.code(i); ok[code] {
				out.values[i] = parsed[code]
				out.present.set(i)
			}
		}
		return out
	}
	out.present = newBitset(c.n)
	for i := range c.n {
		if f, ok := c.value(i).Number(); ok {
			out.values[i] = f
			out.present.set(i)
		}
	}
	return out
}

// own is a copy of the present rows that may be changed.
func (n *numbers) own(rows int) bitset {
	if n.present != nil {
		return slices.Clone(n.present)
	}
	b := newBitset(rows)
	b.fill(rows)
	return b
}
