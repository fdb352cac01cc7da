package schedule

import (
	"slices"
	"time"
)

// Layer renders one layer of the definition, lowest first, as if it were alone.
func (s *Schedule) Layer(i int, from, to time.Time) []Shift {
	return s.layers[i].shifts(Span{from, to})
}

// Final renders who is on call from one time to another, in order. What no shift covers is a gap.
func (s *Schedule) Final(from, to time.Time) []Shift {
	final, _ := s.render(Span{from, to})
	return final
}

// Gaps are the spans in which nobody is on call.
func (s *Schedule) Gaps(from, to time.Time) []Span {
	_, gaps := s.render(Span{from, to})
	return gaps
}

// render gives every moment to the first of the sources, strongest first, that claims it.
func (s *Schedule) render(within Span) (final []Shift, free []Span) {
	if !within.Start.Before(within.End) {
		return nil, nil
	}
	free = []Span{within}
	for _, o := range slices.Backward(s.Overrides) {
		if span, ok := meet(Span{o.Start, o.End}, within); ok {
			final, free = claim(final, free, []Shift{{Person: o.Person, Span: span, Override: o.ID}})
		}
	}
	for i := len(s.layers) - 1; i >= 0 && len(free) > 0; i-- {
		final, free = claim(final, free, s.layers[i].shifts(within))
	}
	slices.SortFunc(final, func(a, b Shift) int { return a.Start.Compare(b.Start) })
	joined := final[:0]
	for _, shift := range final {
		joined = appendShift(joined, shift)
	}
	return joined, free
}

// claim gives shifts, which are sorted and do not overlap, what is still free.
func claim(taken []Shift, free []Span, shifts []Shift) ([]Shift, []Span) {
	var left []Span
	i := 0
	for _, f := range free {
		for i > 0 && shifts[i-1].End.After(f.Start) {
			i--
		}
		for ; i < len(shifts) && shifts[i].Start.Before(f.End); i++ {
			part, ok := meet(shifts[i].Span, f)
			if !ok {
				continue
			}
			if part.Start.After(f.Start) {
				left = append(left, Span{f.Start, part.Start})
			}
			claimed := shifts[i]
			claimed.Span = part
			taken = append(taken, claimed)
			f.Start = part.End
		}
		if f.Start.Before(f.End) {
			left = append(left, f)
		}
	}
	return taken, left
}

// At is who is on call at t; false in a gap. The shift says why, and starts at t.
func (s *Schedule) At(t time.Time) (Shift, bool) {
	shifts := s.Final(t, t.Add(time.Nanosecond))
	if len(shifts) == 0 {
		return Shift{}, false
	}
	return shifts[0], true
}

// Now is who is on call, since when and until when, and who comes next.
type Now struct {
	On   *Shift `json:"on,omitempty" doc:"absent in a gap"`
	Next *Shift `json:"next,omitempty" doc:"who takes over; it may be after a gap; absent if nobody does within a year"`
}

// farthest is how far Now looks ahead and back.
const farthest = 366 * 24 * time.Hour

// Now answers for one moment. Shifts of one person that follow on each other count as one; one that reaches as far as Now looks ends
// (or starts) there.
func (s *Schedule) Now(t time.Time) Now {
	var n Now
	for ahead := 8 * 24 * time.Hour; ; ahead *= 7 {
		ahead = min(ahead, farthest)
		list := byPerson(s.Final(t, t.Add(ahead)))
		n = Now{}
		if len(list) > 0 && list[0].Start.Equal(t) {
			n.On, list = &list[0], list[1:]
		}
		if len(list) > 0 {
			n.Next = &list[0]
		}
		last := n.Next
		if last == nil {
			last = n.On
		}
		if ahead == farthest || n.Next != nil && last.End.Before(t.Add(ahead)) {
			break
		}
	}
	if n.On == nil {
		return n
	}
	for back := 8 * 24 * time.Hour; ; back *= 7 {
		back = min(back, farthest)
		list := byPerson(s.Final(t.Add(-back), t))
		if len(list) > 0 {
			if last := list[len(list)-1]; last.End.Equal(t) && last.Person == n.On.Person {
				n.On.Start = last.Start
			}
		}
		if back == farthest || n.On.Start.After(t.Add(-back)) {
			return n
		}
	}
}

// byPerson joins shifts of one person that follow on each other, whatever says so.
func byPerson(shifts []Shift) (list []Shift) {
	for _, s := range shifts {
		if n := len(list); n > 0 && list[n-1].Person == s.Person && list[n-1].End.Equal(s.Start) {
			list[n-1].End = s.End
			continue
		}
		list = append(list, s)
	}
	return list
}

// Coverage is which part of a span somebody is on call, from 0 to 1.
func (s *Schedule) Coverage(from, to time.Time) float64 {
	whole := to.Sub(from)
	if whole <= 0 {
		return 0
	}
	covered := whole
	for _, gap := range s.Gaps(from, to) {
		covered -= gap.End.Sub(gap.Start)
	}
	return float64(covered) / float64(whole)
}
