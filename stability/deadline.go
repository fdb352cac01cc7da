package stability

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// deadline is a context that ends at a time. Unlike the one of
// context.WithDeadline it arms a timer, and watches its parent, only when
// somebody asks for Done: a call that is over sooner has cost one allocation.
type deadline struct {
	context.Context // parent
	at              time.Time

	ended atomic.Pointer[error]
	mu    sync.Mutex
	done  chan struct{} // once asked for
	timer *time.Timer
	leave func() bool // stops watching the parent
	after map[int]func()
	next  int
}

func newDeadline(parent context.Context, at time.Time) *deadline {
	return &deadline{Context: parent, at: at}
}

func (d *deadline) Deadline() (time.Time, bool) { return d.at, true }

func (d *deadline) Err() error {
	if err := d.ended.Load(); err != nil {
		return *err
	}
	if err := d.Context.Err(); err != nil {
		return d.end(err)
	}
	if time.Until(d.at) <= 0 {
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
		if d.ended.Load() != nil {
			d.done = closed
			return d.done
		}
		d.done = make(chan struct{})
		d.timer = time.AfterFunc(time.Until(d.at), func() { _ = d.end(context.DeadlineExceeded) })
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
	d.mu.Lock()
	defer d.mu.Unlock()
	if first := d.ended.Load(); first != nil {
		return *first
	}
	switch err { //nolint:errorlint // a context ends with these themselves
	case context.Canceled:
		d.ended.Store(&context.Canceled)
	case context.DeadlineExceeded:
		d.ended.Store(&deadlineExceeded)
	default:
		d.ended.Store(&err)
	}
	if d.done != nil {
		close(d.done)
		d.timer.Stop()
	}
	if d.leave != nil {
		d.leave()
	}
	for _, f := range d.after {
		go f()
	}
	d.after = nil
	return err
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
