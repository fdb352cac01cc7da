package eventdb

import "github.com/daytwo-dev/daytwo/internal/event"

// frequent finds the frequent among very many values. Every value is counted in
// the cell of its hash; only one whose cell has counted frequentShare times what a
// cell has on average is looked at by name and counted by itself from then on,
// beginning with what its cell had. So a count is too high by at most what else
// fell into the cell, about frequentShare averages, and values rarer than that may
// be missing: with a million cells, those of less than 1/65536 of the events.
type frequent struct {
	cells    []uint32
	total    int64
	distinct distinct
}

const (
	frequentCells = 1 << 20
	frequentShare = 16
)

// cell is where a hash is counted. It uses other bits than distinct does.
func (f *frequent) cell(h uint64) *uint32 { return &f.cells[h&(frequentCells-1)] }

// often is the count from which a cell is worth a look.
func (f *frequent) often() uint32 { return uint32(f.total*frequentShare/frequentCells) + frequentShare }

// add counts a value by its hash. It returns what its cell has counted and whether
// that is worth a look.
func (f *frequent) add(h uint64, n int64) (cell int64, often bool) {
	f.total += n
	f.distinct.add(h)
	c := f.cell(h)
	*c += uint32(n)
	return int64(*c), *c >= f.often()
}

// spill begins to count approximately with what was counted exactly.
func (v *valueCounter) spill() {
	f := &frequent{cells: make([]uint32, frequentCells)}
	v.frequent = f
	hashes := make([]uint64, len(v.counts))
	for id, n := range v.counts {
		hashes[id] = hashValue(v.values.value(uint32(id)))
		f.distinct.add(hashes[id])
		*f.cell(hashes[id]) += uint32(n)
		f.total += n
	}
	values, counts := v.values, v.counts
	v.values, v.counts = valueIndex{}, nil
	for id, n := range counts {
		if uint32(n) >= f.often() {
			v.count(values.value(uint32(id)), n)
		}
	}
}

// count adds n to a value's own count.
func (v *valueCounter) count(x event.Value, n int64) {
	id := v.values.id(x)
	v.counts = grown(v.counts, v.values.len())
	v.counts[id] += n
}

func (v *valueCounter) addFrequent(c *column, s *chosen) {
	last := -1
	eachHash(c, s.rows, s.n, func(place int, h uint64) {
		if place != last {
			v.present++
			last = place
		}
		cell, often := v.frequent.add(h, 1)
		if !often {
			return
		}
		x := c.value(s.row(place))
		if x.Type() != event.TypeList {
			v.countOften(x, cell, 1)
			return
		}
		for _, item := range x.Strings() {
			if x := event.String(item); hashValue(x) == h {
				v.countOften(x, cell, 1)
				return
			}
		}
	})
}

// countOften counts a value n more times, or begins with what its cell has
// counted.
func (v *valueCounter) countOften(x event.Value, cell, n int64) {
	known := v.values.len()
	id := v.values.id(x)
	v.counts = grown(v.counts, v.values.len())
	if int(id) == known {
		v.counts[id] = cell
	} else {
		v.counts[id] += n
	}
}

// mergeFrequent adds another's counts; what only one counts by itself has of the
// other what its cell has, if that is little enough to be an estimate.
func (v *valueCounter) mergeFrequent(o *valueCounter) {
	mine := v.values.len()
	ids := v.values.merge(&o.values)
	v.counts = grown(v.counts, v.values.len())
	counted := make([]bool, v.values.len())
	for id, n := range o.counts {
		to := ids[id]
		counted[to] = true
		if int(to) >= mine {
			n += int64(*v.frequent.cell(hashValue(v.values.value(to))))
		}
		v.counts[to] += n
	}
	for id := range mine {
		if !counted[id] {
			v.counts[id] += int64(*o.frequent.cell(hashValue(v.values.value(uint32(id)))))
		}
	}
	v.frequent.total += o.frequent.total
	v.frequent.distinct.merge(&o.frequent.distinct)
	for i, n := range o.frequent.cells {
		v.frequent.cells[i] += n
	}
}
