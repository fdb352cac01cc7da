package eventdb

import (
	"cmp"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// grouper answers a table: what one worker has of it.
type grouper struct {
	t      *event.Table
	keys   []*keyIndex
	pairs  []intTable // by level: group so far and next value to group
	ids    []uint32   // len(keys) for each group: ids of its values; unused with one key
	groups int
	calcs  []*calc
	total  []*calc
}

func newGrouper(t *event.Table) (*grouper, error) {
	g := &grouper{t: t, pairs: make([]intTable, len(t.By))}
	for i := range t.By {
		k := &keyIndex{Key: &t.By[i]}
		if k.IsTime() {
			b, err := k.TimeBuckets()
			if err != nil {
				return nil, err
			}
			k.buckets = b
		}
		for _, named := range k.Filters {
			f, err := newFilter(named.Filter)
			if err != nil {
				return nil, err
			}
			k.filters = append(k.filters, f)
		}
		g.keys = append(g.keys, k)
	}
	calculations := t.Calculate
	if len(calculations) == 0 {
		calculations = []event.Calculation{{Op: event.CalcCount}}
	}
	for _, c := range calculations {
		for _, list := range []*[]*calc{&g.calcs, &g.total} {
			made, err := newCalc(c)
			if err != nil {
				return nil, err
			}
			for _, other := range *list {
				if c.Op == event.CalcQuantile && c.Filter == nil && other.like == nil && other.Op == c.Op && other.Field == c.Field && other.Filter == nil {
					made.like = other
				}
			}
			*list = append(*list, made)
		}
	}
	if len(t.By) == 0 {
		g.groups = 1
	}
	return g, nil
}

// bytes is about what the groups take.
func (g *grouper) bytes() int64 {
	sum := int64(len(g.ids))*4 + int64(g.groups)*16
	for _, k := range g.keys {
		sum += k.values.bytes
	}
	for _, c := range g.calcs {
		sum += c.bytes
	}
	return sum
}

// add takes chosen rows of a block in.
func (g *grouper) add(l *looking, s *chosen) error {
	if g.t.Total {
		for _, c := range g.total {
			if err := c.add(l, s, 1); err != nil {
				return err
			}
		}
	}
	grouped, err := g.group(l, s)
	if err != nil {
		return err
	}
	for _, c := range g.calcs {
		if err := c.add(l, grouped, g.groups); err != nil {
			return err
		}
	}
	return nil
}

// group finds the groups of chosen rows.
func (g *grouper) group(l *looking, s *chosen) (*chosen, error) {
	out := s
	for level, k := range g.keys {
		if out.n == 0 {
			return out, nil
		}
		ids, err := k.ids(l, out)
		if err != nil {
			return nil, err
		}
		if ids.lists != nil {
			if out, ids = out.multiply(ids); out.n == 0 {
				return out, nil
			}
		}
		out = g.join(level, out, ids)
	}
	return out, nil
}

// multiply repeats places for each of several values.
func (s *chosen) multiply(ids valueIDs) (*chosen, valueIDs) {
	out := &chosen{one: s.one, rows: make([]int32, 0, s.n)}
	single := make([]uint32, 0, s.n)
	for i := range s.n {
		for _, id := range ids.lists[i] {
			out.rows = append(out.rows, int32(s.row(i)))
			if s.gids != nil {
				out.gids = append(out.gids, s.gids[i])
			}
			single = append(single, id)
		}
	}
	out.n = len(out.rows)
	return out, valueIDs{ids: single}
}

// join makes groups of the groups so far and the next key's values; rows without
// a value fall out.
func (g *grouper) join(level int, s *chosen, ids valueIDs) *chosen {
	if ids.ids == nil && ids.one == noValue {
		return &chosen{}
	}
	if ids.ids != nil && g.keys[level].Present && slices.Contains(ids.ids, noValue) {
		if s, ids = s.without(ids); s.n == 0 {
			return &chosen{}
		}
	}
	out := &chosen{n: s.n, rows: s.rows}
	last := level == len(g.keys)-1
	if level == 0 {
		out.gids, out.one = ids.ids, ids.one
		if last {
			g.groups = g.keys[0].values.len()
		}
		return out
	}
	next := uint32(g.pairs[level].n)
	pair := func(gid, id uint32) uint32 {
		joined, fresh := g.pairs[level].get(int64(gid)<<32|int64(id), next)
		if fresh {
			next++
			g.remember(level, gid, id)
		}
		return joined
	}
	switch {
	case s.gids == nil && ids.ids == nil:
		out.one = pair(s.one, ids.one)
	default:
		out.gids = make([]uint32, s.n)
		lastG, lastID, lastPair := noValue, noValue, noValue
		for i := range s.n {
			gid, id := s.gid(i), ids.one
			if ids.ids != nil {
				id = ids.ids[i]
			}
			if gid != lastG || id != lastID || lastPair == noValue {
				lastG, lastID, lastPair = gid, id, pair(gid, id)
			}
			out.gids[i] = lastPair
		}
	}
	if last {
		g.groups = int(next)
	}
	return out
}

func (s *chosen) without(ids valueIDs) (*chosen, valueIDs) {
	out := &chosen{one: s.one, rows: make([]int32, 0, s.n)}
	kept := make([]uint32, 0, s.n)
	for i, id := range ids.ids {
		if id == noValue {
			continue
		}
		out.rows = append(out.rows, int32(s.row(i)))
		if s.gids != nil {
			out.gids = append(out.gids, s.gids[i])
		}
		kept = append(kept, id)
	}
	out.n = len(out.rows)
	return out, valueIDs{ids: kept}
}

// remember keeps which two ids a new group of a level was made of. A level's
// groups are two numbers each, levels one behind the other in pairOf.
func (g *grouper) remember(level int, gid, id uint32) {
	if level == len(g.keys)-1 {
		g.ids = append(g.ids, gid, id)
		return
	}
	g.keys[level].made = append(g.keys[level].made, gid, id)
}

// keysOf are the value ids of a group.
func (g *grouper) keysOf(gid uint32) []uint32 {
	ids := make([]uint32, len(g.keys))
	for level := len(g.keys) - 1; level > 0; level-- {
		made := g.keys[level].made
		if level == len(g.keys)-1 {
			made = g.ids
		}
		ids[level], gid = made[2*gid+1], made[2*gid]
	}
	if len(ids) > 0 {
		ids[0] = gid
	}
	return ids
}

// merge takes another worker's groups over.
func (g *grouper) merge(o *grouper) {
	ids := make([][]uint32, len(g.keys))
	for i, k := range g.keys {
		ids[i] = k.values.merge(&o.keys[i].values)
	}
	gids := make([]uint32, o.groups)
	for gid := range gids {
		gids[gid] = g.rejoin(o.keysOf(uint32(gid)), ids)
	}
	if len(g.keys) == 1 {
		g.groups = g.keys[0].values.len()
	}
	for i, c := range g.calcs {
		c.merge(o.calcs[i], gids, g.groups)
		if g.t.Total {
			g.total[i].merge(o.total[i], []uint32{0}, 1)
		}
	}
}

// rejoin is the group here of another worker's value ids.
func (g *grouper) rejoin(of []uint32, ids [][]uint32) uint32 {
	gid := uint32(0)
	for level := range of {
		id := ids[level][of[level]]
		if level == 0 {
			gid = id
			continue
		}
		next := uint32(g.pairs[level].n)
		joined, fresh := g.pairs[level].get(int64(gid)<<32|int64(id), next)
		if fresh {
			g.remember(level, gid, id)
			if level == len(g.keys)-1 {
				g.groups = int(next) + 1
			}
		}
		gid = joined
	}
	return gid
}

// result sorts and cuts.
func (g *grouper) result() event.TableResult {
	r := event.TableResult{Groups: []event.Group{}}
	for _, k := range g.keys {
		r.Keys = append(r.Keys, k.Column())
	}
	for _, c := range g.calcs {
		r.Calculations = append(r.Calculations, c.Column())
		c.grow(g.groups)
	}
	if g.t.Total {
		for _, c := range g.total {
			c.grow(1)
			r.Total = append(r.Total, c.cell(0))
		}
	}
	rank := newRanking(g, &r)
	list := make([]uint32, 0, g.groups)
	for gid := range uint32(g.groups) {
		if rank.keeps(gid) {
			list = append(list, gid)
		}
	}
	limit := cmp.Or(g.t.Limit, 1000)
	list, r.More = rank.first(list, limit)
	for _, gid := range list {
		r.Groups = append(r.Groups, g.row(gid))
	}
	return r
}

func (g *grouper) row(gid uint32) event.Group {
	row := event.Group{Keys: []event.Value{}, Cells: []event.Cell{}}
	for i, id := range g.keysOf(gid) {
		row.Keys = append(row.Keys, ownText(g.keys[i].values.value(id)))
	}
	for _, c := range g.calcs {
		row.Cells = append(row.Cells, c.cell(gid))
	}
	return row
}
