package stability

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// deadline is a context that ends at a time. Unlike the one of
// context.WithDeadline it arms a timer, and watches its parent, only when
// somebody asks for Done: a call that is over sooner has cost one allocation. The
// timer may be one that many deadlines share, see [expiry]; one that is takes no
// lock of its own on its way through a call.
type deadline struct {
	context.Context               // parent
	at              time.Duration // as of now()

	// state is nil, &making, &waiting, or the error with which it ended.
	state atomic.Pointer[error]
	done  chan struct{} // written while state is &making, and never again

	kept atomic.Pointer[kept] // nil if there is nothing

	list           *expiry // that ends it; nil: a timer of its own
	listed         bool    // these with the list's mutex held
	earlier, later *deadline
}

// kept is what has to be undone or done at the end of a deadline. Few have any: a
// deadline without is the smaller for it.
type kept struct {
	mu    sync.Mutex
	timer *time.Timer // if it is in no list
	leave func() bool // stops watching the parent
	after map[int]func()
	next  int
}

// The states of a deadline that has not ended and is waited for; both are errors
// only to share the pointer with those that it ends with.
var (
	making  error // one goroutine makes the channel, which takes no time
	waiting error // the channel is there
)

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
	if err := d.ended(); err != nil {
		d.told()
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

// ended is what it has ended with, or nil.
func (d *deadline) ended() *error {
	switch s := d.state.Load(); s {
	case &making, &waiting:
		return nil
	default:
		return s
	}
}

// deadlineExceeded has an address, so that ending with it allocates nothing.
var deadlineExceeded error = context.DeadlineExceeded

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (d *deadline) Done() <-chan struct{} {
	if err := d.Context.Err(); err != nil {
		_ = d.end(err)
	}
	for {
		switch s := d.state.Load(); {
		case s == nil && d.state.CompareAndSwap(nil, &making):
			d.done = make(chan struct{})
			d.state.Store(&waiting)
			d.watch()
			return d.done
		case s == nil: // another was first
		case s == &making:
			runtime.Gosched()
		case s == &waiting || d.done != nil:
			return d.done
		default: // ended before anybody asked
			return closed
		}
	}
}

// watch has it ended in time and with its parent. It may end meanwhile.
func (d *deadline) watch() {
	switch {
	case d.list == nil || !d.list.add(d): // either looks at the clock, the list seldom
		d.keep(func(k *kept) {
			k.timer = time.AfterFunc(d.left(), func() { _ = d.end(context.DeadlineExceeded) })
		})
	case d.ended() != nil:
		d.list.remove(d)
	}
	if d.Context.Done() != nil {
		d.keep(func(k *kept) {
			k.leave = context.AfterFunc(d.Context, func() { _ = d.end(d.Context.Err()) })
		})
	}
}

// keep notes something for the end of the context, also if that is now.
func (d *deadline) keep(note func(*kept)) *kept {
	k := d.kept.Load()
	if k == nil {
		k = &kept{}
		if !d.kept.CompareAndSwap(nil, k) {
			k = d.kept.Load()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	note(k)
	if d.ended() != nil {
		k.settle()
	}
	return k
}

// AfterFunc is asked for by package context: contexts made from this one then
// need no goroutine to watch it.
func (d *deadline) AfterFunc(f func()) (stop func() bool) {
	d.Done()
	var n int
	k := d.keep(func(k *kept) {
		if k.after == nil {
			k.after = map[int]func(){}
		}
		n = k.next
		k.next++
		k.after[n] = f
	})
	return func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		_, there := k.after[n]
		delete(k.after, n)
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
	for {
		switch s := d.state.Load(); s {
		case nil:
			if d.state.CompareAndSwap(nil, to) {
				return err
			}
		case &making:
			runtime.Gosched()
		case &waiting:
			if d.state.CompareAndSwap(&waiting, to) {
				d.tell()
				return err
			}
		default:
			d.told()
			return *s
		}
	}
}

// told waits until who ended the context has closed its channel, which is the next it
// does: a context that has an error is done.
func (d *deadline) told() {
	if d.done != nil {
		<-d.done
	}
}

// tell wakes whoever waits. It is called once, by who ended the context.
func (d *deadline) tell() {
	close(d.done)
	if d.list != nil {
		d.list.remove(d)
	}
	if k := d.kept.Load(); k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.settle()
	}
}

// settle does what was kept, each once. Called with mu held.
func (k *kept) settle() {
	if k.timer != nil {
		k.timer.Stop()
	}
	if k.leave != nil {
		k.leave()
	}
	for _, f := range k.after {
		go f()
	}
	k.after = nil
}

// release ends the context of a call that is over.
func (d *deadline) release() { _ = d.end(context.Canceled) }

// passed tells whether the deadline was what ended the context.
func (d *deadline) passed() bool {
	err := d.ended()
	if err == nil {
		_ = d.Err()
		err = d.ended()
	}
	return err != nil && *err == context.DeadlineExceeded && //nolint:errorlint // stored as it is
		d.Context.Err() == nil
}
