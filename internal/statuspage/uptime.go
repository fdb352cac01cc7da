package statuspage

import (
	"slices"
	"time"
)

// span is a part of time, without its end.
type span struct{ from, to time.Time }

// spans are parts of time; merged they are in order, and no two touch.
type spans []span

// merged is the same time with each moment in it once: of two troubles at once a component is out once.
func (list spans) merged() spans {
	slices.SortFunc(list, func(a, b span) int { return a.from.Compare(b.from) })
	var whole spans
	for _, s := range list {
		last := len(whole) - 1
		switch {
		case !s.from.Before(s.to):
		case last >= 0 && !s.from.After(whole[last].to):
			if s.to.After(whole[last].to) {
				whole[last].to = s.to
			}
		default:
			whole = append(whole, s)
		}
	}
	return whole
}

// within is how much of merged spans lies in one.
func (list spans) within(s span) (sum time.Duration) {
	for _, l := range list {
		from, to := l.from, l.to
		if from.Before(s.from) {
			from = s.from
		}
		if to.After(s.to) {
			to = s.to
		}
		sum += max(0, to.Sub(from))
	}
	return sum
}

// since leaves out what ended before a time.
func (list spans) since(t time.Time) spans {
	return slices.DeleteFunc(list, func(s span) bool { return !s.to.After(t) })
}

// endured is when a service was out, and when it was slow.
type endured struct{ down, slow spans }

// add notes a trouble; one that lasts has lasted until now.
func (e *endured) add(t Trouble, now time.Time) {
	s := span{t.Start, t.End}
	if t.End.IsZero() {
		s.to = now
	}
	switch t.Severity {
	case "critical":
		e.down = append(e.down, s)
	case "warning":
		e.slow = append(e.slow, s)
	}
}

func (e *endured) merge() { e.down, e.slow = e.down.merged(), e.slow.merged() }

// clone can be added to.
func (e *endured) clone() endured { return endured{slices.Clone(e.down), slices.Clone(e.slow)} }
