package eventdb

import (
	"encoding/base64"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// noValue is the id of no value: the row does not count.
const noValue = ^uint32(0)

// intTable gives numbers small ids. Small numbers have a place each, as long as
// that takes no more than some times the numbers there are; others are in a table
// of open addressing, half empty.
type intTable struct {
	small []uint32 // 1 + id by number; 0: none
	slots []intSlot
	n     int // numbers
	large int // of these, in slots
}

type intSlot struct {
	x  int64
	id uint32 // 1 + id; 0: empty
}

// Small are numbers below maxSmall that are less than smallShare times as many as
// there are, or than minSmall.
const (
	minSmall   = 4096
	smallShare = 4
	maxSmall   = 1 << 24
)

func mix(x int64) uint64 {
	h := uint64(x) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}

// get returns the id of x, or next and that x was new.
func (t *intTable) get(x int64, next uint32) (id uint32, fresh bool) {
	if uint64(x) >= uint64(len(t.small)) && uint64(x) < uint64(min(maxSmall, minSmall+smallShare*t.n)) {
		t.enlarge(int(x) + 1)
	}
	if uint64(x) < uint64(len(t.small)) {
		if id := t.small[x]; id > 0 {
			return id - 1, false
		}
		t.small[x] = next + 1
		t.n++
		return next, true
	}
	if t.large*2 >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := mix(x) & mask; ; i = (i + 1) & mask {
		switch s := &t.slots[i]; {
		case s.id == 0:
			*s = intSlot{x, next + 1}
			t.n++
			t.large++
			return next, true
		case s.x == x:
			return s.id - 1, false
		}
	}
}

// enlarge makes more numbers small; those that are in slots stay there, but are
// not looked for any more.
func (t *intTable) enlarge(n int) {
	before := len(t.small)
	size := max(256, 2*before)
	for size < n {
		size *= 2
	}
	t.small = append(t.small, make([]uint32, size-before)...)
	for _, s := range t.slots {
		if s.id > 0 && s.x >= int64(before) && s.x < int64(size) {
			t.small[s.x] = s.id
		}
	}
}

func (t *intTable) grow() {
	old := t.slots
	t.slots = make([]intSlot, max(64, 2*len(old)))
	mask := uint64(len(t.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		i := mix(s.x) & mask
		for t.slots[i].id != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// textTable gives texts small ids: open addressing, half empty. The texts
// themselves are kept by who has the ids.
type textTable struct {
	seed  maphash.Seed
	slots []uint64 // 32 bits of the hash, which say where to begin, and 1 + id; 0: empty
	n     int
}

// get returns the id of a text, or next and that the text was new; same tells
// whether an id is that of the text.
func (t *textTable) get(text string, next uint32, same func(id uint32) bool) (id uint32, fresh bool) {
	if 2*t.n >= len(t.slots) {
		t.grow()
	}
	hash := maphash.String(t.seed, text) >> 32
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch have := t.slots[i]; {
		case have == 0:
			t.slots[i] = hash<<32 | uint64(next+1)
			t.n++
			return next, true
		case have>>32 == hash && same(uint32(have)-1):
			return uint32(have) - 1, false
		}
	}
}

func (t *textTable) grow() {
	old := t.slots
	if old == nil {
		t.seed = maphash.MakeSeed()
	}
	t.slots = make([]uint64, max(64, 2*len(old)))
	mask := uint64(len(t.slots) - 1)
	for _, have := range old {
		if have == 0 {
			continue
		}
		i := have >> 32 & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = have
	}
}

// maxPrefixes bounds how many prefixes are counted by number.
const maxPrefixes = 16

// valueIndex gives values ids, Equal values the same, and remembers how to show
// them. Text that is one of a few prefixes and a number is kept as that number.
type valueIndex struct {
	ints     intTable
	floats   intTable // by their bits
	texts    textTable
	null     uint32 // 1 + id
	prefixes []string
	prefixed []intTable
	shown    []shownValue
	arena    []byte                 // text of keys
	lists    map[uint32]event.Value // shown as Lists
	bytes    int64
	scratch  []uint32 // ids that column gave last
}

// places lends ids for n places until the next column.
func (x *valueIndex) places(n int) []uint32 {
	x.scratch = slices.Grow(x.scratch[:0], n)[:n]
	return x.scratch
}

// shownValue is the key of a value and the type it is shown as: the lowest met.
type shownValue struct {
	num  uint64 // number of the key; of text where it begins in arena
	size uint32 // of text
	typ  event.Type
	kind uint8
}

// The kinds of keys.
const (
	keyNull     uint8 = iota
	keyInt            // num is its int64
	keyFloat          // num are its bits
	keyText           // in arena
	keyPrefixed       // and above, by place in prefixes: num is the int64 behind it
)

const valueCost = 64 // bytes a value takes beside its text

func (x *valueIndex) len() int { return len(x.shown) }

// id is the id of a value; null has one too.
func (x *valueIndex) id(v event.Value) uint32 {
	k := v.Key()
	num, text := k.Raw()
	switch k.Type() {
	case event.TypeInt:
		return x.numberID(&x.ints, keyInt, int64(num), v.Type())
	case event.TypeFloat:
		return x.numberID(&x.floats, keyFloat, int64(num), v.Type())
	case event.TypeNull:
		if x.null == 0 {
			x.show(shownValue{})
			x.null = uint32(len(x.shown))
		}
		return x.null - 1
	}
	id := x.textID(text, v.Type())
	if v.Type() == event.TypeList && x.shown[id].typ == event.TypeList {
		if x.lists == nil {
			x.lists = map[uint32]event.Value{}
		}
		x.lists[id] = ownText(v)
	}
	return id
}

func (x *valueIndex) show(v shownValue) {
	x.shown = append(x.shown, v)
	x.bytes += valueCost + int64(v.size)
}

// numberID is the id of a number that is of type t.
func (x *valueIndex) numberID(of *intTable, kind uint8, n int64, t event.Type) uint32 {
	id, fresh := of.get(n, uint32(len(x.shown)))
	if fresh {
		x.show(shownValue{num: uint64(n), kind: kind, typ: t})
	} else if t < x.shown[id].typ {
		x.shown[id].typ = t
	}
	return id
}

// textID is the id of text that is no number's, the key of a value of type t.
func (x *valueIndex) textID(text string, t event.Type) uint32 {
	for i, prefix := range x.prefixes {
		if n, ok := numbered(text, prefix); ok {
			return x.prefixedID(i, n)
		}
	}
	id, fresh := x.texts.get(text, uint32(len(x.shown)), func(id uint32) bool {
		v := &x.shown[id]
		return v.kind == keyText && x.text(v) == text // one that became a number after a prefix keeps its slot
	})
	if fresh {
		x.show(shownValue{num: uint64(len(x.arena)), size: uint32(len(text)), kind: keyText, typ: t})
		x.arena = append(x.arena, text...)
	} else if t < x.shown[id].typ {
		x.shown[id].typ = t
	}
	return id
}

// text is the text of a key; it stays as it is.
func (x *valueIndex) text(v *shownValue) string { return view(x.arena[v.num : v.num+uint64(v.size)]) }

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
	for id := range x.shown {
		v := &x.shown[id]
		if v.kind != keyText || v.typ != event.TypeString {
			continue
		}
		if n, ok := numbered(x.text(v), prefix); ok { // what is in texts is not asked any more
			x.prefixed[i].get(n, uint32(id))
			v.num, v.size, v.kind = uint64(n), 0, keyPrefixed+uint8(i)
		}
	}
	return i, true
}

func (x *valueIndex) prefixedID(place int, n int64) uint32 {
	id, fresh := x.prefixed[place].get(n, uint32(len(x.shown)))
	if fresh {
		x.show(shownValue{num: uint64(n), kind: keyPrefixed + uint8(place), typ: event.TypeString})
	}
	return id
}

// value is how to show an id. Its text may share memory with x.
func (x *valueIndex) value(id uint32) event.Value {
	s := &x.shown[id]
	var key event.Value
	switch s.kind {
	case keyNull:
		return event.Value{}
	case keyInt:
		key = event.Int(int64(s.num))
	case keyFloat:
		key = event.Float(math.Float64frombits(s.num))
	case keyText:
		key = event.String(x.text(s))
	default:
		return event.String(x.prefixes[s.kind-keyPrefixed] + strconv.FormatInt(int64(s.num), 10))
	}
	switch s.typ {
	case event.TypeDuration, event.TypeTime:
		v, _ := event.Raw(s.typ, s.num, "")
		return v
	case event.TypeFloat:
		f, _ := key.Number()
		return event.Float(f)
	case event.TypeBool:
		return event.Bool(key.Text() == "true")
	case event.TypeString:
		return event.String(key.String())
	case event.TypeBytes:
		if b, err := base64.StdEncoding.DecodeString(key.Text()); err == nil {
			return event.Bytes(b)
		}
	case event.TypeList:
		return x.lists[id]
	}
	return key
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
		switch v := &o.shown[id]; {
		case v.kind >= keyPrefixed && places[v.kind-keyPrefixed] >= 0:
			ids[id] = x.prefixedID(places[v.kind-keyPrefixed], int64(v.num))
		case v.kind == keyText && v.typ != event.TypeList:
			ids[id] = x.textID(o.text(v), v.typ)
		default:
			ids[id] = x.id(o.value(uint32(id)))
		}
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

// column gives the values of chosen rows ids, which stay until it is called again.
// A row without a value gets that of null, or noValue if skip.
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
	ids := x.places(n)
	place, byNumber := 0, false
	if c.shape == shapePrefixed {
		place, byNumber = x.prefix(c.prefix)
	}
	var text []byte
	if c.shape == shapePrefixed {
		text = append(text, c.prefix...)
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
		case c.shape == shapeHex || c.shape == shapePrefixed:
			if text = c.formed(text, row); noNumber(text) {
				ids[i] = x.textID(view(text), event.TypeString)
			} else {
				ids[i] = x.id(event.String(view(text)))
			}
		default:
			ids[i] = x.id(c.value(row))
		}
	}
	return valueIDs{ids: ids}
}

func (x *valueIndex) intID(n int64, t event.Type) uint32 { return x.numberID(&x.ints, keyInt, n, t) }

func (x *valueIndex) dictColumn(c *column, rows []int32, n int, missing func() uint32) valueIDs {
	if c.hasLists() {
		return x.listColumn(c, rows, n, missing)
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
	ids := x.places(n)
	if rows == nil && c.typ != event.TypeNull { // every value of a stored dict is that of a row
		for code := range known {
			known[code] = of(code)
		}
		for i, code := range c.codes[:n] {
			ids[i] = known[code]
		}
		return valueIDs{ids: ids}
	}
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
