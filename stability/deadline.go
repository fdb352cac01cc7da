package stability

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// deadline is a context that ends at a time. Unlike the one of
// context.WithDeadline it arms a timer, and watches its parent, only when
// somebody asks for Done: a call that is over sooner has cost one allocation. The
// timer may be one that many deadlines share, see [expiry].
type deadline struct {
	context.Context               // parent
	at              time.Duration // as of now()

	ended atomic.Pointer[error]
	asked atomic.Bool // somebody waits for the end; set before ended is looked at
	mu    sync.Mutex
	done  chan struct{}
	timer *time.Timer // if it is in no list
	leave func() bool // stops watching the parent
	after map[int]func()
	next  int

	list           *expiry // that ends it; nil: a timer of its own
	listed         bool    // these with the list's mutex held
	earlier, later *deadline
}

// newDeadline makes a context that ends after that long. With a list, which may be
// nil, it costs no timer.
func newDeadline(parent context.Context, after time.Duration, list *expiry) *deadline {
	return &deadline{Context: parent, at: now() + min(after, 1<<61), list: list} // 73 years
}

// Deadline is made from the monotonic clock alone, which is cheaper to read: whoever
// takes the time until it takes it by that clock too.
func (d *deadline) Deadline() (time.Time, bool) { return timeOf(d.at), true }

func (d *deadline) left() time.Duration { return d.at - now() }

func (d *deadline) Err() error {
	if err := d.ended.Load(); err != nil {
		return *err
	}
	if err := d.Context.Err(); err != nil {
		return d.end(err)
	}
	if d.left() <= 0 {
		return d.end(context.DeadlineExceeded)
	}
	return nil
}

// deadlineExceeded has an address, so that ending with it allocates nothing.
var deadlineExceeded error = context.DeadlineExceeded

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (d *deadline) Done() <-chan struct{} {
	if err := d.Context.Err(); err != nil {
		_ = d.end(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == nil {
		d.asked.Store(true)
		if d.ended.Load() != nil {
			d.done = closed
			return d.done
		}
		d.done = make(chan struct{})
		if d.list == nil || !d.list.add(d) { // either looks at the clock, the list seldom
			d.timer = time.AfterFunc(d.left(), func() { _ = d.end(context.DeadlineExceeded) })
		}
		if d.Context.Done() != nil {
			d.leave = context.AfterFunc(d.Context, func() { _ = d.end(d.Context.Err()) })
		}
	}
	return d.done
}

// AfterFunc is asked for by package context: contexts made from this one then
// need no goroutine to watch it.
func (d *deadline) AfterFunc(f func()) (stop func() bool) {
	d.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended.Load() != nil {
		go f()
		return func() bool { return false }
	}
	if d.after == nil {
		d.after = map[int]func(){}
	}
	n := d.next
	d.next++
	d.after[n] = f
	return func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		_, there := d.after[n]
		delete(d.after, n)
		return there
	}
}

// end ends the context with err, unless it has ended, and tells with what it
// ended.
func (d *deadline) end(err error) error {
	var to *error
	switch err { //nolint:errorlint // a context ends with these themselves
	case context.Canceled:
		to = &context.Canceled
	case context.DeadlineExceeded:
		to = &deadlineExceeded
	default:
		other := err // lives on the heap only then
		to = &other
	}
	if !d.ended.CompareAndSwap(nil, to) {
		return *d.ended.Load()
	}
	if d.asked.Load() {
		d.tell()
	}
	return err
}

// tell wakes whoever waits. It is called once, by who ended the context.
func (d *deadline) tell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done != closed {
		close(d.done)
	}
	if d.timer != nil {
		d.timer.Stop()
	} else if d.list != nil {
		d.list.remove(d)
	}
	if d.leave != nil {
		d.leave()
	}
	for _, f := range d.after {
		go f()
	}
	d.after = nil
}

// release ends the context of a call that is over.
func (d *deadline) release() { _ = d.end(context.Canceled) }

// passed tells whether the deadline was what ended the context.
func (d *deadline) passed() bool {
	err := d.ended.Load()
	if err == nil {
		_ = d.Err()
		err = d.ended.Load()
	}
	return err != nil && *err == context.DeadlineExceeded && //nolint:errorlint // stored as it is
		d.Context.Err() == nil
}
