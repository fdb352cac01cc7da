package schedule

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// rule is an RRULE of the kinds that shifts have: every so many days, or every so many weeks on some days.
type rule struct {
	weekly   bool
	interval int64
	count    int // 0: without end, or until
	until    *wallTime
	days     []time.Weekday // of a weekly one; empty: the day it starts on
	monday   bool           // weeks begin on Monday
}

var weekdays = map[string]time.Weekday{"SU": 0, "MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6}

func (r *calendarReader) rule(p property) (*rule, error) {
	made := &rule{interval: 1, monday: true}
	known := false
	for _, part := range strings.Split(strings.TrimSpace(p.value), ";") {
		key, value, _ := strings.Cut(part, "=")
		value = strings.ToUpper(value)
		var err error
		switch strings.ToUpper(key) {
		case "FREQ":
			made.weekly, known = value == "WEEKLY", value == "WEEKLY" || value == "DAILY"
			if !known {
				return nil, p.errorf("write FREQ=DAILY or FREQ=WEEKLY, or the shifts as events of their own", "FREQ=%s is not understood", clip(value))
			}
		case "INTERVAL":
			made.interval, err = strconv.ParseInt(value, 10, 64)
			if err != nil || made.interval < 1 || made.interval > 10_000 {
				return nil, p.errorf("write INTERVAL=2", "an interval of %q is not possible", clip(value))
			}
		case "COUNT":
			if made.count, err = strconv.Atoi(value); err != nil || made.count < 1 {
				return nil, p.errorf("write COUNT=10", "a count of %q is not possible", clip(value))
			}
		case "UNTIL":
			until, err := r.wall(property{line: p.line}, value)
			if err != nil {
				return nil, err
			}
			made.until = &until
		case "WKST":
			made.monday = value != "SU"
			if value != "SU" && value != "MO" {
				return nil, p.errorf("let weeks begin on MO or SU", "WKST=%s is not understood", clip(value))
			}
		case "BYDAY":
			for _, d := range strings.Split(value, ",") {
				weekday, ok := weekdays[d]
				if !ok {
					return nil, p.errorf("write days such as MO,TU", "%q is not a day of the week", clip(d))
				}
				if !slices.Contains(made.days, weekday) {
					made.days = append(made.days, weekday)
				}
			}
		case "":
		default:
			return nil, p.errorf("write the shifts as events of their own", "%s is not understood in a rule", clip(key))
		}
	}
	if !known {
		return nil, p.errorf("add FREQ=DAILY or FREQ=WEEKLY", "the rule has no FREQ")
	}
	return made, nil
}

// layout turns components into events: repeated ones into each occurrence, without what is excepted, cancelled or replaced.
type layout struct {
	within   Span
	replaced map[occurrence]bool
	events   []Event
	looked   int // occurrences of rules
}

// occurrence is one of a series, by when it would have started.
type occurrence struct {
	uid string
	at  int64
}

func (l *layout) all(ctx context.Context, components []component) error {
	l.replaced = map[occurrence]bool{}
	for _, c := range components {
		if c.recurrence != nil {
			l.replaced[occurrence{c.UID, c.recurrence.instant().Unix()}] = true
		}
	}
	for i := range components {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &components[i]
		var err error
		switch {
		case c.cancelled:
		case c.rule == nil:
			err = l.add(c, c.occurrence(c.start))
		default:
			err = l.repeated(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) add(c *component, s Span) error {
	if _, ok := meet(s, l.within); !ok {
		return nil
	}
	if len(l.events) == maxEvents {
		return problem.New(problem.TooLarge, "the calendar has more than %d shifts", maxEvents)
	}
	e := c.Event
	e.Span = s
	l.events = append(l.events, e)
	return nil
}

// repeated adds the occurrences of a component with a rule. Those that are over before the span begins are not looked at.
func (l *layout) repeated(c *component) error {
	first := c.occurrence(c.start)
	const slack = 2 * day // by which a wall clock is off, and by which a day that it counts is longer
	long := int64(first.End.Sub(first.Start)/time.Second) + slack
	for start := range c.rule.starts(c.start, c.start.zone.wall(l.within.Start)-long, l.within.End) {
		if l.looked++; l.looked > maxOccurrences {
			return problem.New(problem.TooLarge, "the rules of the calendar give more than %d shifts", maxOccurrences).
				WithMend("leave out what repeats more often than people take turns")
		}
		at := start.instant()
		if c.excepts(start, at) || l.replaced[occurrence{c.UID, at.Unix()}] {
			continue
		}
		if err := l.add(c, c.occurrence(start)); err != nil {
			return err
		}
	}
	return nil
}

// starts are the wall-clock starts of a rule that begins at first, in order, up to end. Of those before from it may leave out any,
// but counts them.
func (r *rule) starts(first wallTime, from int64, end time.Time) func(yield func(wallTime) bool) {
	base, offsets := r.pattern(first.wall)
	period := 7 * r.interval * day
	return func(yield func(wallTime) bool) {
		turn, given := max(0, floorDiv(from-base, period)-1), 0 // the turns before it lie before from
		for _, offset := range offsets {
			if n := turn; n > 0 {
				if base+offset < first.wall {
					n--
				}
				given += int(n)
			}
		}
		for ; len(offsets) > 0; turn++ {
			for _, offset := range offsets {
				t := wallTime{first.zone, base + turn*period + offset, first.date}
				if t.wall < first.wall {
					continue
				}
				at := t.instant()
				if !at.Before(end) || r.until != nil && at.After(r.until.last()) || r.count > 0 && given >= r.count {
					return
				}
				given++
				if !yield(t) {
					return
				}
			}
		}
	}
}

// last is the last moment that UNTIL allows: a date allows its whole day.
func (t wallTime) last() time.Time {
	if t.date {
		return zone{t.zone.loc}.instant(t.wall + day - 1)
	}
	return t.instant()
}

// pattern is what repeats every seven intervals, without end: from base on, one start at each of the offsets, in order. Those before
// first are none.
func (r *rule) pattern(first int64) (base int64, offsets []int64) {
	weekday := func(wall int64) time.Weekday { return time.Weekday(floorMod(floorDiv(wall, day)+4, 7)) }
	if !r.weekly { // seven intervals come back to the same day of the week
		for i := range int64(7) {
			if offset := i * r.interval * day; len(r.days) == 0 || slices.Contains(r.days, weekday(first+offset)) {
				offsets = append(offsets, offset)
			}
		}
		return first, offsets
	}
	place := func(d time.Weekday) int64 { // within a week
		if r.monday {
			return floorMod(int64(d)-1, 7)
		}
		return int64(d)
	}
	today := weekday(first)
	days := r.days
	if len(days) == 0 {
		days = []time.Weekday{today}
	}
	for _, d := range days {
		offsets = append(offsets, place(d)*day)
	}
	slices.Sort(offsets)
	return first - place(today)*day, offsets
}
