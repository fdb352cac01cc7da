package record

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Earliest and MaxAhead bound what time an event may claim: what lies outside is
// a clock that is wrong or a unit that was mixed up.
var Earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// MaxAhead is how far in the future an event may lie.
const MaxAhead = 24 * time.Hour

// Why a time was not taken as it was given.
const (
	TimePast    = "past"    // before Earliest: 1970, seconds taken for milliseconds
	TimeFuture  = "future"  // more than MaxAhead in the future
	TimeUnknown = "unknown" // it cannot be read
)

// timeLayouts are the forms of time that programs log, most usual first.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999 MST",
	"2006-01-02 15:04:05.999999999",
	"2006/01/02 15:04:05.999999999",
	"02/Jan/2006:15:04:05 -0700",
	time.RFC1123Z, time.RFC1123, time.UnixDate, time.ANSIC,
	"2006-01-02",
}

// Moment reads a time in any usual form: numbers are seconds, milliseconds,
// microseconds or nanoseconds since 1970, told apart by their size.
func Moment(v event.Value) (time.Time, bool) {
	if v.Type() == event.TypeTime {
		return time.Unix(0, v.Int64()), true
	}
	if v.Type() == event.TypeString {
		s := strings.TrimSpace(v.Text())
		if i := strings.IndexByte(s, ','); i == 19 { // Python and log4j write a comma before milliseconds
			s = s[:i] + "." + s[i+1:]
		}
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, s); err == nil {
				return t, true
			}
		}
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return epoch(float64(n), n)
		}
	}
	f, ok := v.Number()
	if !ok || v.Type() == event.TypeBool {
		return time.Time{}, false
	}
	return epoch(f, v.Int64())
}

func epoch(f float64, n int64) (time.Time, bool) {
	switch a := math.Abs(f); {
	case a < 1e11: // seconds, to the year 5138
		sec, frac := math.Modf(f)
		return time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000), true
	case a < 1e14: // milliseconds
		ms, frac := math.Modf(f)
		return time.UnixMilli(int64(ms)).Add(time.Duration(frac * 1e6)), true
	case a < 1e17:
		return time.UnixMicro(int64(f)), true
	case a < 9.2e18:
		if n != 0 {
			return time.Unix(0, n), true
		}
		return time.Unix(0, int64(f)), true
	}
	return time.Time{}, false
}

// Judge says why a time cannot be true, or nothing.
func Judge(t, now time.Time) string {
	switch {
	case t.Before(Earliest):
		return TimePast
	case t.Sub(now) > MaxAhead:
		return TimeFuture
	}
	return ""
}
