package event

import (
	"math"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// TimeBuckets are the buckets of time of a Key with Every or Calendar.
type TimeBuckets struct {
	every, offset int64
	calendar      *calendar
}

// TimeBuckets prepares the buckets of a valid key.
func (k *Key) TimeBuckets() (*TimeBuckets, error) {
	if k.Calendar == "" {
		if k.Every <= 0 {
			return nil, badQuery("by", "key %q has no buckets of time", k.Column())
		}
		return &TimeBuckets{every: int64(k.Every), offset: int64(k.Offset)}, nil
	}
	c, err := newCalendar(k)
	return &TimeBuckets{calendar: c}, err
}

// Bounds are the first moment of the bucket that t lies in, and the first after
// it. At the ends of what an int64 of nanoseconds can hold they are cut.
func (b *TimeBuckets) Bounds(t int64) (from, to int64) {
	if b.calendar != nil {
		return b.calendar.bounds(t)
	}
	off := b.offset % b.every
	from = t - floorMod(floorMod(t, b.every)-off, b.every)
	if from > t {
		from = minNano // below the smallest
	}
	to = from + b.every
	if to < from {
		to = maxNano
	}
	return from, to
}

// Nanos is the moment a value means as a key of buckets of time: numbers are
// Unix nanoseconds.
func Nanos(v Value) (int64, bool) {
	switch v.typ {
	case TypeInt, TypeDuration, TypeTime:
		return int64(v.num), true
	case TypeFloat:
		f := v.float()
		return int64(f), f >= -(1<<63) && f < 1<<63
	}
	return 0, false
}

func floorMod(a, m int64) int64 {
	r := a % m
	if r < 0 {
		r += m
	}
	return r
}

// calendar makes buckets that follow a calendar in a time zone.
type calendar struct {
	unit string
	zone *time.Location
}

func newCalendar(k *Key) (*calendar, error) {
	c := &calendar{unit: k.Calendar, zone: time.UTC}
	if k.Zone != "" {
		zone, err := time.LoadLocation(k.Zone)
		if err != nil {
			return nil, problem.New(problem.Invalid, "time zone %q: %v", k.Zone, err).WithField("zone").WithMend("give an IANA name, for example Europe/Vienna")
		}
		c.zone = zone
	}
	switch k.Calendar {
	case "minute", "hour", "day", "week", "month", "quarter", "year":
		return c, nil
	}
	return nil, problem.New(problem.Invalid, "%q is no unit of a calendar", k.Calendar).WithField("calendar").
		WithMend("use minute, hour, day, week, month, quarter or year")
}

func (c *calendar) bounds(t int64) (from, to int64) {
	at := time.Unix(0, t).In(c.zone)
	y, m, d := at.Date()
	var start, end time.Time
	switch c.unit {
	case "minute":
		start = at.Truncate(time.Minute)
		end = start.Add(time.Minute)
	case "hour":
		start = at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
		end = start.Add(time.Hour)
	case "day":
		start, end = c.day(y, m, d), c.day(y, m, d+1)
	case "week":
		d -= (int(at.Weekday()) + 6) % 7
		start, end = c.day(y, m, d), c.day(y, m, d+7)
	case "month":
		start, end = c.day(y, m, 1), c.day(y, m+1, 1)
	case "quarter":
		m -= (m - 1) % 3
		start, end = c.day(y, m, 1), c.day(y, m+3, 1)
	default:
		start, end = c.day(y, 1, 1), c.day(y+1, 1, 1)
	}
	return nanos(start), nanos(end)
}

func (c *calendar) day(y int, m time.Month, d int) time.Time {
	return time.Date(y, m, d, 0, 0, 0, 0, c.zone)
}

// NumberBucket is the lower edge of the bucket of a number in a Key with Step.
func (k *Key) NumberBucket(f float64) float64 {
	return math.Floor((f-k.Origin)/k.Step)*k.Step + k.Origin
}

// HeatRow is the row of a number in h: its lower and upper edge. Numbers that
// are not positive have one row from 0 down with Log; infinities none.
func (h *Heatmap) HeatRow(f float64) (low, high float64, ok bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, 0, false
	}
	if h.Step > 0 {
		low = math.Floor(f/h.Step) * h.Step
		return low, low + h.Step, true
	}
	if f <= 0 {
		return math.Inf(-1), 0, true
	}
	low, high = LogBucket(f, h.Rows())
	return low, high, true
}

// Rows is the number of rows for each doubling.
func (h *Heatmap) Rows() int {
	if h.Log == 0 {
		return 4
	}
	return h.Log
}

// LogBucket cuts each doubling into per (a power of two up to 64) parts of equal
// width and returns the edges of the part that a positive f lies in. It needs
// nothing but the upper bits of the number.
func LogBucket(f float64, per int) (low, high float64) {
	shift := uint(52)
	for p := per; p > 1; p >>= 1 {
		shift--
	}
	index := math.Float64bits(f) >> shift
	return math.Float64frombits(index << shift), math.Float64frombits((index + 1) << shift)
}
