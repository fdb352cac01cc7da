package stability

import (
	"context"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Hedge makes a second attempt beside a call that takes longer than most, and
// returns whichever succeeds first; the other's context ends. It cuts the
// tail of a dependency whose slowness is bad luck ("The Tail at Scale"). What
// it may cost is bounded by a [Budget]: one call in ten by default.
//
// The call must be safe to make twice at once. [Transport] hedges only
// requests that may be repeated; results of [Call] are those of the attempt
// that won.
//
// Counts: calls, hedged, won (the second was first), unfunded.
// Levels: delay_seconds.
type Hedge struct {
	reporter
	name   string
	config atomic.Pointer[hedgeConfig]
	counts stripes

	mu    sync.Mutex
	times latencies
}

const (
	hedgeCalls = iota
	hedgeHedged
	hedgeWon
	hedgeUnfunded
)

type hedgeConfig struct {
	quantile float64
	least    time.Duration
	budget   *Budget
}

// HedgeOption changes a default of [NewHedge].
type HedgeOption func(*hedgeConfig)

// AfterQuantile waits as long as that share of calls takes before the second
// attempt. Default 0.95.
func AfterQuantile(q float64) HedgeOption {
	return func(c *hedgeConfig) { c.quantile = min(max(q, 0), 1) }
}

// AfterAtLeast is the shortest wait, also while too few calls are known to
// tell a quantile. Default 10 ms.
func AfterAtLeast(d time.Duration) HedgeOption { return func(c *hedgeConfig) { c.least = d } }

// HedgeBudget bounds second attempts. Default NewBudget(0.1, 10).
func HedgeBudget(b *Budget) HedgeOption { return func(c *hedgeConfig) { c.budget = b } }

// NewHedge makes a hedging policy.
func NewHedge(name string, opts ...HedgeOption) *Hedge {
	h := &Hedge{name: name, counts: newStripes()}
	h.config.Store(&hedgeConfig{quantile: 0.95, least: 10 * time.Millisecond, budget: NewBudget(0.1, 10)})
	h.Configure(opts...)
	return h
}

// Configure changes options of a living policy; those not named stay.
func (h *Hedge) Configure(opts ...HedgeOption) {
	c := *h.config.Load()
	for _, o := range opts {
		o(&c)
	}
	h.config.Store(&c)
}

// Do makes the call, and once more beside it if it takes long.
func (h *Hedge) Do(ctx context.Context, call func(context.Context) error) error {
	return h.around(ctx, next{call: call})
}

// attempt is one of the two.
type attempt struct {
	second bool
	next   next
	cancel context.CancelFunc
	err    error
}

func (h *Hedge) around(ctx context.Context, n next) error {
	h.counts.add(hedgeCalls)
	budget := h.config.Load().budget
	budget.deposit()
	first := n
	if n.target != nil {
		if first.target = n.target.fork(); first.target == nil {
			return n.do(ctx)
		}
	}
	begin := now()
	ended := make(chan *attempt, 2)
	a := launch(ctx, first, false, ended)
	timer := time.NewTimer(h.delay())
	defer timer.Stop()
	select {
	case <-ended:
		return h.finish(a, nil, n, begin, ended)
	case <-ctx.Done():
		a.cancel()
		<-ended
		return h.finish(a, nil, n, begin, ended)
	case <-timer.C:
	}
	if !budget.withdraw() {
		h.counts.add(hedgeUnfunded)
		<-ended
		return h.finish(a, nil, n, begin, ended)
	}
	h.counts.add(hedgeHedged)
	h.report(Event{Policy: "hedge", Name: h.name, Decision: "hedged"})
	again := n
	if n.target != nil {
		again.target = n.target.fork()
	}
	b := launch(ctx, again, true, ended)
	won := <-ended
	other := a
	if won == a {
		other = b
	}
	if won.err != nil { // it lost: what the other says counts
		won.cancel()
		won, other = other, won
		<-ended
		return h.finish(won, nil, n, begin, ended)
	}
	return h.finish(won, other, n, begin, ended)
}

func launch(ctx context.Context, n next, second bool, ended chan<- *attempt) *attempt {
	ctx, cancel := context.WithCancel(ctx)
	a := &attempt{second: second, next: n, cancel: cancel}
	go func() {
		defer func() {
			if p := recover(); p != nil {
				a.err = &PanicError{Value: p, Stack: debug.Stack()}
			}
			ended <- a
		}()
		a.err = n.do(ctx)
	}()
	return a
}

// finish takes the winner's result over. A loser still on its way is
// canceled, and what it brings is thrown away.
func (h *Hedge) finish(won, running *attempt, n next, begin time.Duration, ended <-chan *attempt) error {
	if running != nil {
		running.cancel()
		go func() {
			if late := <-ended; late.next.target != nil {
				late.next.target.discard()
			}
		}()
	}
	if n.target == nil {
		won.cancel()
	} else {
		n.target.adopt(won.next.target)
		n.target.whenConsumed(won.cancel)
	}
	if won.second && won.err == nil {
		h.counts.add(hedgeWon)
	}
	if won.err == nil {
		h.mu.Lock()
		h.times.add(now() - begin)
		h.mu.Unlock()
	}
	return won.err
}

func (h *Hedge) delay() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.config.Load()
	return max(c.least, h.times.quantile(c.quantile))
}

// Snapshot tells the counts so far and the delay.
func (h *Hedge) Snapshot() Snapshot {
	return Snapshot{Policy: "hedge", Name: h.name, Counts: map[string]uint64{
		"calls": h.counts.sum(hedgeCalls), "hedged": h.counts.sum(hedgeHedged),
		"won": h.counts.sum(hedgeWon), "unfunded": h.counts.sum(hedgeUnfunded),
	}, Levels: map[string]float64{"delay_seconds": h.delay().Seconds()}}
}

// latencies is a histogram with eight buckets to each doubling, from 1 µs. It
// forgets: at two thousand calls every bucket is halved.
type latencies struct {
	buckets [latencyBuckets]uint32
	n       uint32
}

const latencyBuckets = 256

// latencyBucket is the bucket that a time is counted in.
func latencyBucket(d time.Duration) int {
	us := max(1, float64(d)/float64(time.Microsecond))
	return min(int(8*math.Log2(us)), latencyBuckets-1)
}

// latencyBound is what the times in a bucket are below.
func latencyBound(bucket int) time.Duration {
	return time.Duration(math.Exp2(float64(bucket+1)/8) * float64(time.Microsecond))
}

func (l *latencies) add(d time.Duration) {
	l.buckets[latencyBucket(d)]++
	if l.n++; l.n >= 2000 {
		l.n = 0
		for i := range l.buckets {
			l.buckets[i] /= 2
			l.n += l.buckets[i]
		}
	}
}

// quantile is an upper bound at most 9 % too high; 0 for fewer than 20 calls.
func (l *latencies) quantile(q float64) time.Duration {
	if l.n < 20 {
		return 0
	}
	rest := uint32(math.Ceil(q * float64(l.n)))
	for i, n := range l.buckets {
		if n >= rest {
			return latencyBound(i)
		}
		rest -= n
	}
	return 0
}
