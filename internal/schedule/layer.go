package schedule

import (
	"slices"
	"time"
)

// layer is a Layer ready to calculate with.
type layer struct {
	Layer
	zone   zone
	anchor int64 // wall-clock time of the handoff of turn 0
	length int64 // of a turn, on the wall clock
}

// layer prepares a layer without faults; z is the zone of its schedule.
func (z zone) layer(l Layer) layer {
	if own, err := time.LoadLocation(l.Zone); l.Zone != "" && err == nil {
		z = zone{own}
	}
	return layer{Layer: l, zone: z, anchor: z.wall(l.Anchor), length: l.Rotation.seconds()}
}

// handoff is when turn n begins.
func (l *layer) handoff(n int64) time.Time { return l.zone.instant(l.anchor + n*l.length) }

// turn is the number of the turn at t, negative before the anchor.
func (l *layer) turn(t time.Time) int64 {
	n := floorDiv(l.zone.wall(t)-l.anchor, l.length)
	for l.handoff(n).After(t) {
		n--
	}
	for !l.handoff(n + 1).After(t) {
		n++
	}
	return n
}

// member is whose turn n is.
func (l *layer) member(n int64) string {
	return l.Members[floorMod(n+int64(l.Offset), int64(len(l.Members)))]
}

// shifts are the turns within the span, cut to when the layer is in effect and not restricted.
func (l *layer) shifts(within Span) []Shift {
	within, ok := meet(within, l.effect(within))
	if !ok {
		return nil
	}
	open := []Span{within}
	if len(l.Restrictions) > 0 {
		open = l.zone.windows(l.Restrictions, within)
	}
	var list []Shift
	for _, window := range open {
		for _, s := range l.turns(window) {
			list = appendShift(list, s)
		}
	}
	return list
}

func (l *layer) effect(within Span) Span {
	if l.From.After(within.Start) {
		within.Start = l.From
	}
	if !l.Until.IsZero() && l.Until.Before(within.End) {
		within.End = l.Until
	}
	return within
}

// turns divides a span among the members.
func (l *layer) turns(within Span) (list []Shift) {
	if len(l.Members) == 1 {
		return []Shift{{Person: l.Members[0], Span: within, Layer: l.Name}}
	}
	n := l.turn(within.Start)
	for start := within.Start; start.Before(within.End); n++ {
		end := l.handoff(n + 1)
		if end.After(within.End) {
			end = within.End
		}
		if end.After(start) { // of several handoffs that the clock skips at once, the last counts
			list = appendShift(list, Shift{Person: l.member(n), Span: Span{start, end}, Layer: l.Name})
			start = end
		}
	}
	return list
}

// appendShift adds s, which is not before the others, and joins it with the last where that goes on.
func appendShift(list []Shift, s Shift) []Shift {
	if n := len(list); n > 0 {
		last := &list[n-1]
		if last.End.Equal(s.Start) && last.Person == s.Person && last.Layer == s.Layer && last.Override == s.Override {
			last.End = s.End
			return list
		}
	}
	return append(list, s)
}

// windows are the spans in which any of the restrictions is open, in order and joined where they touch.
func (z zone) windows(restrictions []Restriction, within Span) []Span {
	var list []Span
	first, last := floorDiv(z.wall(within.Start), day), floorDiv(z.wall(within.End), day)+1
	for _, r := range restrictions {
		for d := first - int64(r.Duration)/day - 2; d <= last; d++ {
			if r.Weekly && time.Weekday(floorMod(d+4, 7)) != r.Weekday { // 1970-01-01 was a Thursday
				continue
			}
			start := d*day + int64(r.Start)
			if s, ok := meet(Span{z.instant(start), z.instant(start + int64(r.Duration))}, within); ok {
				list = append(list, s)
			}
		}
	}
	slices.SortFunc(list, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return join(list)
}

// join joins sorted spans that touch or overlap.
func join(list []Span) (joined []Span) {
	for _, s := range list {
		if n := len(joined); n > 0 && !s.Start.After(joined[n-1].End) {
			if s.End.After(joined[n-1].End) {
				joined[n-1].End = s.End
			}
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// Open tells whether any of the restrictions is open at t, in the wall-clock time of a zone; without any, it always is. Support
// hours are written like restrictions.
func Open(restrictions []Restriction, loc *time.Location, t time.Time) bool {
	return len(restrictions) == 0 || len(zone{loc}.windows(restrictions, Span{t, t.Add(time.Second)})) > 0
}
