package event

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// durationUnits are Prometheus's, from the largest: a day is 24 hours, a week 7
// days, a year 365 days. exact marks those that FormatDuration uses only for
// whole multiples, as Prometheus does, because they read badly in sums.
var durationUnits = []struct {
	name  string
	size  time.Duration
	exact bool
}{
	{"y", 365 * 24 * time.Hour, true},
	{"w", 7 * 24 * time.Hour, true},
	{"d", 24 * time.Hour, false},
	{"h", time.Hour, false},
	{"m", time.Minute, false},
	{"s", time.Second, false},
	{"ms", time.Millisecond, false},
}

// ParseDuration reads a duration as Prometheus writes them: 1d12h, 5m, 250ms, 0.
// Units stand in falling order, each at most once, with whole numbers.
func ParseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	var sum time.Duration
	rest, units := s, durationUnits
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		name := rest[digits:]
		if end := strings.IndexAny(name, "0123456789"); end >= 0 {
			name = name[:end]
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		for len(units) > 0 && units[0].name != name {
			units = units[1:]
		}
		if err != nil || len(units) == 0 {
			return 0, badDuration(s)
		}
		size := units[0].size
		if n > int64((math.MaxInt64-sum)/size) {
			return 0, badDuration(s)
		}
		sum += time.Duration(n) * size
		rest, units = rest[digits+len(name):], units[1:]
	}
	if s == "" {
		return 0, badDuration(s)
	}
	return sum, nil
}

func badDuration(s string) error {
	return problem.New(problem.Invalid, "%q is not a duration", s).
		WithMend("write whole numbers with y, w, d, h, m, s or ms, largest first, for example 1d12h, 5m or 250ms")
}

// FormatDuration writes d so that ParseDuration reads it back, cut to whole
// milliseconds. A negative d is written with a leading minus.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-max(d, -math.MaxInt64))
	}
	var b strings.Builder
	for _, u := range durationUnits {
		if n := d / u.size; n > 0 && (!u.exact || d%u.size == 0) {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.size
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}
