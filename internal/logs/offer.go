package logs

import (
	"context"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Bounds of what waits to be kept from senders that cannot be asked to wait:
// workloads of this process and datagrams.
const (
	maxOffered = 20_000
	batchSize  = 1000
	batchWait  = 200 * time.Millisecond
)

// offered is one event that waits.
type offered struct {
	door  string
	event event.Event
}

// Offer keeps a workload's line soon. It never waits: over the bound the line is
// dropped and counted.
func (l *Logs) Offer(e event.Event) { l.offer("workload", e) }

func (l *Logs) offer(door string, e event.Event) {
	select {
	case l.offers <- offered{door, e}:
	default:
		l.counts.Refused(door, "queue full", 1)
	}
}

// gather keeps what was offered, in batches, until ctx ends and nothing waits.
func (l *Logs) gather(ctx context.Context) {
	for {
		var batch []offered
		select {
		case <-ctx.Done():
			for len(l.offers) > 0 {
				batch = append(batch, <-l.offers)
			}
			l.keepBatch(context.WithoutCancel(ctx), batch)
			return
		case o := <-l.offers:
			batch = append(batch, o)
		}
		wait := time.NewTimer(batchWait)
		for full := false; !full; {
			select {
			case o := <-l.offers:
				batch = append(batch, o)
				full = len(batch) >= batchSize
			case <-wait.C:
				full = true
			case <-ctx.Done():
				full = true
			}
		}
		wait.Stop()
		l.keepBatch(ctx, batch)
	}
}

func (l *Logs) keepBatch(ctx context.Context, batch []offered) {
	if len(batch) == 0 {
		return
	}
	events := make([]event.Event, len(batch))
	doors := map[string]int{}
	for i, o := range batch {
		events[i] = o.event
		doors[o.door]++
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err := l.cfg.Events.Append(ctx, events)
	for door, n := range doors {
		if err != nil {
			l.counts.Refused(door, "store", n)
			continue
		}
		l.counts.Taken(door, n)
	}
	if err != nil {
		l.log.WarnContext(ctx, "lines were not kept", "lines", len(events), "error", err)
	}
}
