package eventdb

import (
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// noValue is the id of no value: the row does not count.
const noValue = ^uint32(0)

// intTable gives numbers small ids: open addressing, half empty.
type intTable struct {
	keys []int64
	ids  []uint32 // id+1; 0: empty
	n    int
}

func mix(x int64) uint64 {
	h := uint64(x) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}

// get returns the id of x, or next and that x was new.
func (t *intTable) get(x int64, next uint32) (id uint32, fresh bool) {
	if t.n*2 >= len(t.keys) {
		t.grow()
	}
	mask := uint64(len(t.keys) - 1)
	for i := mix(x) & mask; ; i = (i + 1) & mask {
		switch {
		case t.ids[i] == 0:
			t.keys[i], t.ids[i] = x, next+1
			t.n++
			return next, true
		case t.keys[i] == x:
			return t.ids[i] - 1, false
		}
	}
}

func (t *intTable) grow() {
	keys, ids := t.keys, t.ids
	size := max(64, 2*len(keys))
	t.keys, t.ids = make([]int64, size), make([]uint32, size)
	mask := uint64(size - 1)
	for j, id := range ids {
		if id == 0 {
			continue
		}
		i := mix(keys[j]) & mask
		for t.ids[i] != 0 {
			i = (i + 1) & mask
		}
		t.keys[i], t.ids[i] = keys[j], id
	}
}

// maxPrefixes bounds how many prefixes are counted by number.
const maxPrefixes = 16

// valueIndex gives values ids, Equal values the same, and remembers how to show
// them. Text that is one of a few prefixes and a number is kept as that number.
type valueIndex struct {
	ints     intTable
	texts    map[string]uint32
	others   map[event.Value]uint32
	prefixes []string
	prefixed []intTable
	shown    []event.Value // of a prefixed text its number
	prefixOf []uint8       // 1 + place in prefixes; as long as needed
	bytes    int64
}

const valueCost = 64 // bytes a value takes beside its text

func (x *valueIndex) len() int { return len(x.shown) }

// id is the id of a value; null has one too.
func (x *valueIndex) id(v event.Value) uint32 {
	k := v.Key()
	next := uint32(len(x.shown))
	var id uint32
	var fresh bool
	switch k.Type() {
	case event.TypeInt:
		id, fresh = x.ints.get(k.Int64(), next)
	case event.TypeString:
		return x.textID(v, k.Text())
	default:
		var ok bool
		if id, ok = x.others[k]; !ok {
			if x.others == nil {
				x.others = map[event.Value]uint32{}
			}
			x.others[k], id, fresh = next, next, true
		}
	}
	if fresh {
		x.show(v)
	} else if v.Type() < x.shown[id].Type() {
		x.shown[id] = v
	}
	return id
}

func (x *valueIndex) show(v event.Value) {
	x.shown = append(x.shown, v)
	_, text := v.Raw()
	x.bytes += valueCost + int64(len(text))
}

func (x *valueIndex) textID(v event.Value, text string) uint32 {
	for i, prefix := range x.prefixes {
		if n, ok := numbered(text, prefix); ok {
			return x.prefixedID(i, n)
		}
	}
	id, ok := x.texts[text]
	if !ok {
		if x.texts == nil {
			x.texts = map[string]uint32{}
		}
		id = uint32(len(x.shown))
		own := strings.Clone(text)
		x.texts[own] = id
		if v.Type() == event.TypeString {
			v = event.String(own)
		} else {
			v = ownText(v)
		}
		x.show(v)
		return id
	}
	if v.Type() < x.shown[id].Type() {
		x.shown[id] = ownText(v)
	}
	return id
}

// numbered reads text as prefix and a number without leading zeros.
func numbered(text, prefix string) (int64, bool) {
	digits, ok := strings.CutPrefix(text, prefix)
	if !ok || digits == "" || len(digits) > 18 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < len(digits); i++ {
		c := digits[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// prefix is the place of a prefix, to be used with prefixedID; false if texts
// with it must be given as values.
func (x *valueIndex) prefix(prefix string) (int, bool) {
	for i, p := range x.prefixes {
		if p == prefix {
			return i, true
		}
	}
	if prefix == "" || prefix[0] == '-' || prefix[0] >= '0' && prefix[0] <= '9' || len(x.prefixes) >= maxPrefixes {
		return 0, false
	}
	for _, p := range x.prefixes {
		if strings.HasPrefix(p, prefix) || strings.HasPrefix(prefix, p) {
			return 0, false // a text could be counted under either
		}
	}
	i := len(x.prefixes)
	x.prefixes = append(x.prefixes, prefix)
	x.prefixed = append(x.prefixed, intTable{})
	for text, id := range x.texts {
		if n, ok := numbered(text, prefix); ok && x.shown[id].Type() == event.TypeString {
			x.prefixed[i].get(n, id)
			x.setPrefix(id, i, n)
			delete(x.texts, text)
		}
	}
	return i, true
}

func (x *valueIndex) setPrefix(id uint32, place int, n int64) {
	for len(x.prefixOf) <= int(id) {
		x.prefixOf = append(x.prefixOf, 0)
	}
	x.prefixOf[id] = uint8(place + 1)
	x.shown[id] = event.Int(n)
}

func (x *valueIndex) prefixedID(place int, n int64) uint32 {
	id, fresh := x.prefixed[place].get(n, uint32(len(x.shown)))
	if fresh {
		x.shown = append(x.shown, event.Value{})
		x.setPrefix(id, place, n)
		x.bytes += valueCost
	}
	return id
}

// value is how to show an id.
func (x *valueIndex) value(id uint32) event.Value {
	if int(id) < len(x.prefixOf) && x.prefixOf[id] > 0 {
		return event.String(x.prefixes[x.prefixOf[id]-1] + strconv.FormatInt(x.shown[id].Int64(), 10))
	}
	return x.shown[id]
}

// merge takes over another's values; the answer are their ids here.
func (x *valueIndex) merge(o *valueIndex) []uint32 {
	ids := make([]uint32, len(o.shown))
	places := make([]int, len(o.prefixes))
	for i, p := range o.prefixes {
		place, ok := x.prefix(p)
		if !ok {
			place = -1
		}
		places[i] = place
	}
	for id := range ids {
		if id < len(o.prefixOf) && o.prefixOf[id] > 0 {
			if place := places[o.prefixOf[id]-1]; place >= 0 {
				ids[id] = x.prefixedID(place, o.shown[id].Int64())
				continue
			}
		}
		ids[id] = x.id(o.value(uint32(id)))
	}
	return ids
}

// items are the ids of what a value counts as: a List's different elements, or
// itself; of null none.
func (x *valueIndex) items(v event.Value) []uint32 {
	switch v.Type() {
	case event.TypeNull:
		return nil
	case event.TypeList:
		var ids []uint32
		for _, s := range v.Strings() {
			id := x.id(event.String(s))
			double := false
			for _, have := range ids {
				double = double || have == id
			}
			if !double {
				ids = append(ids, id)
			}
		}
		return ids
	}
	return []uint32{x.id(v)}
}

// valueIDs are the ids of the values of chosen rows.
type valueIDs struct {
	one   uint32     // of every row, if ids and lists are nil
	ids   []uint32   // by place in the choice; noValue: none
	lists [][]uint32 // by place, if some are Lists
}

// column gives the values of chosen rows ids. A row without a value gets that of
// null, or noValue if skip.
func (x *valueIndex) column(c *column, rows []int32, n int, skip bool) valueIDs {
	null := noValue
	if !skip {
		null = noValue - 1 // found when it is needed
	}
	missing := func() uint32 {
		if null == noValue-1 {
			null = x.id(event.Value{})
		}
		return null
	}
	if c == nil {
		return valueIDs{one: missing()}
	}
	if c.shape == shapeDict {
		return x.dictColumn(c, rows, n, missing)
	}
	ids := make([]uint32, n)
	place, byNumber := 0, false
	if c.shape == shapePrefixed {
		place, byNumber = x.prefix(c.prefix)
	}
	last, lastID := int64(0), noValue
	for i := range n {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		switch {
		case c.present != nil && !c.present.has(row):
			ids[i] = missing()
		case byNumber:
			ids[i] = x.prefixedID(place, c.ints[row])
		case c.shape == shapeInts && c.typ != event.TypeBool:
			if c.ints[row] != last || lastID == noValue {
				last, lastID = c.ints[row], x.intID(c.ints[row], c.typ)
			}
			ids[i] = lastID
		case c.typ == event.TypeList:
			return x.listColumn(c, rows, n, missing)
		default:
			ids[i] = x.id(c.value(row))
		}
	}
	return valueIDs{ids: ids}
}

func (x *valueIndex) intID(n int64, t event.Type) uint32 {
	id, fresh := x.ints.get(n, uint32(len(x.shown)))
	if fresh {
		v, _ := event.Raw(t, uint64(n), "")
		x.show(v)
	} else if t < x.shown[id].Type() {
		x.shown[id], _ = event.Raw(t, uint64(n), "")
	}
	return id
}

func (x *valueIndex) dictColumn(c *column, rows []int32, n int, missing func() uint32) valueIDs {
	if c.typ == event.TypeList || c.typ == event.TypeNull {
		for _, v := range c.dict {
			if v.Type() == event.TypeList {
				return x.listColumn(c, rows, n, missing)
			}
		}
	}
	of := func(code int) uint32 {
		if v := c.dict[code]; !v.IsNull() {
			return x.id(v)
		}
		return missing()
	}
	if c.codes == nil {
		return valueIDs{one: of(0)}
	}
	const unknown = noValue - 2
	known := make([]uint32, len(c.dict))
	for i := range known {
		known[i] = unknown
	}
	ids := make([]uint32, n)
	for i := range n {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		code := c.codes[row]
		id := known[code]
		if id == unknown {
			id = of(int(code))
			known[code] = id
		}
		ids[i] = id
	}
	return valueIDs{ids: ids}
}

func (x *valueIndex) listColumn(c *column, rows []int32, n int, missing func() uint32) valueIDs {
	lists := make([][]uint32, n)
	var known map[int][]uint32
	if c.shape == shapeDict {
		known = map[int][]uint32{}
	}
	for i := range n {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		if known != nil {
			if list, ok := known[c.code(row)]; ok {
				lists[i] = list
				continue
			}
		}
		list := x.items(c.value(row))
		if len(list) == 0 {
			if id := missing(); id != noValue {
				list = []uint32{id}
			}
		}
		lists[i] = list
		if known != nil {
			known[c.code(row)] = list
		}
	}
	return valueIDs{lists: lists}
}
