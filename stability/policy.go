package stability

import "context"

// Policy decides whether, when and how often a call is made.
//
// Do makes the call at most as often as the policy says and returns the error
// of the last one, or an error of its own when it refused the call (see
// [RejectedError]). Implementations are safe for concurrent use and, but for
// [Hedge], start no goroutines.
type Policy interface {
	Do(ctx context.Context, call func(context.Context) error) error
}

// Compose makes one policy of several; the first is the outermost. Without
// any, the call is simply made.
//
// Policies of this package compose without an allocation a call; others cost
// one closure each.
func Compose(policies ...Policy) Policy {
	c := make(chain, 0, len(policies))
	for _, p := range policies {
		switch p := p.(type) {
		case chain:
			c = append(c, p...)
		case layer:
			c = append(c, p)
		default:
			c = append(c, foreign{p})
		}
	}
	return c
}

// Policies lists what p consists of, outermost first.
func Policies(p Policy) []Policy {
	c, ok := p.(chain)
	if !ok {
		return []Policy{p}
	}
	all := make([]Policy, len(c))
	for i, l := range c {
		all[i] = l
		if f, ok := l.(foreign); ok {
			all[i] = f.Policy
		}
	}
	return all
}

// Call makes a call that also returns a value. After an error the value is
// that of the last attempt, or the zero value if none was made.
func Call[T any](ctx context.Context, p Policy, call func(context.Context) (T, error)) (T, error) {
	v := &value[T]{call: call}
	err := run(ctx, p, v)
	return v.v, err
}

// CallOr is [Call] with something else to return when the call failed or was
// refused: a cached value, a default, a second source. A caller that gave up
// gets its own error, and or is not asked.
func CallOr[T any](ctx context.Context, p Policy, call func(context.Context) (T, error), or func(context.Context, error) (T, error)) (T, error) {
	v, err := Call(ctx, p, call)
	if err == nil || ctx.Err() != nil {
		return v, err
	}
	return or(ctx, err)
}

// layer is a policy of this package: it goes around the rest of a chain
// without a closure.
type layer interface {
	Policy
	around(ctx context.Context, next next) error
}

type chain []layer

func (c chain) Do(ctx context.Context, call func(context.Context) error) error {
	return next{rest: c, call: call}.do(ctx)
}

func (c chain) around(ctx context.Context, n next) error {
	return next{rest: append(c[:len(c):len(c)], n.rest...), call: n.call, target: n.target}.do(ctx)
}

// foreign is a policy of somebody else.
type foreign struct{ Policy }

func (f foreign) around(ctx context.Context, n next) error { return f.Do(ctx, n.do) }

// next is what a layer goes around: the layers further in, and in the end
// either a bare call or a target.
type next struct {
	rest   []layer
	call   func(context.Context) error
	target target
}

func (n next) do(ctx context.Context) error {
	if len(n.rest) > 0 {
		return n.rest[0].around(ctx, next{n.rest[1:], n.call, n.target})
	}
	if n.target != nil {
		return n.target.attempt(ctx)
	}
	return n.call(ctx)
}

// target is a call whose result is more than an error.
type target interface {
	attempt(ctx context.Context) error
	// fork makes a target for an attempt beside this one; nil if two at once
	// are not safe.
	fork() target
	// adopt takes the result of a fork over.
	adopt(fork target)
	// discard throws a result away.
	discard()
	whenConsumed(release func())
}

func run(ctx context.Context, p Policy, t target) error {
	if l, ok := p.(layer); ok {
		return l.around(ctx, next{target: t})
	}
	return p.Do(ctx, t.attempt)
}

// value is the target of [Call].
type value[T any] struct {
	call func(context.Context) (T, error)
	v    T
}

func (t *value[T]) attempt(ctx context.Context) (err error) {
	t.v, err = t.call(ctx)
	return err
}

func (t *value[T]) fork() target          { return &value[T]{call: t.call} }
func (t *value[T]) adopt(fork target)     { t.v = fork.(*value[T]).v }
func (t *value[T]) discard()              {}
func (t *value[T]) whenConsumed(f func()) { f() }
