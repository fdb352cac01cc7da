package eventdb

import (
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"unsafe"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// shape is how the values of a column are held.
type shape uint8

const (
	shapeDict     shape = iota + 1 // different values, and a code for each row
	shapeInts                      // numbers: Int, Duration, Time, and Bool as 0 and 1
	shapeFloats                    // numbers: Float
	shapeHex                       // text of the same even number of lower-case hexadecimal digits
	shapePrefixed                  // text: one prefix and a decimal number
	shapeTexts                     // any text
)

// column is the values that the rows of a page have under one name. As stored it
// has one type; what queries see may be put together from several (then it is a
// dict).
type column struct {
	name    string
	typ     event.Type // of all values; for a dict of several types TypeNull
	shape   shape
	n       int    // rows of the page
	present bitset // nil: every row has a value. A dict says it by a null value instead

	dict  []event.Value // shapeDict; codes nil: every row has dict[0]
	codes []uint16

	ints   []int64 // by row; shapePrefixed too
	floats []float64
	prefix string
	raw    []byte // shapeHex: width bytes a row
	width  int
	ends   []uint32 // shapeTexts: where the text of each row ends in data
	data   []byte
}

// has tells whether row i has a value.
func (c *column) has(i int) bool {
	if c.shape == shapeDict {
		return !c.dict[c.code(i)].IsNull()
	}
	return c.present == nil || c.present.has(i)
}

// hasLists tells whether some entry of a dict is a List.
func (c *column) hasLists() bool {
	if c.typ != event.TypeList && c.typ != event.TypeNull {
		return false
	}
	return slices.ContainsFunc(c.dict, func(v event.Value) bool { return v.Type() == event.TypeList })
}

func (c *column) code(i int) int {
	if c.codes == nil {
		return 0
	}
	return int(c.codes[i])
}

// text is the raw text of row i of shapeTexts. It lives as long as the column.
func (c *column) text(i int) string {
	start := uint32(0)
	if i > 0 {
		start = c.ends[i-1]
	}
	return view(c.data[start:c.ends[i]])
}

// view is bytes that never change, as text.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf is text as bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// value is the value of row i, null if it has none. Text may share memory with
// the column.
func (c *column) value(i int) event.Value {
	if c.shape == shapeDict {
		return c.dict[c.code(i)]
	}
	if c.present != nil && !c.present.has(i) {
		return event.Value{}
	}
	switch c.shape {
	case shapeInts:
		v, _ := event.Raw(c.typ, uint64(c.ints[i]), "")
		return v
	case shapeFloats:
		return event.Float(c.floats[i])
	case shapeHex:
		return event.String(hexText(c.raw[i*c.width : (i+1)*c.width]))
	case shapePrefixed:
		return event.String(c.prefix + strconv.FormatInt(c.ints[i], 10))
	}
	v, _ := event.Raw(c.typ, 0, c.text(i))
	return v
}

// presentCount is the number of rows with a value.
func (c *column) presentCount() int {
	switch {
	case c.shape == shapeDict:
		if c.codes == nil {
			if c.dict[0].IsNull() {
				return 0
			}
			return c.n
		}
		n := c.n
		for code, v := range c.dict {
			if v.IsNull() {
				for _, have := range c.codes {
					if int(have) == code {
						n--
					}
				}
			}
		}
		return n
	case c.present != nil:
		return c.present.count()
	}
	return c.n
}

// asDict puts columns of one name together: the value of a row is that of the
// last column that has one.
func asDict(name string, n int, columns []*column) *column {
	out := &column{name: name, shape: shapeDict, n: n, codes: make([]uint16, n), dict: []event.Value{{}}}
	index := map[event.Value]uint16{{}: 0}
	for _, c := range columns {
		if c.shape == shapeDict {
			codes := make([]uint16, len(c.dict))
			for i, v := range c.dict {
				codes[i] = out.intern(index, v)
			}
			for i := range n {
				if code := codes[c.code(i)]; code != 0 {
					out.codes[i] = code
				}
			}
			continue
		}
		for i := range n {
			if c.has(i) {
				out.codes[i] = out.intern(index, c.value(i))
			}
		}
	}
	return out
}

func (c *column) intern(index map[event.Value]uint16, v event.Value) uint16 {
	code, ok := index[v]
	if !ok {
		code = uint16(len(c.dict)) // at most one more than rows of a page, which a uint16 can count
		index[v] = code
		c.dict = append(c.dict, v)
	}
	return code
}

// builder is the values of one name and type while a page is put together.
type builder struct {
	typ     event.Type
	present bitset
	room    int // rows that there is room for
	count   int
	nums    []uint64
	texts   []string
}

// reserve makes room for n rows.
func (b *builder) reserve(n int) {
	if n <= b.room {
		return
	}
	b.room = n
	b.present = grown(b.present, (n+63)/64)
	if b.typ < event.TypeString {
		b.nums = grown(b.nums, n)
	} else {
		b.texts = grown(b.texts, n)
	}
}

// remove takes the value of a row away again.
func (b *builder) remove(row int) {
	b.present[row>>6] &^= 1 << (row & 63)
	b.count--
	if b.typ < event.TypeString {
		b.nums[row] = 0
	} else {
		b.texts[row] = ""
	}
}

// finish makes the column and leaves b empty for the next page.
func (b *builder) finish(name string, n int, t *dictTable) *column {
	b.reserve(n)
	c := &column{name: name, typ: b.typ, n: n}
	if b.count < n {
		c.present = append(bitset(nil), b.present[:(n+63)/64]...)
	}
	switch b.typ {
	case event.TypeFloat:
		c.shape, c.floats = shapeFloats, make([]float64, n)
		for i, bits := range b.nums[:n] {
			c.floats[i] = math.Float64frombits(bits)
		}
	case event.TypeString, event.TypeBytes, event.TypeList:
		if !b.finishDict(c, t) && (b.typ != event.TypeString || !b.finishHex(c) && !b.finishPrefixed(c)) {
			b.finishTexts(c)
		}
	default:
		c.shape, c.ints = shapeInts, make([]int64, n)
		for i, x := range b.nums[:n] {
			c.ints[i] = int64(x)
		}
	}
	clear(b.present)
	if b.typ < event.TypeString {
		clear(b.nums[:n])
	} else {
		clear(b.texts[:n])
	}
	b.count = 0
	return c
}

// maxDict is the most different values of a dict; above that, or if few values
// repeat, the texts themselves are smaller and faster.
const maxDict = 4096

// dictTable finds the place of a text among the different ones of a column. It is
// used for one column after the other.
type dictTable struct {
	seed  maphash.Seed
	slots []uint16 // open addressing, half empty: 1 + place in texts
	texts []string
}

func (t *dictTable) reset() {
	if t.slots == nil {
		t.seed, t.slots = maphash.MakeSeed(), make([]uint16, 0, 4*maxDict)
	}
	clear(t.texts)
	t.texts = t.texts[:0]
	t.resize(256)
}

func (t *dictTable) resize(n int) {
	t.slots = t.slots[:n]
	clear(t.slots)
	for place, s := range t.texts {
		i := t.hash(s) & uint64(n-1)
		for t.slots[i] != 0 {
			i = (i + 1) & uint64(n-1)
		}
		t.slots[i] = uint16(place + 1)
	}
}

func (t *dictTable) hash(s string) uint64 {
	if len(s) <= maxShort {
		a, b := shortKey(s)
		return shortHash(a, b, len(s))
	}
	return maphash.String(t.seed, s)
}

// find is the place of s, or where in slots it would have to stand.
func (t *dictTable) find(s string) (place int, slot uint64, ok bool) {
	mask := uint64(len(t.slots) - 1)
	for i := t.hash(s) & mask; ; i = (i + 1) & mask {
		have := t.slots[i]
		if have == 0 {
			return 0, i, false
		}
		if t.texts[have-1] == s {
			return int(have - 1), i, true
		}
	}
}

// add gives s, which find did not find, the next place.
func (t *dictTable) add(s string, slot uint64) {
	t.texts = append(t.texts, s)
	t.slots[slot] = uint16(len(t.texts))
	if n := len(t.slots); len(t.texts)*2 > n {
		t.resize(2 * n)
	}
}

func (b *builder) finishDict(c *column, t *dictTable) bool {
	t.reset()
	codes := make([]uint16, c.n)
	null := 0
	if c.present != nil {
		null = 1
	}
	seen := 0
	last, lastCode := "", uint16(0)
	for i, s := range b.texts[:c.n] {
		if c.present != nil && !c.present.has(i) {
			continue
		}
		if seen > 0 && s == last {
			codes[i] = lastCode
			seen++
			continue
		}
		place, slot, ok := t.find(s)
		if !ok {
			if place = len(t.texts); place >= maxDict || place > 64 && place > seen*7/8 || place > 1024 && place > seen/2 {
				return false
			}
			t.add(s, slot)
		}
		codes[i] = uint16(place + null)
		seen++
		last, lastCode = s, codes[i]
	}
	dict := make([]event.Value, null, null+len(t.texts))
	for _, s := range t.texts {
		v, _ := event.Raw(b.typ, 0, s)
		dict = append(dict, v)
	}
	c.shape, c.dict, c.present = shapeDict, dict, nil
	if len(dict) > 1 {
		c.codes = codes
	}
	return true
}

func (b *builder) finishHex(c *column) bool {
	width := 0
	for i, s := range b.texts[:c.n] {
		if c.present != nil && !c.present.has(i) {
			continue
		}
		if width == 0 {
			width = len(s)
		}
		if len(s) != width || width == 0 || width%2 != 0 || width > 128 {
			return false
		}
	}
	raw := make([]byte, 0, c.n*width/2)
	zero := make([]byte, width/2)
	for i, s := range b.texts[:c.n] {
		if c.present != nil && !c.present.has(i) {
			raw = append(raw, zero...)
			continue
		}
		var ok bool
		if raw, ok = parseHex(raw, s); !ok {
			return false
		}
	}
	c.shape, c.raw, c.width = shapeHex, raw, width/2
	return true
}

func (b *builder) finishPrefixed(c *column) bool {
	first := -1
	for i := range c.n {
		if c.present == nil || c.present.has(i) {
			first = i
			break
		}
	}
	if first < 0 {
		return false
	}
	s := b.texts[first]
	cut := len(s)
	for cut > 0 && s[cut-1] >= '0' && s[cut-1] <= '9' {
		cut--
	}
	prefix := s[:cut]
	ints := make([]int64, c.n)
	for i, s := range b.texts[:c.n] {
		if c.present != nil && !c.present.has(i) {
			continue
		}
		if len(s) <= cut || s[:cut] != prefix || len(s)-cut > 18 || s[cut] == '0' && len(s) > cut+1 {
			return false
		}
		n := int64(0)
		for _, d := range []byte(s[cut:]) {
			if d < '0' || d > '9' {
				return false
			}
			n = n*10 + int64(d-'0')
		}
		ints[i] = n
	}
	c.shape, c.prefix, c.ints = shapePrefixed, prefix, ints
	return true
}

func (b *builder) finishTexts(c *column) {
	size := 0
	for _, s := range b.texts[:c.n] {
		size += len(s)
	}
	c.shape, c.data, c.ends = shapeTexts, make([]byte, 0, size), make([]uint32, c.n)
	for i, s := range b.texts[:c.n] {
		c.data = append(c.data, s...)
		c.ends[i] = uint32(len(c.data))
	}
}
