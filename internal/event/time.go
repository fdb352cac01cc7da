package event

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Range is a half-open span of time: From belongs to it, To does not.
type Range struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Contains tells whether t lies in r.
func (r Range) Contains(t time.Time) bool { return !t.Before(r.From) && t.Before(r.To) }

// Duration is how long r is; negative when it ends before it begins.
func (r Range) Duration() time.Duration { return r.To.Sub(r.From) }

// Times outside the years 0 to 9999 have no RFC 3339 form.
const (
	minUnix = -62167219200 // 0000-01-01T00:00:00Z
	maxUnix = 253402300799 // 9999-12-31T23:59:59Z
)

// ParseTime reads a time as people and Prometheus clients write it: RFC 3339,
// Unix seconds with an optional fraction (kept to the microsecond), "now", or
// "now" with a duration added or taken away, as in now-1h30m or now-7d. The
// result is in UTC.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if rest, ok := strings.CutPrefix(s, "now"); ok {
		return parseRelative(s, rest, now)
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return inYears(s, t.UTC())
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil && seconds >= minUnix && seconds <= maxUnix {
		whole, fraction := math.Modf(seconds)
		return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1e3).UTC(), nil
	}
	return time.Time{}, badTime(s)
}

func parseRelative(s, rest string, now time.Time) (time.Time, error) {
	if rest == "" {
		return now.UTC(), nil
	}
	d, err := ParseDuration(rest[1:])
	if err != nil {
		return time.Time{}, badTime(s)
	}
	switch rest[0] {
	case '-':
		return inYears(s, now.UTC().Add(-d))
	case '+':
		return inYears(s, now.UTC().Add(d))
	}
	return time.Time{}, badTime(s)
}

func inYears(s string, t time.Time) (time.Time, error) {
	if u := t.Unix(); u < minUnix || u > maxUnix {
		return time.Time{}, badTime(s)
	}
	return t, nil
}

func badTime(s string) error {
	return problem.New(problem.Invalid, "%q is not a time", s).
		WithMend("write RFC 3339 (2026-01-02T15:04:05Z), Unix seconds, now, or a time relative to it such as now-1h30m")
}
