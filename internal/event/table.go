package event

import (
	"math"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Table groups events by keys and calculates over each group. Without keys there
// is one group, also of no events. An event without the field of a key belongs
// to the group of the null value; one with a List belongs to the group of each
// of its elements, and likewise of each band and filter that it falls in.
type Table struct {
	By        []Key         `json:"by,omitempty"`
	Calculate []Calculation `json:"calculate"`        // none: count
	Having    []Having      `json:"having,omitempty"` // all must hold
	Order     []Order       `json:"order,omitempty"`  // by the names of keys and calculations; ties, and without: by the keys
	Limit     int           `json:"limit,omitempty"`  // 0: 1000; at most MaxGroups
	Total     bool          `json:"total,omitempty"`  // calculate over all events too
}

// MaxGroups is the most groups of one answer.
const MaxGroups = 100_000

// Key is one thing to group by: the values of a field or, if Every, Calendar,
// Step, Bands or Filters is given, what these say.
type Key struct {
	Name     string        `json:"name,omitempty"`     // of the column; empty: Field
	Field    string        `json:"field,omitempty"`    // for Every and Calendar empty is TimeField
	Present  bool          `json:"present,omitempty"`  // leave events without the field (or outside every band and filter) out
	Every    time.Duration `json:"every,omitempty"`    // buckets of time of this width
	Offset   time.Duration `json:"offset,omitempty"`   // shifts the buckets of Every, which otherwise begin at the Unix epoch
	Calendar string        `json:"calendar,omitempty"` // buckets of time: minute, hour, day, week (from Monday), month, quarter, year
	Zone     string        `json:"zone,omitempty"`     // IANA name of the time zone of Calendar; empty: UTC
	Step     float64       `json:"step,omitempty"`     // buckets of a number of this width; the key is the lower edge
	Origin   float64       `json:"origin,omitempty"`   // shifts the buckets of Step
	Bands    []Band        `json:"bands,omitempty"`    // of numbers; the key is the band's name
	Filters  []Named       `json:"filters,omitempty"`  // the key is the filter's name
}

// Band is a range of numbers, From inside, To outside; nil is open.
type Band struct {
	Name string   `json:"name"`
	From *float64 `json:"from,omitempty"`
	To   *float64 `json:"to,omitempty"`
}

// Contains tells whether f lies in b.
func (b Band) Contains(f float64) bool {
	return (b.From == nil || f >= *b.From) && (b.To == nil || f < *b.To)
}

// Named is a filter with a name.
type Named struct {
	Name   string `json:"name"`
	Filter Filter `json:"filter"`
}

// Column is the name of the key's column.
func (k *Key) Column() string {
	switch {
	case k.Name != "":
		return k.Name
	case k.Field != "":
		return k.Field
	case k.IsTime():
		return TimeField
	}
	return "filter"
}

// IsTime tells whether the key is a bucket of time.
func (k *Key) IsTime() bool { return k.Every > 0 || k.Calendar != "" }

// Source is the field the key looks at; empty for Filters.
func (k *Key) Source() string {
	if k.Field == "" && k.IsTime() {
		return TimeField
	}
	return k.Field
}

// Calculate's operations. Those on numbers use Value.Number and pass over what is
// none.
const (
	CalcCount    = "count"    // events; with Field those that have it
	CalcSum      = "sum"      // of nothing: 0
	CalcAvg      = "avg"      // of nothing: null, as min, max and quantile
	CalcMin      = "min"      //
	CalcMax      = "max"      //
	CalcDistinct = "distinct" // number of different values, of Lists different elements; exact to 1024, then within about 3 %
	CalcQuantile = "quantile" // Quantile of the numbers, within 0.8 % of the value that a sorted list has at rank ceil(Quantile*n)
	CalcStats    = "stats"    // count, sum, min, max and sum of squares at once
	CalcTop      = "top"      // the K most frequent values with their counts
)

// Calculation is one column calculated over each group.
type Calculation struct {
	Name     string  `json:"name,omitempty"` // of the column; empty: see Column
	Op       string  `json:"op"`
	Field    string  `json:"field,omitempty"`
	Quantile float64 `json:"quantile,omitempty"` // 0 to 1
	K        int     `json:"k,omitempty"`        // top; 0: 10
	Filter   *Filter `json:"filter,omitempty"`   // only over events that match it too
}

// Column is the name of the calculation's column.
func (c *Calculation) Column() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Op == CalcQuantile:
		return "p" + formatFloat(math.Round(c.Quantile*1e6)/1e4) + "(" + c.Field + ")"
	case c.Field == "":
		return c.Op
	}
	return c.Op + "(" + c.Field + ")"
}

// Having keeps groups of which a calculation's value compares so.
type Having struct {
	Column string  `json:"column"`
	Op     string  `json:"op"` // = != < <= > >=
	Value  float64 `json:"value"`
}

// Holds tells whether a column's value satisfies h; null never does.
func (h *Having) Holds(v Value) bool {
	f, ok := v.Number()
	if !ok {
		return false
	}
	switch h.Op {
	case "=":
		return f == h.Value
	case "!=":
		return f != h.Value
	case "<":
		return f < h.Value
	case "<=":
		return f <= h.Value
	case ">":
		return f > h.Value
	}
	return f >= h.Value
}

const (
	maxKeys         = 16
	maxCalculations = 64
	maxBands        = 1000
)

// Validate says what is wrong with t.
func (t *Table) Validate() error {
	if len(t.By) > maxKeys || len(t.Calculate) > maxCalculations {
		return badQuery("tables", "a table has at most %d keys and %d calculations", maxKeys, maxCalculations)
	}
	if t.Limit < 0 || t.Limit > MaxGroups {
		return badQuery("limit", "%d groups cannot be given: 1 to %d", t.Limit, MaxGroups)
	}
	columns := map[string]bool{}
	for i := range t.By {
		if err := t.By[i].validate(); err != nil {
			return err
		}
		columns[t.By[i].Column()] = true
	}
	for i := range t.Calculate {
		if err := t.Calculate[i].validate(); err != nil {
			return err
		}
		columns[t.Calculate[i].Column()] = true
	}
	if len(t.Calculate) == 0 {
		columns[CalcCount] = true
	}
	for _, o := range t.Order {
		if !columns[o.By] {
			return badQuery("order", "no column is called %q", o.By)
		}
	}
	for _, h := range t.Having {
		switch h.Op {
		case "=", "!=", "<", "<=", ">", ">=":
		default:
			return badQuery("having", "%q compares nothing: use = != < <= > >=", h.Op)
		}
		if !columns[h.Column] {
			return badQuery("having", "no column is called %q", h.Column)
		}
	}
	return nil
}

func (k *Key) validate() error {
	kinds := 0
	for _, given := range []bool{k.Every != 0, k.Calendar != "", k.Step != 0, len(k.Bands) > 0, len(k.Filters) > 0} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		return badQuery("by", "key %q has more than one of every, calendar, step, bands and filters", k.Column())
	case k.Every < 0 || k.Step < 0 || math.IsNaN(k.Step) || math.IsInf(k.Step, 0) || math.IsNaN(k.Origin) || math.IsInf(k.Origin, 0):
		return badQuery("by", "the width of the buckets of %q is not positive", k.Column())
	case k.Source() == "" && len(k.Filters) == 0:
		return badQuery("by", "a key names no field")
	case len(k.Bands) > maxBands || len(k.Filters) > maxBands:
		return badQuery("by", "key %q has more than %d bands or filters", k.Column(), maxBands)
	}
	if k.Calendar != "" {
		if _, err := newCalendar(k); err != nil {
			return err
		}
	}
	names := map[string]bool{}
	for _, b := range k.Bands {
		names[b.Name] = true
	}
	for _, f := range k.Filters {
		names[f.Name] = true
		if err := f.Filter.Validate(); err != nil {
			return err
		}
	}
	if len(names) < len(k.Bands)+len(k.Filters) {
		return badQuery("by", "two bands or filters of %q have the same name", k.Column())
	}
	return nil
}

func (c *Calculation) validate() error {
	switch c.Op {
	case CalcCount:
	case CalcSum, CalcAvg, CalcMin, CalcMax, CalcDistinct, CalcQuantile, CalcStats, CalcTop:
		if c.Field == "" {
			return badQuery("calculate", "%s needs a field", c.Op)
		}
	default:
		return problem.New(problem.Invalid, "%q is no calculation", c.Op).WithField("calculate").
			WithMend("use count, sum, avg, min, max, distinct, quantile, stats or top")
	}
	if !(c.Quantile >= 0 && c.Quantile <= 1) {
		return badQuery("calculate", "quantile %v is not between 0 and 1", c.Quantile)
	}
	if c.K < 0 || c.K > 10_000 {
		return badQuery("calculate", "top %d: give 1 to 10000", c.K)
	}
	if c.Filter != nil {
		return c.Filter.Validate()
	}
	return nil
}
