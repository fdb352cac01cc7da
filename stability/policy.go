package stability

import "context"

// Policy decides whether, when and how often a call is made.
//
// Do makes the call at most as often as the policy says and returns the error
// of the last one, or an error of its own when it refused the call (see
// [RejectedError]). Implementations are safe for concurrent use and start no
// goroutines.
type Policy interface {
	Do(ctx context.Context, call func(context.Context) error) error
}

// Compose makes one policy of several; the first is the outermost. Without
// any, the call is simply made.
func Compose(policies ...Policy) Policy { return chain(policies) }

type chain []Policy

func (c chain) Do(ctx context.Context, call func(context.Context) error) error {
	if len(c) == 0 {
		return call(ctx)
	}
	return c[0].Do(ctx, func(ctx context.Context) error { return c[1:].Do(ctx, call) })
}

// Call makes a call that also returns a value. After an error the value is
// that of the last attempt, or the zero value if none was made.
func Call[T any](ctx context.Context, p Policy, call func(context.Context) (T, error)) (T, error) {
	var v T
	err := p.Do(ctx, func(ctx context.Context) (err error) {
		v, err = call(ctx)
		return err
	})
	return v, err
}

// Snapshot is what a policy has decided since it was made.
type Snapshot struct {
	Policy string            // "breaker", "retry", "timeout" or "bulkhead"
	Name   string            // as given to the constructor
	State  string            // of a breaker: "closed", "open" or "half-open"; else empty
	Counts map[string]uint64 // decision → how often; the names are listed at each policy
}

// Observed is implemented by every policy of this package.
type Observed interface{ Snapshot() Snapshot }
