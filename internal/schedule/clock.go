package schedule

import "time"

// day in seconds.
const day = 24 * 3600

// zone turns the wall clock of a place into moments and back. A wall-clock time is counted in seconds since 1970-01-01 00:00 of
// that clock, so that days have 86,400 of them.
type zone struct{ loc *time.Location }

// wall is what the clock on the wall shows at t.
func (z zone) wall(t time.Time) int64 {
	_, offset := t.In(z.loc).Zone()
	return t.Unix() + int64(offset)
}

// instant is the first moment at which the clock on the wall has reached that time: the first of two if the clock is put back, the
// moment of the change if it is put forward past it.
func (z zone) instant(wall int64) time.Time {
	u := time.Unix(wall, 0).UTC()
	t := time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), 0, z.loc)
	start, end := t.ZoneBounds()
	switch got := z.wall(t); { // of a time that does not exist, time.Date makes one beside the gap, on a side it does not promise
	case got > wall && !start.IsZero():
		return start
	case got < wall && !end.IsZero():
		return end
	}
	if start.IsZero() {
		return t
	}
	_, offset := start.Add(-time.Second).Zone()
	if first := time.Unix(wall-int64(offset), 0); first.Before(start) {
		return first.In(z.loc)
	}
	return t
}

// floorDiv is a/b rounded towards minus infinity, for b above 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// floorMod is what floorDiv leaves over, never negative.
func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
