package timeline

import (
	"context"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// refillBatch is how many entries a follower reads from the store at once.
const refillBatch = 256

// follower walks the ledger forward, from memory when it keeps up and from the
// store when it does not. It is the one way entries reach anybody.
type follower struct {
	t      *Timeline
	filter Filter
	after  int64 // everything up to here was returned or does not match

	idle func(after int64) // told when there is nothing to do; may be nil
}

// next blocks until at least one entry matches and returns the matching ones in
// order. It returns an error when ctx ends or the store cannot be read.
func (f *follower) next(ctx context.Context) ([]Entry, error) {
	for {
		entries, complete, changed := f.t.recent.since(f.after)
		if complete {
			if found := f.take(entries); len(found) > 0 {
				return found, nil
			}
			if f.idle != nil {
				f.idle(f.after)
			}
			select {
			case <-changed:
				continue
			case <-time.After(safetyPoll):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		} else {
			f.t.metrics.refills.Inc()
		}
		found, err := f.refill(ctx)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
}

// take moves past entries and returns those that match.
func (f *follower) take(entries []Entry) (found []Entry) {
	for _, e := range entries {
		if f.filter.match(e) {
			found = append(found, e)
		}
		f.after = e.Seq
	}
	return found
}

// refill moves past one batch of the store.
func (f *follower) refill(ctx context.Context) (found []Entry, err error) {
	var head int64
	err = f.t.db.Read(ctx, func(tx *store.Tx) error {
		if head, err = readHead(ctx, tx); err != nil || head <= f.after {
			return err
		}
		where := f.filter.conditions()
		where.add("seq > ?", f.after)
		found, err = readEntries(ctx, tx, where, "seq", refillBatch)
		return err
	})
	if err != nil {
		return nil, err
	}
	f.t.recent.observe(head)
	if len(found) == refillBatch {
		head = found[refillBatch-1].Seq
	}
	f.after = max(f.after, head)
	return found, nil
}
