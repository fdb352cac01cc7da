package stability

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Batch collapses requests that come within a short while into one call for
// all of their keys.
//
// Counts: calls, batches, collapsed (calls that shared a batch), failures.
type Batch[K comparable, V any] struct {
	reporter
	name  string
	wait  time.Duration
	most  int
	fetch func(context.Context, []K) (map[K]V, error)

	mu     sync.Mutex
	open   *batch[K, V]
	counts struct{ calls, batches, collapsed, failures uint64 }
}

type batch[K comparable, V any] struct {
	keys    []K
	asked   map[K]bool
	timer   *time.Timer
	done    chan struct{}
	answers map[K]V
	err     error
	waiting int
	ctx     context.Context
	cancel  context.CancelFunc
}

// NewBatch makes a collapser: a batch is fetched when it has been open for
// wait, or has that many keys. A key that fetch does not answer is an error
// for those who asked for it alone.
func NewBatch[K comparable, V any](name string, wait time.Duration, most int, fetch func(context.Context, []K) (map[K]V, error)) *Batch[K, V] {
	b := &Batch[K, V]{name: name, fetch: fetch}
	b.Configure(wait, most)
	return b
}

// Configure changes the time and the size of a living collapser, from the next
// batch on.
func (b *Batch[K, V]) Configure(wait time.Duration, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wait, b.most = wait, max(1, most)
}

// Get tells the value of k. The batch's context has the values of the first
// who asked, and ends when all have given up.
func (b *Batch[K, V]) Get(ctx context.Context, k K) (V, error) {
	b.mu.Lock()
	b.counts.calls++
	o := b.open
	if o == nil {
		o = &batch[K, V]{asked: map[K]bool{}, done: make(chan struct{})}
		o.ctx, o.cancel = context.WithCancel(context.WithoutCancel(ctx))
		o.timer = time.AfterFunc(b.wait, func() { b.send(o) })
		b.open = o
	} else {
		b.counts.collapsed++
	}
	o.waiting++
	if !o.asked[k] {
		o.asked[k] = true
		o.keys = append(o.keys, k)
	}
	full := len(o.keys) >= b.most
	if full {
		b.open = nil // who comes now begins the next
	}
	b.mu.Unlock()
	if full && o.timer.Stop() {
		go b.send(o)
	}

	var zero V
	select {
	case <-o.done:
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		if o.waiting--; o.waiting == 0 {
			o.cancel()
			if b.open == o {
				b.open = nil // it is lost to whoever comes next
				o.timer.Stop()
			}
		}
		return zero, ctx.Err()
	}
	if o.err != nil {
		return zero, o.err
	}
	v, ok := o.answers[k]
	if !ok {
		return zero, fmt.Errorf("batch %q: no answer for %v", b.name, k)
	}
	return v, nil
}

func (b *Batch[K, V]) send(o *batch[K, V]) {
	b.mu.Lock()
	if b.open == o {
		b.open = nil
	}
	b.counts.batches++
	b.mu.Unlock()
	defer o.cancel()
	defer close(o.done)
	defer func() {
		if p := recover(); p != nil {
			o.err = &PanicError{Value: p, Stack: debug.Stack()}
		}
		if o.err != nil {
			b.mu.Lock()
			b.counts.failures++
			b.mu.Unlock()
			b.report(Event{Policy: "batch", Name: b.name, Decision: "failures", Err: o.err})
		}
	}()
	o.answers, o.err = b.fetch(o.ctx, o.keys)
}

// Snapshot tells the counts so far.
func (b *Batch[K, V]) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Snapshot{Policy: "batch", Name: b.name, Counts: map[string]uint64{
		"calls": b.counts.calls, "batches": b.counts.batches, "collapsed": b.counts.collapsed, "failures": b.counts.failures,
	}}
}
