package match

import (
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// dateForms are the forms of a date, each with what a bound that is rounded up
// adds: the rest of what the form leaves out.
var dateForms = []struct {
	layout string
	rest   func(time.Time) time.Time
}{
	{"2006-01-02T15:04:05.999999999Z07:00", nil},
	{"2006-01-02T15:04:05.999999999Z0700", nil},
	{"2006-01-02T15:04:05.999999999", nil},
	{"2006-01-02 15:04:05.999999999", nil},
	{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute - 1) }},
	{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute - 1) }},
	{"2006-01-02 15:04", func(t time.Time) time.Time { return t.Add(time.Minute - 1) }},
	{"2006-01-02T15", func(t time.Time) time.Time { return t.Add(time.Hour - 1) }},
	{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1).Add(-1) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0).Add(-1) }},
	{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0).Add(-1) }},
}

// Date reads a date as Elasticsearch does: ISO 8601 in full or in part,
// milliseconds since 1970, and date math: now-1d/d, 2026-01-02||+1M/d. With up a
// date in part and a rounding mean the last moment.
func Date(s string, now time.Time, up bool, zone *time.Location) (time.Time, error) {
	base, math := s, ""
	var at time.Time
	switch i := strings.Index(s, "||"); {
	case strings.HasPrefix(s, "now"):
		at, math = now, s[len("now"):]
	case i >= 0:
		base, math = s[:i], s[i+2:]
		fallthrough
	default:
		var err error
		if at, err = plainDate(base, up && math == "", zone); err != nil {
			return time.Time{}, err
		}
	}
	return dateMath(at.In(zone), math, up, s)
}

func plainDate(s string, up bool, zone *time.Location) (time.Time, error) {
	for _, f := range dateForms {
		if len(s) == 4 && f.layout != "2006" {
			continue
		}
		if t, err := time.ParseInLocation(f.layout, s, zone); err == nil {
			if up && f.rest != nil {
				t = f.rest(t)
			}
			return inRange(t, s)
		}
	}
	if ms, err := strconv.ParseFloat(s, 64); err == nil && ms > -1e14 && ms < 1e14 {
		return inRange(time.UnixMilli(int64(ms)).UTC(), s)
	}
	return time.Time{}, badDate(s)
}

func inRange(t time.Time, s string) (time.Time, error) {
	if y := t.Year(); y < 1678 || y > 2261 { // what nanoseconds in an int64 can hold
		return time.Time{}, badDate(s)
	}
	return t, nil
}

func badDate(s string) error {
	return problem.New(problem.Invalid, "failed to parse date field [%.60s]", s).
		WithMend("give ISO 8601, milliseconds since 1970, or date math such as now-1h/h")
}

func dateMath(t time.Time, math string, up bool, whole string) (time.Time, error) {
	for math != "" {
		op := math[0]
		math = math[1:]
		n := 1
		if digits := len(math) - len(strings.TrimLeft(math, "0123456789")); digits > 0 {
			v, err := strconv.Atoi(math[:digits])
			if err != nil || v > 1e6 || op == '/' {
				return t, badDate(whole)
			}
			n, math = v, math[digits:]
		}
		if math == "" {
			return t, badDate(whole)
		}
		unit := math[0]
		math = math[1:]
		var ok bool
		switch op {
		case '+':
			t, ok = addUnit(t, unit, n)
		case '-':
			t, ok = addUnit(t, unit, -n)
		case '/':
			if t, ok = floorUnit(t, unit); ok && up {
				t, _ = addUnit(t, unit, 1)
				t = t.Add(-time.Millisecond)
			}
		}
		if !ok {
			return t, badDate(whole)
		}
	}
	return inRange(t, whole)
}

func addUnit(t time.Time, unit byte, n int) (time.Time, bool) {
	switch unit {
	case 'y':
		return t.AddDate(n, 0, 0), true
	case 'M':
		return t.AddDate(0, n, 0), true
	case 'w':
		return t.AddDate(0, 0, 7*n), true
	case 'd':
		return t.AddDate(0, 0, n), true
	case 'h', 'H':
		return t.Add(time.Duration(n) * time.Hour), true
	case 'm':
		return t.Add(time.Duration(n) * time.Minute), true
	case 's':
		return t.Add(time.Duration(n) * time.Second), true
	}
	return t, false
}

func floorUnit(t time.Time, unit byte) (time.Time, bool) {
	y, m, d := t.Date()
	h, mi, s := t.Clock()
	switch unit {
	case 'y':
		m, d, h, mi, s = 1, 1, 0, 0, 0
	case 'M':
		d, h, mi, s = 1, 0, 0, 0
	case 'w':
		d, h, mi, s = d-(int(t.Weekday())+6)%7, 0, 0, 0
	case 'd':
		h, mi, s = 0, 0, 0
	case 'h', 'H':
		mi, s = 0, 0
	case 'm':
		s = 0
	case 's':
	default:
		return t, false
	}
	return time.Date(y, m, d, h, mi, s, 0, t.Location()), true
}
