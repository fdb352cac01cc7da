package eventdb

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// distinct counts different values by their hashes: up to distinctExact it keeps
// the hashes themselves, then it is a HyperLogLog of 2^distinctBits registers,
// whose standard error is 0.8 %.
type distinct struct {
	exact     hashSet
	registers []uint8
}

const (
	distinctExact = 1024
	distinctBits  = 14
)

func (d *distinct) add(h uint64) {
	if d.registers != nil {
		d.register(h)
		return
	}
	if d.exact.slots == nil {
		d.exact.reset(4)
	}
	d.exact.add(h)
	if len(d.exact.list) > distinctExact {
		d.spill()
	}
}

func (d *distinct) spill() {
	d.registers = make([]uint8, 1<<distinctBits)
	for _, h := range d.exact.list {
		d.register(h)
	}
	d.exact = hashSet{}
}

func (d *distinct) register(h uint64) {
	i := h >> (64 - distinctBits)
	rank := uint8(bits.LeadingZeros64(h<<distinctBits|1<<(distinctBits-1)) + 1)
	if rank > d.registers[i] {
		d.registers[i] = rank
	}
}

func (d *distinct) merge(o *distinct) {
	if o.registers == nil {
		for _, h := range o.exact.list {
			d.add(h)
		}
		return
	}
	if d.registers == nil {
		d.spill()
	}
	for i, r := range o.registers {
		d.registers[i] = max(d.registers[i], r)
	}
}

func (d *distinct) count() int64 {
	if d.registers == nil {
		return int64(len(d.exact.list))
	}
	const m = 1 << distinctBits
	sum, zeros := 0.0, 0
	for _, r := range d.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/float64(zeros))
	}
	return int64(estimate + .5)
}

func (d *distinct) size() int64 { return 64 + 12*int64(len(d.exact.slots)) + int64(len(d.registers)) }

// hashValue is a hash of a value's key: Equal values have the same.
func hashValue(v event.Value) uint64 {
	k := v.Key()
	num, text := k.Raw()
	switch k.Type() {
	case event.TypeString:
		return xxhash.Sum64String(text)
	case event.TypeInt:
		return hashInt(int64(num))
	}
	return hashInt(int64(num ^ 0x5bd1e9955bd1e995))
}

// hashInt mixes well enough for every bit to count.
func hashInt(n int64) uint64 {
	h := uint64(n) + 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// hashes are the hashes of a column's values: of chosen rows, Lists by element.
func eachHash(c *column, rows []int32, n int, yield func(place int, h uint64)) {
	if c == nil {
		return
	}
	hash := func(v event.Value, place int) {
		switch v.Type() {
		case event.TypeNull:
		case event.TypeList:
			for _, s := range v.Strings() {
				yield(place, hashValue(event.String(s)))
			}
		default:
			yield(place, hashValue(v))
		}
	}
	var known []uint64
	text := make([]byte, 0, 64)
	if c.shape == shapePrefixed {
		text = append(text, c.prefix...)
	}
	formed := c.shape == shapeHex || c.shape == shapePrefixed && c.prefix != "" && c.prefix[0] != '-' && (c.prefix[0] < '0' || c.prefix[0] > '9')
	if c.shape == shapeDict {
		known = make([]uint64, len(c.dict))
	}
	for i := range n {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		switch {
		case known != nil:
			code := c.code(row)
			v := c.dict[code]
			if v.IsNull() || v.Type() == event.TypeList {
				hash(v, i)
				continue
			}
			if known[code] == 0 {
				known[code] = hashValue(v)
			}
			yield(i, known[code])
		case c.present != nil && !c.present.has(row):
		case c.shape == shapeInts && c.typ != event.TypeBool:
			yield(i, hashInt(c.ints[row]))
		case formed:
			if text = c.formed(text, row); noNumber(text) {
				yield(i, xxhash.Sum64(text))
			} else {
				hash(event.String(string(text)), i)
			}
		default:
			hash(c.value(row), i)
		}
	}
}

// formed is the text of a row of shapeHex or shapePrefixed, in b; of the latter b
// begins with the prefix.
func (c *column) formed(b []byte, row int) []byte {
	if c.shape == shapePrefixed {
		return strconv.AppendInt(b[:len(c.prefix)], c.ints[row], 10)
	}
	return appendHex(b[:0], c.raw[row*c.width:(row+1)*c.width])
}

// noNumber tells that text is surely no canonical form of a number: it has a
// letter that none has, or does not begin as one.
func noNumber(b []byte) bool {
	if len(b) == 0 || b[0] > '9' || b[0] < '0' && b[0] != '-' {
		return true
	}
	for _, c := range b {
		if c >= 'a' && c <= 'f' && c != 'e' {
			return true
		}
	}
	return false
}
