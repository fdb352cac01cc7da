// Package record turns what comes in through any door into events: JSON objects
// become flat fields, times in every usual form become one, severities get one
// spelling, and what is absurd is put right with a mark and a count.
package record

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of one JSON document.
const (
	MaxDepth   = 64      // of objects and arrays
	maxNodes   = 100_000 // values in one document
	maxKeySize = event.MaxNameSize
)

// Flatten reads one JSON object into fields: nested names are joined with dots,
// arrays become lists, an array of objects gives each name the list of its
// values. null and empty objects are no fields. Text that is not valid UTF-8 is
// mended with replacement characters. The notes count that, and the fields over
// the limit of an event, which are left out.
func Flatten(data []byte) ([]event.Field, Notes, error) {
	d := decoder{in: data}
	d.space()
	if d.at >= len(d.in) || d.in[d.at] != '{' {
		return nil, Notes{}, d.fail("an object was expected, found %s", d.here())
	}
	if err := d.object(""); err != nil {
		return nil, Notes{}, err
	}
	d.space()
	if d.at < len(d.in) {
		return nil, Notes{}, d.fail("%s after the object", d.here())
	}
	if d.lists != nil {
		d.mergeLists()
	}
	return d.fields, d.notes, nil
}

// decoder reads JSON straight into fields.
type decoder struct {
	in     []byte
	at     int
	depth  int
	nodes  int
	fields []event.Field
	notes  Notes
	inList int                 // depth within arrays
	lists  map[string][]string // values of names within arrays of objects
	order  []string
	buf    []byte
}

func (d *decoder) fail(format string, args ...any) error {
	e := problem.New(problem.Invalid, format, args...)
	e.Message = "JSON, byte " + strconv.Itoa(d.at+1) + ": " + e.Message
	return e
}

func (d *decoder) here() string {
	if d.at >= len(d.in) {
		return "the end"
	}
	r, _ := utf8.DecodeRune(d.in[d.at:])
	return strconv.QuoteRune(r)
}

func (d *decoder) space() {
	for d.at < len(d.in) {
		switch d.in[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

func (d *decoder) enter() error {
	if d.depth++; d.depth > MaxDepth {
		return d.fail("the document is nested more than %d deep", MaxDepth)
	}
	return nil
}

func (d *decoder) object(prefix string) error {
	if err := d.enter(); err != nil {
		return err
	}
	d.at++
	for first := true; ; first = false {
		d.space()
		if d.at >= len(d.in) {
			return d.fail("the object is not closed")
		}
		if d.in[d.at] == '}' && first {
			break
		}
		if !first {
			if d.in[d.at] == '}' {
				break
			}
			if d.in[d.at] != ',' {
				return d.fail("a comma was expected, found %s", d.here())
			}
			d.at++
			d.space()
		}
		if d.at >= len(d.in) || d.in[d.at] != '"' {
			return d.fail("a name was expected, found %s", d.here())
		}
		name, err := d.text()
		if err != nil {
			return err
		}
		if len(prefix)+len(name) > maxKeySize {
			name = strings.ToValidUTF8(name[:max(0, min(len(name), maxKeySize-len(prefix)))], "")
		}
		d.space()
		if d.at >= len(d.in) || d.in[d.at] != ':' {
			return d.fail("a colon was expected, found %s", d.here())
		}
		d.at++
		if err := d.value(prefix + name); err != nil {
			return err
		}
	}
	d.at++
	d.depth--
	return nil
}

// value reads a value of a name.
func (d *decoder) value(name string) error {
	if d.nodes++; d.nodes > maxNodes {
		return d.fail("the document has more than %d values", maxNodes)
	}
	d.space()
	if d.at >= len(d.in) {
		return d.fail("a value is missing")
	}
	switch c := d.in[d.at]; c {
	case '{':
		return d.object(name + ".")
	case '[':
		return d.array(name)
	case '"':
		s, err := d.text()
		if err != nil {
			return err
		}
		d.add(name, event.String(s))
	case 't':
		return d.literal("true", name, event.Bool(true))
	case 'f':
		return d.literal("false", name, event.Bool(false))
	case 'n':
		return d.literal("null", name, event.Value{})
	default:
		return d.number(name)
	}
	return nil
}

func (d *decoder) literal(word, name string, v event.Value) error {
	if len(d.in)-d.at < len(word) || string(d.in[d.at:d.at+len(word)]) != word {
		return d.fail("%s is no value", d.here())
	}
	d.at += len(word)
	d.add(name, v)
	return nil
}

func (d *decoder) add(name string, v event.Value) {
	switch {
	case v.IsNull():
	case d.inList > 0:
		if d.lists == nil {
			d.lists = map[string][]string{}
		}
		if _, known := d.lists[name]; !known {
			d.order = append(d.order, name)
		}
		d.lists[name] = append(d.lists[name], v.Text())
	case len(d.fields) >= event.MaxFields-16: // room for what the doors add
		d.notes.Left++
	default:
		d.fields = append(d.fields, event.Field{Name: name, Value: v})
	}
}

func (d *decoder) mergeLists() {
	for _, name := range d.order {
		if len(d.fields) >= event.MaxFields-16 {
			d.notes.Left++
			continue
		}
		d.fields = append(d.fields, event.Field{Name: name, Value: event.List(d.lists[name]...)})
	}
}

func (d *decoder) array(name string) error {
	if err := d.enter(); err != nil {
		return err
	}
	d.at++
	d.inList++
	for first := true; ; first = false {
		d.space()
		if d.at >= len(d.in) {
			return d.fail("the array is not closed")
		}
		if d.in[d.at] == ']' {
			break
		}
		if !first {
			if d.in[d.at] != ',' {
				return d.fail("a comma was expected, found %s", d.here())
			}
			d.at++
		}
		if err := d.value(name); err != nil {
			return err
		}
		d.space()
		if d.at < len(d.in) && d.in[d.at] != ',' && d.in[d.at] != ']' {
			return d.fail("a comma was expected, found %s", d.here())
		}
	}
	d.at++
	d.depth--
	d.inList--
	return nil
}

func (d *decoder) number(name string) error {
	start := d.at
	for d.at < len(d.in) {
		switch c := d.in[d.at]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			d.at++
			continue
		}
		break
	}
	text := string(d.in[start:d.at])
	if !validNumber(text) {
		d.at = start
		return d.fail("%s is no value", d.here())
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		d.add(name, event.Int(n))
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		d.add(name, event.String(text)) // too large for a number: kept as it was written
		return nil
	}
	d.add(name, event.Float(f))
	return nil
}

// validNumber is the grammar of RFC 8259.
func validNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	digits := func() int {
		n := len(s) - len(strings.TrimLeft(s, "0123456789"))
		s = s[n:]
		return n
	}
	zero := strings.HasPrefix(s, "0")
	if n := digits(); n == 0 || zero && n > 1 {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		s = rest
		if digits() == 0 {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if digits() == 0 {
			return false
		}
	}
	return s == ""
}

// text reads a string. Control characters, which JSON forbids, are let pass:
// some shippers write them, and what they mean is clear.
func (d *decoder) text() (string, error) {
	d.at++
	start := d.at
	for d.at < len(d.in) {
		switch d.in[d.at] {
		case '"':
			s := string(d.in[start:d.at])
			d.at++
			return d.notes.Valid(s), nil
		case '\\':
			return d.escaped(start)
		}
		d.at++
	}
	return "", d.fail("a string is not closed")
}

// escaped reads a string that has escapes: it is found to its end and read by
// the standard library.
func (d *decoder) escaped(start int) (string, error) {
	for d.at < len(d.in) {
		switch d.in[d.at] {
		case '\\':
			d.at += 2
			continue
		case '"':
			d.buf = append(d.buf[:0], '"')
			for _, c := range d.in[start:d.at] {
				if c < 0x20 {
					d.buf = append(append(d.buf, `\u00`...), "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
					continue
				}
				d.buf = append(d.buf, c)
			}
			d.buf = append(d.buf, '"')
			if !utf8.Valid(d.buf) {
				d.notes.Texts++
			}
			var s string
			if err := json.Unmarshal(d.buf, &s); err != nil {
				return "", d.fail("a string has a wrong escape")
			}
			d.at++
			return s, nil
		}
		d.at++
	}
	return "", d.fail("a string is not closed")
}
