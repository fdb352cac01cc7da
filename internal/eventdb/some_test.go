package eventdb

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// endsAfter is a context that ends when it has been asked so many times.
type endsAfter struct {
	context.Context
	left *int
}

func (c endsAfter) Err() error {
	if *c.left--; *c.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// onePage is a page of events with some fields of text.
func onePage() *block {
	events := make([]event.Event, 100)
	for i := range events {
		for j := range 20 {
			events[i].Fields = append(events[i].Fields, event.Field{Name: fmt.Sprint("f", j), Value: event.String(fmt.Sprint("words ", i, " and ", i*j))})
		}
	}
	return memBlock(newPager().make(rowsOf((&batchEncoder{}).encode(events))))
}

// A query whose time is over ends within a block, which is not taken for damaged.
func TestTheLimitOfTimeHoldsWithinABlock(t *testing.T) {
	var of []event.Filter
	for i := range 60 {
		of = append(of, event.Regexp("*", fmt.Sprintf("x[0-9]+%d|words [0-9]*%d", i, i)))
	}
	for _, f := range []event.Filter{event.Some(50, of...), event.Or(of...), event.And(event.Not(event.Or(of...)))} {
		x := newExecution(&event.Query{Filter: f}, event.Limits{Rows: 1e9, Memory: 1e9}, []*block{onePage()})
		x.noteBad = func(_ *block, err error) { t.Errorf("%s: taken for damaged: %v", f.Op, err) }
		w, err := x.newWorker()
		if err != nil {
			t.Fatal(err)
		}
		x.memory = make([]atomic.Int64, 1)
		w.buffers = takeBuffers()
		left := 7
		if err := w.work(endsAfter{t.Context(), &left}, 0); !errors.Is(err, context.DeadlineExceeded) || len(w.warnings) > 0 {
			t.Errorf("%s: %v, %q", f.Op, err, w.warnings)
		}
		if left < -5 { // it goes on for no more than to find out
			t.Errorf("%s: worked on for %d pieces", f.Op, -left)
		}
		w.buffers.give()
	}
}

// Operands are no longer looked at when no row can have enough of them.
func TestSomeEndsWhenNoRowCanHaveEnough(t *testing.T) {
	of := []event.Filter{event.Contains("f1", "words"), event.Contains("f2", "words")}
	for range 10 {
		of = append(of, event.Contains("f3", "nowhere"))
	}
	for least, want := range map[int]int{9: 6, 4: 11, 2: 12} { // operands of 12 that are asked
		f, err := newFilter(event.Some(least, of...))
		if err != nil {
			t.Fatal(err)
		}
		asked := -1 // the whole is asked first
		l := &looking{block: onePage(), cost: &event.Cost{}, ended: func() error { asked++; return nil }}
		b, err := f.bits(l)
		if matched := b.count(); err != nil || asked != want || (matched == l.n) != (least == 2) {
			t.Errorf("at least %d: %d of %d events, asked %d of %d operands, want %d, %v", least, matched, l.n, asked, len(of), want, err)
		}
	}
}
