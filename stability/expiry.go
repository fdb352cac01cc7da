package stability

import (
	"sync"
	"time"
)

// expiry ends deadlines when their time has come. Those of one [Timeout] are as
// long as each other, so that they come in the order in which they end: a list and
// one timer for its head do, and a call that is over in time has touched no timer.
type expiry struct {
	mu          sync.Mutex
	first, last *deadline
	timer       *time.Timer   // nil before the first
	armed       bool          // it will call expire
	due         time.Duration // when it will; valid if armed
	_           [128 - 48]byte
}

// nearlyInOrder is how far from the end of the list a place is looked for.
const nearlyInOrder = 8

// add has d ended in time, unless it belongs far from the end of the list.
func (e *expiry) add(d *deadline) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.last
	for n := 0; before != nil && before.at > d.at; n++ {
		if n == nearlyInOrder {
			return false
		}
		before = before.earlier
	}
	d.listed, d.earlier = true, before
	if before == nil {
		d.later, e.first = e.first, d
	} else {
		d.later, before.later = before.later, d
	}
	if d.later == nil {
		e.last = d
	} else {
		d.later.earlier = d
	}
	if !e.armed || before == nil && d.at < e.due {
		e.arm()
	}
	return true
}

// arm has the head looked at when its time has come. Called with mu held.
func (e *expiry) arm() {
	e.armed, e.due = true, e.first.at
	if e.timer == nil {
		e.timer = time.AfterFunc(e.first.left(), e.expire)
		return
	}
	e.timer.Reset(e.first.left())
}

// expire ends whatever is due, and waits for the next.
func (e *expiry) expire() {
	for {
		e.mu.Lock()
		d := e.first
		switch {
		case d == nil:
			e.armed = false
		case d.left() > 0:
			e.arm()
		default:
			e.unlink(d)
			e.mu.Unlock()
			_ = d.end(deadlineExceeded)
			continue
		}
		e.mu.Unlock()
		return
	}
}

// remove forgets a deadline that has ended.
func (e *expiry) remove(d *deadline) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d.listed {
		e.unlink(d)
	}
}

func (e *expiry) unlink(d *deadline) {
	if d.earlier == nil {
		e.first = d.later
	} else {
		d.earlier.later = d.later
	}
	if d.later == nil {
		e.last = d.earlier
	} else {
		d.later.earlier = d.earlier
	}
	d.listed, d.earlier, d.later = false, nil, nil
}
