package eventdb

import (
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// ranking orders groups without making their rows.
type ranking struct {
	g      *grouper
	order  []event.Order
	having []event.Having
	keyOf  map[string]int
	calcOf map[string]int
}

func newRanking(g *grouper, r *event.TableResult) *ranking {
	k := &ranking{g: g, order: g.t.Order, having: g.t.Having, keyOf: map[string]int{}, calcOf: map[string]int{}}
	for i := len(r.Calculations) - 1; i >= 0; i-- {
		k.calcOf[r.Calculations[i]] = i
	}
	for i := len(r.Keys) - 1; i >= 0; i-- {
		k.keyOf[r.Keys[i]] = i
	}
	return k
}

func (k *ranking) column(gid uint32, name string) event.Value {
	if i, ok := k.keyOf[name]; ok {
		return k.g.keys[i].values.value(k.g.keysOf(gid)[i])
	}
	c := k.g.calcs[k.calcOf[name]]
	if c.Op == event.CalcCount {
		return event.Int(c.counts[gid])
	}
	return c.cell(gid).Value
}

func (k *ranking) keeps(gid uint32) bool {
	for i := range k.having {
		if !k.having[i].Holds(k.column(gid, k.having[i].Column)) {
			return false
		}
	}
	return true
}

func (k *ranking) compare(a, b uint32) int {
	for _, o := range k.order {
		c := k.column(a, o.By).Compare(k.column(b, o.By))
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	ka, kb := k.g.keysOf(a), k.g.keysOf(b)
	for i := range ka {
		if c := k.g.keys[i].values.value(ka[i]).Compare(k.g.keys[i].values.value(kb[i])); c != 0 {
			return c
		}
	}
	return 0
}

// first are the first limit groups in order, and how many more there are. Of many
// groups only few are held in order at a time.
func (k *ranking) first(list []uint32, limit int) ([]uint32, int) {
	more := max(0, len(list)-limit)
	if len(list) <= 4*limit {
		slices.SortFunc(list, k.compare)
		return list[:len(list)-more], more
	}
	best := make([]uint32, 0, 2*limit+64)
	floor := noValue // of the first limit so far the last, once they are in order
	counts := k.countsFirst()
	for _, gid := range list {
		if floor != noValue && (counts != nil && counts[gid] < counts[floor] || k.compare(gid, floor) > 0) {
			continue
		}
		if best = append(best, gid); len(best) == cap(best) {
			slices.SortFunc(best, k.compare)
			best = best[:limit]
			floor = best[limit-1]
		}
	}
	slices.SortFunc(best, k.compare)
	return best[:min(limit, len(best))], more
}

// countsFirst are the counts of all groups if the order begins with the largest.
func (k *ranking) countsFirst() []int64 {
	if len(k.order) == 0 || !k.order[0].Desc {
		return nil
	}
	if _, isKey := k.keyOf[k.order[0].By]; isKey {
		return nil
	}
	return k.g.calcs[k.calcOf[k.order[0].By]].counts
}
