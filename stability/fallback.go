package stability

import "context"

// Fallback does something else when a call failed or was refused. For calls
// that return a value see [CallOr].
//
// Counts: calls, fallback, failed (the fallback too).
type Fallback struct {
	reporter
	name    string
	instead func(context.Context, error) error
	counts  stripes
}

const (
	fallbackCalls = iota
	fallbackUsed
	fallbackFailed
)

// NewFallback makes a policy that answers the error of a call with instead. If
// that returns an error too, it is the call's. A caller that gave up gets its
// own error.
func NewFallback(name string, instead func(ctx context.Context, err error) error) *Fallback {
	return &Fallback{name: name, instead: instead, counts: newStripes()}
}

// Do makes the call, and what is to be done instead if it fails.
func (f *Fallback) Do(ctx context.Context, call func(context.Context) error) error {
	return f.around(ctx, next{call: call})
}

func (f *Fallback) around(ctx context.Context, n next) error {
	f.counts.add(fallbackCalls)
	err := n.do(ctx)
	if err == nil || callerGaveUp(ctx, err) {
		return err
	}
	f.counts.add(fallbackUsed)
	f.report(Event{Policy: "fallback", Name: f.name, Decision: "fallback", Err: err})
	if err = f.instead(ctx, err); err != nil {
		f.counts.add(fallbackFailed)
	}
	return err
}

// Snapshot tells the counts so far.
func (f *Fallback) Snapshot() Snapshot {
	return Snapshot{Policy: "fallback", Name: f.name, Counts: map[string]uint64{
		"calls": f.counts.sum(fallbackCalls), "fallback": f.counts.sum(fallbackUsed), "failed": f.counts.sum(fallbackFailed),
	}}
}
