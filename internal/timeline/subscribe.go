package timeline

import "context"

// FromNow as afterSeq of Subscribe means: only what is committed from now on.
const FromNow = -1

// Subscription is a live feed of matching entries in Seq order, each exactly
// once. A slow reader slows only itself: what does not fit into C stays in the
// ledger and is read from there when the reader gets to it.
type Subscription struct {
	C <-chan Entry // closed by Close

	cancel context.CancelFunc
	done   chan struct{}
}

// Subscribe starts a feed of the entries after afterSeq (0: from the beginning,
// FromNow: new ones only) that f selects; Limit and Cursor play no part. Close it.
func (t *Timeline) Subscribe(f Filter, afterSeq int64) *Subscription {
	// A position beyond the end comes from another ledger: waiting for it would
	// lose what is appended until then.
	if head := t.Head(); afterSeq < 0 || afterSeq > head {
		afterSeq = head
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := make(chan Entry, 16)
	s := &Subscription{C: c, cancel: cancel, done: make(chan struct{})}
	t.metrics.subscribers.Inc()
	go func() {
		defer close(s.done)
		defer close(c)
		defer t.metrics.subscribers.Dec()
		t.feed(ctx, &follower{t: t, filter: f, after: afterSeq}, c)
	}()
	return s
}

// Close ends the feed and frees what it holds. It may be called more than once.
func (s *Subscription) Close() {
	s.cancel()
	<-s.done
}

func (t *Timeline) feed(ctx context.Context, f *follower, c chan<- Entry) {
	for failures := 0; ; {
		entries, err := f.next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			failures++
			t.log.Warn("timeline feed cannot read the store, trying again", "error", err, "failures", failures)
			if !pause(ctx, backoff(failures)) {
				return
			}
			continue
		}
		failures = 0
		for _, e := range entries {
			select {
			case c <- e:
			case <-ctx.Done():
				return
			}
		}
	}
}
