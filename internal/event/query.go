package event

import (
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Query asks about the events of a time range that match a filter. Each part
// that is set is answered, all of them over the same events: one query can ask
// for the newest rows, a histogram over time and the facets of a page at once.
// A query says nothing about who answers it: every engine of events answers it
// the same, approximate calculations within the error they state.
type Query struct {
	Range  Range  `json:"range"` // a zero end is open
	Filter Filter `json:"filter"`
	Limits Limits `json:"limits"`

	Rows    *Rows    `json:"rows,omitempty"`
	Tables  []Table  `json:"tables,omitempty"`
	Fields  *Fields  `json:"fields,omitempty"`
	Facets  *Facets  `json:"facets,omitempty"`
	Heatmap *Heatmap `json:"heatmap,omitempty"`
	Compare *Compare `json:"compare,omitempty"`
}

// Limits bound what a query may take; 0 is the engine's default. A query over a
// limit fails with an error that names it; it never answers from a part.
type Limits struct {
	Time   time.Duration `json:"time,omitempty"`
	Rows   int64         `json:"rows,omitempty"`   // events looked at
	Memory int64         `json:"memory,omitempty"` // bytes held for groups and rows
}

// Rows asks for events themselves. Without Order they come newest first, by time
// and then ID.
type Rows struct {
	Fields []string `json:"fields,omitempty"` // only these; empty: all
	Order  []Order  `json:"order,omitempty"`  // by fields; ties: newest first, or oldest first if the last order is of TimeField and rises
	Limit  int      `json:"limit"`            // 1 to 10000
	After  *Cursor  `json:"after,omitempty"`  // only what comes after this row in the same order
	Count  bool     `json:"count,omitempty"`  // count all that match, not only until the limit is reached
}

// MaxRows is the most rows of one answer; more are had with a Cursor.
const MaxRows = 10_000

// Order sorts by a field (Rows) or by the name of a column (Table). Values are
// ordered by Value.Compare; missing ones come last either way in Rows, and as
// the smallest in Table.
type Order struct {
	By   string `json:"by"`
	Desc bool   `json:"desc,omitempty"`
}

// Cursor is the place of a row in an order.
type Cursor struct {
	Time   int64   `json:"time,string"`
	ID     uint64  `json:"id,string"`
	Values []Value `json:"values,omitempty"` // of Order's fields
}

// Oldest tells whether rows of equal order come oldest first.
func (r *Rows) Oldest() bool {
	return len(r.Order) > 0 && r.Order[len(r.Order)-1] == Order{By: TimeField}
}

// CursorOf is the place of e in r's order.
func (r *Rows) CursorOf(e *Event) Cursor {
	c := Cursor{Time: e.Time, ID: e.ID}
	for _, o := range r.Order {
		c.Values = append(c.Values, e.Get(o.By))
	}
	return c
}

// Before tells whether a comes before b in r's order.
func (r *Rows) Before(a, b *Cursor) bool {
	for i, o := range r.Order {
		if i >= len(a.Values) || i >= len(b.Values) {
			break
		}
		if c := compareRows(a.Values[i], b.Values[i], o.Desc); c != 0 {
			return c < 0
		}
	}
	if a.Time != b.Time {
		return (a.Time > b.Time) != r.Oldest()
	}
	return a.ID != b.ID && (a.ID > b.ID) != r.Oldest()
}

// compareRows orders a missing value last either way.
func compareRows(a, b Value, desc bool) int {
	if a.IsNull() != b.IsNull() {
		if a.IsNull() {
			return 1
		}
		return -1
	}
	c := a.Compare(b)
	if desc {
		return -c
	}
	return c
}

// MaxListed is how many fields are listed where no other number is asked.
const MaxListed = 5000

// Fields asks which fields there are, by name.
type Fields struct {
	Prefix string `json:"prefix,omitempty"` // of their names
	Limit  int    `json:"limit,omitempty"`  // 0: MaxListed; of more the most frequent are listed
}

// Facets asks for the most frequent values of fields.
type Facets struct {
	Fields   []string `json:"fields,omitempty"`   // empty: all
	Limit    int      `json:"limit,omitempty"`    // values of each field; 0: 10
	Contains string   `json:"contains,omitempty"` // only values whose text has this in any case
}

// Heatmap asks how a number is spread over time: a grid of counts.
type Heatmap struct {
	Field string        `json:"field"`
	Every time.Duration `json:"every"`          // width of a column
	Log   int           `json:"log,omitempty"`  // rows for each doubling of the value: 1, 2, 4, 8, 16, 32 or 64; 0: 4
	Step  float64       `json:"step,omitempty"` // height of a row, instead of Log
}

// Compare asks which fields tell a selection from everything the query matches:
// which values stand out among the selected, which are missing.
type Compare struct {
	Selection Filter   `json:"selection"`
	Fields    []string `json:"fields,omitempty"` // empty: all
	Limit     int      `json:"limit,omitempty"`  // values of each field; 0: 10
}

// Limits of Facets and Compare: a field with more different values is answered
// without them, marked TooMany.
const MaxCompared = 20_000

// maxParts bounds tables in a query.
const maxTables = 50

// Validate says what is wrong with q.
func (q *Query) Validate() error {
	if err := q.Filter.Validate(); err != nil {
		return err
	}
	if !q.Range.From.IsZero() && !q.Range.To.IsZero() && q.Range.To.Before(q.Range.From) {
		return badQuery("range", "the range ends at %s, before it begins at %s", q.Range.To.Format(time.RFC3339), q.Range.From.Format(time.RFC3339))
	}
	if r := q.Rows; r != nil && (r.Limit < 1 || r.Limit > MaxRows) {
		return badQuery("rows.limit", "%d rows cannot be given at once: 1 to %d", r.Limit, MaxRows)
	}
	if r := q.Rows; r != nil && r.After != nil && len(r.After.Values) != len(r.Order) {
		return badQuery("rows.after", "the cursor belongs to another order: %d values for %d fields", len(r.After.Values), len(r.Order))
	}
	if len(q.Tables) > maxTables {
		return badQuery("tables", "%d tables in one query: at most %d", len(q.Tables), maxTables)
	}
	for i := range q.Tables {
		if err := q.Tables[i].Validate(); err != nil {
			return err
		}
	}
	if h := q.Heatmap; h != nil {
		if h.Field == "" || h.Every <= 0 || h.Step < 0 {
			return badQuery("heatmap", "a heatmap needs a field, a positive width of its columns and no negative height of its rows")
		}
		if h.Step == 0 && (h.Log < 0 || h.Log > 64 || h.Log&(h.Log-1) != 0) {
			return badQuery("heatmap.log", "%d rows for each doubling: give 1, 2, 4, 8, 16, 32 or 64", h.Log)
		}
	}
	if q.Compare != nil {
		return q.Compare.Selection.Validate()
	}
	return nil
}

func badQuery(field, format string, args ...any) error {
	return problem.New(problem.Invalid, format, args...).WithField(field)
}

// Bounds are the range in Unix nanoseconds, first and last moment inside. ok is
// false for an empty range.
func (r Range) Bounds() (first, last int64, ok bool) {
	first, last = minNano, maxNano
	if !r.From.IsZero() {
		first = nanos(r.From)
	}
	if !r.To.IsZero() {
		to := nanos(r.To)
		if to == minNano {
			return 0, 0, false
		}
		last = to - 1
		if r.To.After(time.Unix(0, maxNano)) {
			last = maxNano
		}
	}
	return first, last, first <= last
}

const (
	minNano int64 = -1 << 63
	maxNano int64 = 1<<63 - 1
)

// nanos is t in Unix nanoseconds, cut to what an int64 can hold (1677 to 2262).
func nanos(t time.Time) int64 {
	switch s := t.Unix(); {
	case s < minNano/1e9:
		return minNano
	case s > maxNano/1e9-1:
		return maxNano
	}
	return t.UnixNano()
}
