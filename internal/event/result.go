package event

import (
	"encoding/json"
	"math"
	"time"
)

// Result answers a Query, each part that was asked.
type Result struct {
	Rows       []Event        `json:"rows,omitempty"`
	Next       *Cursor        `json:"next,omitempty"`    // after the last row, if there may be more
	Matched    int64          `json:"matched"`           // events that match
	AtLeast    bool           `json:"atLeast,omitempty"` // Matched is a lower bound: rows alone were asked and found early
	Tables     []TableResult  `json:"tables,omitempty"`
	Fields     []FieldInfo    `json:"fields,omitempty"`
	MoreFields int            `json:"moreFields,omitempty"` // fields over the limit of those listed
	Facets     []Facet        `json:"facets,omitempty"`
	Heatmap    *HeatmapResult `json:"heatmap,omitempty"`
	Compare    []Difference   `json:"compare,omitempty"`
	Cost       Cost           `json:"cost"`
	// Warnings name what is missing from the answer: blocks that are damaged and
	// were set aside.
	Warnings []string `json:"warnings,omitempty"`
}

// Cost is what an answer took.
type Cost struct {
	Rows    int64         `json:"rows"`    // events looked at
	Bytes   int64         `json:"bytes"`   // bytes of storage read, before decompression
	Blocks  int64         `json:"blocks"`  // blocks looked into
	Skipped int64         `json:"skipped"` // blocks that their index ruled out or answered without reading
	Elapsed time.Duration `json:"elapsed"`
}

// TableResult answers a Table.
type TableResult struct {
	Keys         []string `json:"keys"`
	Calculations []string `json:"calculations"`
	Groups       []Group  `json:"groups"`
	Total        []Cell   `json:"total,omitempty"` // if asked: the calculations over all events, each once, whatever its groups
	More         int      `json:"more"`            // groups that satisfy Having and are over Limit
}

// Group is one group: its keys and what was calculated.
type Group struct {
	Keys  []Value `json:"keys"`
	Cells []Cell  `json:"cells"`
}

// Cell is one calculated value. Stats and Top have theirs beside it: then Value
// is the count, or the number of Top's entries.
type Cell struct {
	Value Value        `json:"value"`
	Stats *Stats       `json:"stats,omitempty"`
	Top   []ValueCount `json:"top,omitempty"`
}

// Stats sums numbers up. Min and Max mean nothing while Count is 0.
type Stats struct {
	Count   int64   `json:"count"`
	Sum     float64 `json:"sum"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Squares float64 `json:"squares"` // sum of squares
}

// Avg is the mean, NaN of nothing.
func (s *Stats) Avg() float64 { return s.Sum / float64(s.Count) }

// Variance is the population's.
func (s *Stats) Variance() float64 {
	mean := s.Avg()
	return max(0, s.Squares/float64(s.Count)-mean*mean)
}

// MarshalJSON leaves Min and Max out where they mean nothing.
func (s Stats) MarshalJSON() ([]byte, error) {
	object := map[string]Value{"count": Int(s.Count), "sum": Float(s.Sum), "squares": Float(s.Squares)}
	if s.Count > 0 {
		object["min"], object["max"] = Float(s.Min), Float(s.Max)
	}
	return json.Marshal(object)
}

// ValueCount is a value and how many events have it.
type ValueCount struct {
	Value Value `json:"value"`
	Count int64 `json:"count"`
}

// FieldInfo is one field. Its types are those found among the events asked
// about, in the order of Type.
type FieldInfo struct {
	Name   string   `json:"name"`
	Types  []string `json:"types"`
	Count  int64    `json:"count"`            // events that have it
	Stream bool     `json:"stream,omitempty"` // it is a label of streams
}

// Facet is the most frequent values of a field, the most frequent first.
type Facet struct {
	Field    string       `json:"field"`
	Count    int64        `json:"count"`    // events that have the field
	Distinct int64        `json:"distinct"` // different values, as CalcDistinct
	Top      []ValueCount `json:"top"`
	Numbers  *Stats       `json:"numbers,omitempty"` // if some values are numbers
}

// HeatmapResult is the counts of a grid; fields without counts are left out.
type HeatmapResult struct {
	Every time.Duration `json:"every"`
	Cells []HeatCell    `json:"cells"` // by time, then value
}

// HeatCell is one field of the grid.
type HeatCell struct {
	Time  int64   `json:"time,string"`
	Low   float64 `json:"low"` // -Inf (in JSON: missing) for the row of what is not positive
	High  float64 `json:"high"`
	Count int64   `json:"count"`
}

// MarshalJSON leaves an infinite Low out.
func (c HeatCell) MarshalJSON() ([]byte, error) {
	object := map[string]Value{"time": String(Int(c.Time).String()), "high": Float(c.High), "count": Int(c.Count)}
	if !math.IsInf(c.Low, 0) {
		object["low"] = Float(c.Low)
	}
	return json.Marshal(object)
}

// Difference is how far a field's values tell the selection from the others.
// Score is half the sum of the absolute differences of the shares of each value,
// the missing one included: 0 for equal shares, 1 for nothing in common.
type Difference struct {
	Field   string         `json:"field"`
	Score   float64        `json:"score"`
	TooMany bool           `json:"tooMany,omitempty"` // more than MaxCompared values: not compared
	Values  []ValueCompare `json:"values,omitempty"`  // by the difference of their shares, largest first
}

// ValueCompare is one value's share in both. The missing value is null.
type ValueCompare struct {
	Value    Value `json:"value"`
	Selected int64 `json:"selected"`
	Others   int64 `json:"others"` // matching events that are not selected
}
