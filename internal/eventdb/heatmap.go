package eventdb

import (
	"cmp"
	"maps"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// heat counts numbers over time.
type heat struct {
	q       *event.Heatmap
	buckets *event.TimeBuckets
	columns map[int64]*sketch   // by time, with Log
	steps   map[heatPlace]int64 // with Step
}

type heatPlace struct {
	time int64
	low  float64
}

func newHeat(q *event.Heatmap) (*heat, error) {
	b, err := (&event.Key{Every: q.Every}).TimeBuckets()
	return &heat{q: q, buckets: b, columns: map[int64]*sketch{}, steps: map[heatPlace]int64{}}, err
}

func (h *heat) bytes() int64 { return int64(len(h.columns))*8192 + int64(len(h.steps))*64 }

func (h *heat) add(l *looking, s *chosen) error {
	c, err := l.column(h.q.Field)
	if err != nil || c == nil {
		return err
	}
	n := l.numbers(c)
	var times []int64
	from, to := h.buckets.Bounds(l.minTime)
	one := l.maxTime < to
	if !one {
		if times, err = l.getTimes(); err != nil {
			return err
		}
	}
	var column *sketch
	for i := range s.n {
		row := s.row(i)
		if n.present != nil && !n.present.has(row) {
			continue
		}
		if !one {
			if t := times[row]; t < from || t >= to {
				from, to = h.buckets.Bounds(t)
				column = nil
			}
		}
		if h.q.Step > 0 {
			if low, _, ok := h.q.HeatRow(n.values[row]); ok {
				h.steps[heatPlace{from, low}]++
			}
			continue
		}
		if column == nil {
			if column = h.columns[from]; column == nil {
				column = &sketch{}
				h.columns[from] = column
			}
		}
		column.add(n.values[row])
	}
	return nil
}

func (h *heat) merge(o *heat) {
	for t, s := range o.columns {
		if have := h.columns[t]; have != nil {
			have.merge(s)
		} else {
			h.columns[t] = s
		}
	}
	for p, n := range o.steps {
		h.steps[p] += n
	}
}

func (h *heat) result() *event.HeatmapResult {
	counts := map[heatPlace]int64{}
	maps.Copy(counts, h.steps)
	high := map[float64]float64{}
	for p := range h.steps {
		high[p.low] = p.low + h.q.Step
	}
	for t, s := range h.columns {
		put := func(f float64, n int64) {
			if low, up, ok := h.q.HeatRow(f); ok && n > 0 {
				counts[heatPlace{t, low}] += n
				high[low] = up
			}
		}
		put(0, s.zero)
		for i, n := range s.negative.all {
			low, _ := edges(i)
			put(-max(low, 1e-300), n)
		}
		for i, n := range s.positive.all {
			low, _ := edges(i)
			if low == 0 { // the smallest numbers there are share a bucket with zero's bits
				low = 5e-324
			}
			put(low, n)
		}
	}
	r := &event.HeatmapResult{Every: h.q.Every}
	for p, n := range counts {
		r.Cells = append(r.Cells, event.HeatCell{Time: p.time, Low: p.low, High: high[p.low], Count: n})
	}
	slices.SortFunc(r.Cells, func(a, b event.HeatCell) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Low, b.Low)) })
	return r
}
