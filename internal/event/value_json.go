package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// MarshalJSON writes what JSON has as such, and the other types as an object
// with one member: {"duration":"1.5s"}, {"time":"2026-01-02T03:04:05Z"},
// {"bytes":"aGk="}, {"float":"NaN"}.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.typ {
	case TypeNull:
		return []byte("null"), nil
	case TypeInt, TypeBool:
		return []byte(v.String()), nil
	case TypeFloat:
		switch f := v.float(); {
		case math.IsNaN(f) || math.IsInf(f, 0):
			return []byte(`{"float":` + strconv.Quote(v.String()) + `}`), nil
		case math.Abs(f) > 1<<53: // its shortest digits, read as a whole number, may be another number
			return strconv.AppendFloat(nil, f, 'e', -1, 64), nil
		}
		return []byte(v.String()), nil
	case TypeString:
		return json.Marshal(v.str)
	case TypeList:
		return json.Marshal(v.Strings())
	}
	return []byte(`{"` + v.typ.String() + `":` + strconv.Quote(v.String()) + `}`), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var read any
	if err := d.Decode(&read); err != nil {
		return err
	}
	switch x := read.(type) {
	case nil:
		*v = Value{}
	case bool:
		*v = Bool(x)
	case string:
		*v = String(x)
	case json.Number:
		return v.readNumber(string(x))
	case []any:
		items := make([]string, len(x))
		for i, item := range x {
			s, ok := item.(string)
			if !ok {
				return badValue(b)
			}
			items[i] = s
		}
		*v = List(items...)
	case map[string]any:
		return v.readTyped(b, x)
	}
	return nil
}

func (v *Value) readNumber(s string) error {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		*v = Int(n)
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return problem.New(problem.Invalid, "%s is no number that fits", s)
	}
	*v = Float(f)
	return nil
}

func (v *Value) readTyped(b []byte, object map[string]any) error {
	for name, member := range object {
		s, ok := member.(string)
		if !ok || len(object) != 1 {
			break
		}
		switch name {
		case "duration":
			d, err := time.ParseDuration(s)
			*v = Duration(d)
			return err
		case "time":
			t, err := time.Parse(time.RFC3339Nano, s)
			*v = Time(t.UnixNano())
			return err
		case "bytes":
			raw, err := base64.StdEncoding.DecodeString(s)
			*v = Bytes(raw)
			return err
		case "float":
			f, err := strconv.ParseFloat(s, 64)
			*v = Float(f)
			return err
		}
	}
	return badValue(b)
}

func badValue(b []byte) error {
	shown := string(b[:min(len(b), 60)])
	return problem.New(problem.Invalid, "%s is no value of a field", fmt.Sprintf("%.60s", shown)).
		WithMend(`give a string, number, truth value, array of strings, {"duration":"1.5s"}, {"time":"2026-01-02T03:04:05Z"} or {"bytes":"base64"}`)
}
