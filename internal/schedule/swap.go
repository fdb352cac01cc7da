package schedule

import (
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Swap lets two people take each other's place: whoever has all of a takes b, and whoever has all of b takes a. It returns the two
// overrides that do so, without ids.
func (s *Schedule) Swap(a, b Span) ([]Override, error) {
	first, err := s.holder(a, "a")
	if err != nil {
		return nil, err
	}
	second, err := s.holder(b, "b")
	if err != nil {
		return nil, err
	}
	if first == second {
		return nil, problem.New(problem.Invalid, "%s has both shifts already", first).WithField("b").WithMend("name a shift of somebody else")
	}
	if _, both := meet(a, b); both {
		return nil, problem.New(problem.Invalid, "the two shifts overlap").WithField("b").WithMend("make an override instead")
	}
	return []Override{{Person: second, Start: a.Start, End: a.End}, {Person: first, Start: b.Start, End: b.End}}, nil
}

func (s *Schedule) holder(span Span, field string) (string, error) {
	if !span.Start.Before(span.End) || span.End.Sub(span.Start) > farthest {
		return "", problem.New(problem.Invalid, "the shift does not end after its start, within a year").WithField(field)
	}
	shifts := byPerson(s.Final(span.Start, span.End))
	if len(shifts) != 1 || !shifts[0].Start.Equal(span.Start) || !shifts[0].End.Equal(span.End) {
		return "", problem.New(problem.Conflict, "not one person alone is on call from %s to %s", span.Start.Format(time.RFC3339), span.End.Format(time.RFC3339)).
			WithField(field).WithMend("give a span within one shift")
	}
	return shifts[0].Person, nil
}
