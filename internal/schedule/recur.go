package schedule

import (
	"cmp"
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

func parseRule(p property, loc *time.Location) (*rule, error) {
	r := &rule{interval: 1, monday: true}
	known := false
	for _, part := range strings.Split(strings.TrimSpace(p.value), ";") {
		key, value, _ := strings.Cut(part, "=")
		value = strings.ToUpper(value)
		var err error
		switch strings.ToUpper(key) {
		case "FREQ":
			r.weekly, known = value == "WEEKLY", value == "WEEKLY" || value == "DAILY"
			if !known {
				return nil, p.errorf("write FREQ=DAILY or FREQ=WEEKLY, or the shifts as events of their own", "FREQ=%s is not understood", clip(value))
			}
		case "INTERVAL":
			r.interval, err = strconv.ParseInt(value, 10, 64)
			if err != nil || r.interval < 1 || r.interval > 10_000 {
				return nil, p.errorf("write INTERVAL=2", "an interval of %q is not possible", clip(value))
			}
		case "COUNT":
			if r.count, err = strconv.Atoi(value); err != nil || r.count < 1 {
				return nil, p.errorf("write COUNT=10", "a count of %q is not possible", clip(value))
			}
		case "UNTIL":
			until, err := parseWall(property{line: p.line}, value, loc)
			if err != nil {
				return nil, err
			}
			r.until = &until
		case "WKST":
			r.monday = value != "SU"
			if value != "SU" && value != "MO" {
				return nil, p.errorf("let weeks begin on MO or SU", "WKST=%s is not understood", clip(value))
			}
		case "BYDAY":
			for _, d := range strings.Split(value, ",") {
				weekday, ok := weekdays[d]
				if !ok {
					return nil, p.errorf("write days such as MO,TU", "%q is not a day of the week", clip(d))
				}
				r.days = append(r.days, weekday)
			}
		case "":
		default:
			return nil, p.errorf("write the shifts as events of their own", "%s is not understood in a rule", clip(key))
		}
	}
	if !known {
		return nil, p.errorf("add FREQ=DAILY or FREQ=WEEKLY", "the rule has no FREQ")
	}
	return r, nil
}

// layOut turns components into events: repeated ones into each occurrence, without what is excepted, cancelled or replaced.
func layOut(components []component, within Span) ([]Event, error) {
	type key struct {
		uid string
		at  int64
	}
	replaced := map[key]bool{}
	for _, c := range components {
		if c.recurrence != nil {
			replaced[key{c.UID, c.recurrence.instant().Unix()}] = true
		}
	}
	var list []Event
	add := func(c component, s Span) error {
		if _, ok := meet(s, within); !ok {
			return nil
		}
		e := c.Event
		e.Span = s
		if list = append(list, e); len(list) > maxEvents {
			return problem.New(problem.TooLarge, "the calendar has more than %d shifts", maxEvents)
		}
		return nil
	}
	for _, c := range components {
		switch {
		case c.cancelled:
		case c.rule == nil:
			if err := add(c, c.occurrence(c.start)); err != nil {
				return nil, err
			}
		default:
			for start := range c.rule.starts(c.start, within.End) {
				at := start.instant()
				gone := slices.ContainsFunc(c.except, func(t wallTime) bool {
					return t.instant().Equal(at) || t.date && t.wall == start.wall-floorMod(start.wall, day)
				})
				if gone || replaced[key{c.UID, at.Unix()}] {
					continue
				}
				if err := add(c, c.occurrence(start)); err != nil {
					return nil, err
				}
			}
		}
	}
	return list, nil
}

// maxOccurrences bounds how far a rule is followed.
const maxOccurrences = 100_000

// starts are the wall-clock starts of a rule that begins at first, in order, up to end.
func (r *rule) starts(first wallTime, end time.Time) func(yield func(wallTime) bool) {
	return func(yield func(wallTime) bool) {
		given := 0
		for wall := range r.candidates(first.wall) {
			t := wallTime{first.zone, wall, first.date}
			at := t.instant()
			if !at.Before(end) || r.until != nil && at.After(r.until.last()) || r.count > 0 && given == r.count || given == maxOccurrences {
				return
			}
			given++
			if !yield(t) {
				return
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

// candidates are the wall-clock starts without end.
func (r *rule) candidates(first int64) func(yield func(int64) bool) {
	days := slices.Clone(r.days)
	today := time.Weekday(floorMod(floorDiv(first, day)+4, 7))
	if len(days) == 0 {
		days = []time.Weekday{today}
	}
	place := func(d time.Weekday) int64 { // within a week
		if r.monday {
			return floorMod(int64(d)-1, 7)
		}
		return int64(d)
	}
	slices.SortFunc(days, func(a, b time.Weekday) int { return cmp.Compare(place(a), place(b)) })
	days = slices.Compact(days)
	return func(yield func(int64) bool) {
		if !r.weekly {
			for i := int64(0); i < maxOccurrences; i++ {
				wall := first + i*r.interval*day
				if len(r.days) > 0 && !slices.Contains(days, time.Weekday(floorMod(floorDiv(wall, day)+4, 7))) {
					continue
				}
				if !yield(wall) {
					return
				}
			}
			return
		}
		week := first - place(today)*day
		for i := int64(0); i < maxOccurrences; i++ {
			for _, d := range days {
				if wall := week + (i*r.interval*7+place(d))*day; wall >= first && !yield(wall) {
					return
				}
			}
		}
	}
}
