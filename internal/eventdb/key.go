package eventdb

import (
	"github.com/daytwo-dev/daytwo/internal/event"
)

// keyIndex is one key of a table.
type keyIndex struct {
	*event.Key
	buckets *event.TimeBuckets
	filters []*filter
	values  valueIndex
	made    []uint32 // of the groups of this key and those before: group before, id
}

// ids are the values of a key for chosen rows.
func (k *keyIndex) ids(l *looking, s *chosen) (valueIDs, error) {
	switch {
	case len(k.filters) > 0:
		return k.filterIDs(l, s)
	case k.buckets != nil:
		return k.timeIDs(l, s)
	}
	c, err := l.column(k.Field)
	if err != nil {
		return valueIDs{}, err
	}
	if k.Step == 0 && len(k.Bands) == 0 {
		return k.values.column(c, s.rows, s.n, k.Present), nil
	}
	if c == nil {
		return valueIDs{one: k.missing()}, nil
	}
	n := l.numbers(c)
	if k.Step > 0 {
		return k.stepIDs(n, s), nil
	}
	return k.bandIDs(n, s), nil
}

// missing is the id for rows that have no value.
func (k *keyIndex) missing() uint32 {
	if k.Present {
		return noValue
	}
	return k.values.id(event.Value{})
}

func (k *keyIndex) filterIDs(l *looking, s *chosen) (valueIDs, error) {
	lists := make([][]uint32, s.n)
	for i, f := range k.filters {
		b, err := f.bits(l)
		if err != nil {
			return valueIDs{}, err
		}
		id := noValue
		for place := range s.n {
			if b.has(s.row(place)) {
				if id == noValue {
					id = k.values.id(event.String(k.Filters[i].Name))
				}
				lists[place] = append(lists[place], id)
			}
		}
	}
	k.fillMissing(lists)
	return valueIDs{lists: lists}, nil
}

func (k *keyIndex) fillMissing(lists [][]uint32) {
	for i := range lists {
		if len(lists[i]) == 0 {
			if id := k.missing(); id != noValue {
				lists[i] = []uint32{id}
			}
		}
	}
}

func (k *keyIndex) bandIDs(n *numbers, s *chosen) valueIDs {
	lists := make([][]uint32, s.n)
	for i := range s.n {
		row := s.row(i)
		if n.present != nil && !n.present.has(row) {
			continue
		}
		for _, b := range k.Bands {
			if b.Contains(n.values[row]) {
				lists[i] = append(lists[i], k.values.id(event.String(b.Name)))
			}
		}
	}
	k.fillMissing(lists)
	return valueIDs{lists: lists}
}

func (k *keyIndex) stepIDs(n *numbers, s *chosen) valueIDs {
	ids := make([]uint32, s.n)
	last, lastID := 0.0, noValue
	for i := range s.n {
		row := s.row(i)
		if n.present != nil && !n.present.has(row) {
			ids[i] = k.missing()
			continue
		}
		edge := k.NumberBucket(n.values[row])
		if lastID == noValue || edge != last {
			last, lastID = edge, k.values.id(event.Float(edge))
		}
		ids[i] = lastID
	}
	return valueIDs{ids: ids}
}

func (k *keyIndex) timeIDs(l *looking, s *chosen) (valueIDs, error) {
	if k.Source() == event.TimeField {
		if from, to := k.buckets.Bounds(l.minTime); l.maxTime < to {
			return valueIDs{one: k.values.intID(from, event.TypeTime)}, nil
		}
	}
	c, err := l.column(k.Source())
	if err != nil {
		return valueIDs{}, err
	}
	if c == nil {
		return valueIDs{one: k.missing()}, nil
	}
	ids := make([]uint32, s.n)
	from, to, id := int64(1), int64(0), noValue
	for i := range s.n {
		row := s.row(i)
		var t int64
		if c.shape == shapeInts && c.typ != event.TypeBool && c.present == nil {
			t = c.ints[row]
		} else {
			var ok bool
			if t, ok = event.Nanos(c.value(row)); !ok {
				ids[i] = k.missing()
				continue
			}
		}
		if t < from || t >= to {
			from, to = k.buckets.Bounds(t)
			id = k.values.intID(from, event.TypeTime)
		}
		ids[i] = id
	}
	return valueIDs{ids: ids}, nil
}
