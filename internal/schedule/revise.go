package schedule

import (
	"reflect"
	"slices"
	"time"
)

// Revise puts the wanted zone and layers in force from now on, without changing what was: a layer that differs ends now, and its
// successor begins now. Whoever's turn it is keeps it to the next handoff, as long as they are still a member; else whoever came
// after them takes it. Layers are told apart by ID, or by name where they have none. What is over stays, for the record. Both
// definitions are without faults.
func Revise(before Definition, wantedZone string, wanted []Layer, now time.Time) []Layer {
	r := revision{before: before, zone: wantedZone, now: now}
	r.match(wanted)
	var list []Layer
	next := 0 // of the layers before
	past := func(to int) {
		for ; next < to; next++ {
			if b, stays := r.ended(next); stays {
				list = append(list, b)
			}
		}
	}
	for i, w := range wanted {
		if r.goesOn[i] {
			past(r.from[i])
			next++
		}
		if w.inForce(now) { // what is over was so before, or never was
			list = append(list, r.succeed(i, w))
		}
	}
	past(len(before.Layers))
	return list
}

// revision is one change of a schedule.
type revision struct {
	before Definition
	zone   string // from now on
	now    time.Time
	from   []int  // by wanted layer: which layer it succeeds, or -1
	goesOn []bool // by wanted layer: it is that layer, unchanged
}

// match finds for each wanted layer the one it succeeds. Layers go on only in the order they have: another order is a change.
func (r *revision) match(wanted []Layer) {
	used := map[int]bool{}
	last := -1
	for _, w := range wanted {
		at := slices.IndexFunc(r.before.Layers, func(b Layer) bool {
			return b.inForce(r.now) && (w.ID != "" && b.ID == w.ID || (w.ID == "" || b.ID == "") && b.Name == w.Name)
		})
		if used[at] {
			at = -1
		}
		goesOn := at > last && w.inForce(r.now) && r.same(r.before.Layers[at], w)
		if goesOn {
			last = at
		}
		used[at] = at >= 0
		r.from, r.goesOn = append(r.from, at), append(r.goesOn, goesOn)
	}
}

// ended is a layer that does not go on; false if it never began.
func (r *revision) ended(i int) (Layer, bool) {
	b := r.before.Layers[i]
	if b.Zone == "" && r.zone != r.before.Zone {
		b.Zone = r.before.Zone
	}
	if !b.inForce(r.now) {
		return b, true
	}
	b.Until = r.now
	return b, b.From.IsZero() || b.From.Before(r.now)
}

// succeed is a wanted layer as it goes on from the one before, if there is one.
func (r *revision) succeed(i int, w Layer) Layer {
	if r.from[i] >= 0 {
		b := r.before.Layers[r.from[i]]
		if w.ID == "" {
			w.ID = b.ID
		}
		if r.goesOn[i] {
			w.From, w.Offset = b.From, b.Offset
			return w
		}
		w.Offset = r.offset(b, w)
	}
	if w.From.Before(r.now) {
		w.From = r.now
	}
	return w
}

// offset lets w begin with whoever b has on now.
func (r *revision) offset(b, w Layer) int {
	old, next := zoneOf(r.before.Zone).layer(b), zoneOf(r.zone).layer(w)
	turn := old.turn(r.now)
	for k := range int64(len(b.Members)) {
		if i := slices.Index(w.Members, old.member(turn+k)); i >= 0 {
			return int(floorMod(int64(i)-next.turn(r.now), int64(len(w.Members))))
		}
	}
	return w.Offset
}

func zoneOf(name string) zone {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return zone{time.UTC}
	}
	return zone{loc}
}

func (l Layer) inForce(now time.Time) bool { return l.Until.IsZero() || l.Until.After(now) }

// same tells whether nothing of what people write has changed.
func (r *revision) same(b, w Layer) bool {
	zone := func(l Layer, schedule string) string {
		if l.Zone != "" {
			return l.Zone
		}
		return schedule
	}
	return zone(b, r.before.Zone) == zone(w, r.zone) && b.Name == w.Name && slices.Equal(b.Members, w.Members) && b.Rotation == w.Rotation &&
		b.Anchor.Equal(w.Anchor) && b.Until.Equal(w.Until) && (!w.From.After(r.now) || b.From.Equal(w.From)) &&
		(len(b.Restrictions) == 0 && len(w.Restrictions) == 0 || reflect.DeepEqual(b.Restrictions, w.Restrictions))
}
