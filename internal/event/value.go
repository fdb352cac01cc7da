package event

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"
)

// Type is what a value of a field is.
type Type uint8

// The types, in the order that decides how equal values of different types are
// shown: of Int 200 and String "200" in one group it is the Int.
const (
	TypeNull Type = iota
	TypeInt
	TypeFloat
	TypeDuration // nanoseconds
	TypeTime     // Unix nanoseconds
	TypeBool
	TypeString
	TypeBytes
	TypeList // strings
)

var typeNames = [...]string{"null", "int", "float", "duration", "time", "bool", "string", "bytes", "list"}

// String is the type's name.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "type" + strconv.Itoa(int(t))
}

// IsNumber tells whether values of t are numbers to every calculation.
func (t Type) IsNumber() bool { return t >= TypeInt && t <= TypeTime }

// Value is one typed value. The zero Value is null: no value at all. Values are
// comparable; == is identity with type, Equal is what queries mean.
type Value struct {
	typ Type
	num uint64 // Int, Duration, Time: two's complement; Float: bits; Bool: 0 or 1
	str string // String, Bytes; List: each element behind its length as uvarint
}

// Int is a whole number.
func Int(n int64) Value { return Value{typ: TypeInt, num: uint64(n)} }

// Float is a number; every NaN is the same NaN, and there is no negative zero.
func Float(f float64) Value {
	if math.IsNaN(f) {
		f = math.NaN()
	}
	if f == 0 {
		f = 0 // not -0
	}
	return Value{typ: TypeFloat, num: math.Float64bits(f)}
}

// Bool is a truth value.
func Bool(b bool) Value {
	v := Value{typ: TypeBool}
	if b {
		v.num = 1
	}
	return v
}

// Duration is a length of time, to calculations a number of nanoseconds.
func Duration(d time.Duration) Value { return Value{typ: TypeDuration, num: uint64(d)} }

// Time is a moment in Unix nanoseconds.
func Time(ns int64) Value { return Value{typ: TypeTime, num: uint64(ns)} }

// String is text; it need not be valid UTF-8.
func String(s string) Value { return Value{typ: TypeString, str: s} }

// Bytes is binary data; its text is base64.
func Bytes(b []byte) Value { return Value{typ: TypeBytes, str: string(b)} }

// List is an array of strings; an empty one is null.
func List(items ...string) Value {
	if len(items) == 0 {
		return Value{}
	}
	size := 0
	for _, s := range items {
		size += len(s) + 3
	}
	b := make([]byte, 0, size)
	for _, s := range items {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return Value{typ: TypeList, str: string(b)}
}

// Raw makes a value from what Raw of another returned: for stores. It checks
// nothing but the framing of a list.
func Raw(t Type, num uint64, text string) (Value, bool) {
	if t > TypeList {
		return Value{}, false
	}
	v := Value{typ: t, num: num, str: text}
	if t == TypeList {
		n := 0
		for rest := text; rest != ""; n++ {
			size, used := uvarint(rest)
			if used <= 0 || size > uint64(len(rest)-used) {
				return Value{}, false
			}
			rest = rest[used+int(size):]
		}
		if n == 0 {
			return Value{}, false
		}
	}
	return v, true
}

// Raw is the value's parts: the number of Int, Float (bits), Duration, Time and
// Bool, and the text of String, Bytes and List (framed).
func (v Value) Raw() (num uint64, text string) { return v.num, v.str }

// Type is the value's type.
func (v Value) Type() Type { return v.typ }

// IsNull tells whether there is no value.
func (v Value) IsNull() bool { return v.typ == TypeNull }

// Int64 is the number of an Int, Duration or Time, 0 for others.
func (v Value) Int64() int64 {
	switch v.typ {
	case TypeInt, TypeDuration, TypeTime:
		return int64(v.num)
	}
	return 0
}

// Bool is the truth of a Bool; false for others.
func (v Value) Bool() bool { return v.typ == TypeBool && v.num != 0 }

// Text is the raw text of a String or Bytes, otherwise what String says.
func (v Value) Text() string {
	if v.typ == TypeString || v.typ == TypeBytes {
		return v.str
	}
	return v.String()
}

// Strings are the elements of a List; of any other value its text alone, of
// null none.
func (v Value) Strings() []string {
	switch v.typ {
	case TypeNull:
		return nil
	case TypeList:
		var items []string
		for item := range v.items {
			items = append(items, item)
		}
		return items
	}
	return []string{v.String()}
}

// items ranges over the elements of a List.
func (v Value) items(yield func(string) bool) {
	for rest := v.str; rest != ""; {
		n, used := uvarint(rest)
		if used <= 0 || n > uint64(len(rest)-used) {
			return
		}
		if !yield(rest[used : used+int(n)]) {
			return
		}
		rest = rest[used+int(n):]
	}
}

// uvarint is binary.Uvarint for a string.
func uvarint(s string) (x uint64, n int) {
	var shift uint
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		c := s[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				return 0, -1
			}
			return x | uint64(c)<<shift, i + 1
		}
		x |= uint64(c&0x7f) << shift
		shift += 7
	}
	return 0, -1
}

// String is the value as text: what prefix, wildcard, regexp, contains and
// phrase look at. Null is empty, Bytes are base64, a List is a JSON-like array.
func (v Value) String() string {
	switch v.typ {
	case TypeInt:
		return strconv.FormatInt(int64(v.num), 10)
	case TypeFloat:
		return formatFloat(math.Float64frombits(v.num))
	case TypeBool:
		return strconv.FormatBool(v.num != 0)
	case TypeDuration:
		return time.Duration(v.num).String()
	case TypeTime:
		return time.Unix(0, int64(v.num)).UTC().Format(time.RFC3339Nano)
	case TypeString:
		return v.str
	case TypeBytes:
		return base64.StdEncoding.EncodeToString([]byte(v.str))
	case TypeList:
		var b strings.Builder
		b.WriteByte('[')
		for item := range v.items {
			if b.Len() > 1 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(item))
		}
		b.WriteByte(']')
		return b.String()
	}
	return ""
}

// formatFloat writes as JSON does: no exponent between 1e-6 and 1e21.
func formatFloat(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// Number is the value as a number: numbers themselves, durations and times in
// nanoseconds, truth as 1 and 0, and text that reads as a decimal number. NaN is
// no number.
func (v Value) Number() (float64, bool) {
	switch v.typ {
	case TypeInt, TypeDuration, TypeTime:
		return float64(int64(v.num)), true
	case TypeFloat:
		f := math.Float64frombits(v.num)
		return f, f == f
	case TypeBool:
		return float64(v.num), true
	case TypeString:
		return parseNumber(v.str)
	}
	return 0, false
}

// parseNumber reads decimal numbers only: no hexadecimal, infinity or NaN.
func parseNumber(s string) (float64, bool) {
	if s == "" || len(s) > 40 || s[0] > '9' {
		return 0, false
	}
	points := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == 'e', c == 'E':
		case c == '.' && points == 0: // more make an address or a version
			points++
		default:
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// Key is the value's canonical form: a and b are Equal when a.Key() == b.Key().
// Numbers of every type are one Int or Float, text that is the canonical form of
// a number is that number, and everything else is a String. A field that changed
// its type from "500" to 500 thus stays one field to every query.
func (v Value) Key() Value {
	switch v.typ {
	case TypeNull, TypeInt:
		return v
	case TypeDuration, TypeTime:
		return Int(int64(v.num))
	case TypeFloat:
		return floatKey(math.Float64frombits(v.num))
	case TypeString:
		return stringKey(v)
	}
	return String(v.String())
}

func floatKey(f float64) Value {
	if f == math.Trunc(f) && f >= -(1<<63) && f < 1<<63 {
		return Int(int64(f))
	}
	return Float(f)
}

func stringKey(v Value) Value {
	s := v.str
	if s == "" || len(s) > 330 || (s[0] != '-' && (s[0] < '0' || s[0] > '9')) {
		return v
	}
	if n, ok := canonicalInt(s); ok {
		return Int(n)
	}
	if f, ok := parseNumber(s); ok {
		if k := floatKey(f); k.String() == s {
			return k
		}
	}
	return v
}

// canonicalInt reads s if strconv.FormatInt would write it.
func canonicalInt(s string) (int64, bool) {
	digits := s
	if s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && (len(digits) > 1 || s[0] == '-') {
		return 0, false
	}
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// Equal tells whether v and w are the same to a query.
func (v Value) Equal(w Value) bool { return v == w || v.Key() == w.Key() }

// Compare orders values as results do: null, numbers by size (NaN first), then
// text by its bytes. Equal values compare as 0.
func (v Value) Compare(w Value) int {
	a, b := v.Key(), w.Key()
	if c := cmp.Compare(class(a), class(b)); c != 0 {
		return c
	}
	switch {
	case a.typ == TypeNull:
		return 0
	case a.typ == TypeString:
		return cmp.Compare(a.str, b.str)
	case a.typ == TypeInt && b.typ == TypeInt:
		return cmp.Compare(int64(a.num), int64(b.num))
	}
	return cmp.Or(cmp.Compare(a.float(), b.float()), cmp.Compare(a.typ, b.typ))
}

// float is the number of an Int or Float, NaN included.
func (v Value) float() float64 {
	if v.typ == TypeFloat {
		return math.Float64frombits(v.num)
	}
	return float64(int64(v.num))
}

// class ranks keys of different kinds.
func class(k Value) int {
	switch k.typ {
	case TypeNull:
		return 0
	case TypeString:
		return 2
	}
	return 1
}
