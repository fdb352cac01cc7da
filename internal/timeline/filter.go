package timeline

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Filter selects entries: those that match every field that is set, where a
// field with several values matches any of them. The zero Filter selects all.
type Filter struct {
	Services []string
	Kinds    []Kind
	Actions  []string
	Refs     []string
	Range    event.Range // of Time; a zero end is open

	Limit  int    // of List: how many; 0 means 50, at most 500
	Cursor string // of List: the next of the page before
}

// match tells whether f selects e; the same decision as conditions.
func (f Filter) match(e Entry) bool {
	return anyOf(f.Services, e.Service) && anyOf(f.Kinds, e.Kind) &&
		anyOf(f.Actions, e.Action) && anyOf(f.Refs, e.Ref) &&
		(f.Range.From.IsZero() || !e.Time.Before(floor(f.Range.From))) &&
		(f.Range.To.IsZero() || e.Time.Before(floor(f.Range.To)))
}

func anyOf[T comparable](wanted []T, v T) bool { return len(wanted) == 0 || slices.Contains(wanted, v) }

// floor is t as the store keeps it.
func floor(t time.Time) time.Time { return t.Truncate(time.Microsecond) }

// conditions is a growing WHERE clause.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string, args ...any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, args...)
}

func (c *conditions) String() string {
	if len(c.terms) == 0 {
		return "1 = 1"
	}
	return strings.Join(c.terms, " AND ")
}

func (f Filter) conditions() *conditions {
	c := &conditions{}
	in(c, "service", f.Services)
	in(c, "kind", f.Kinds)
	in(c, "action", f.Actions)
	in(c, "ref", f.Refs)
	if !f.Range.From.IsZero() {
		c.add("time >= ?", store.Micros(f.Range.From))
	}
	if !f.Range.To.IsZero() {
		c.add("time < ?", store.Micros(f.Range.To))
	}
	return c
}

func in[T ~string](c *conditions, column string, values []T) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	c.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// place is where a page of List ended.
type place struct{ micros, seq int64 }

// String is the cursor of p.
func (p place) String() string {
	return strconv.FormatInt(p.micros, 36) + "." + strconv.FormatInt(p.seq, 36)
}

func parsePlace(cursor string) (place, error) {
	left, right, _ := strings.Cut(cursor, ".")
	micros, err1 := strconv.ParseInt(left, 36, 64)
	seq, err2 := strconv.ParseInt(right, 36, 64)
	if err1 != nil || err2 != nil {
		return place{}, problem.New(problem.Invalid, "the cursor %q is not one of the timeline's", cursor).
			WithField("cursor").WithMend("pass the next of the previous page unchanged")
	}
	return place{micros, seq}, nil
}
