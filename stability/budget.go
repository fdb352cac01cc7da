package stability

import "sync/atomic"

// Budget bounds retries to a share of calls, so that retries cannot multiply
// the load on a dependency that is already failing. It is a bucket: each call
// puts in ratio tokens, each retry takes one out. Several policies may share
// one.
type Budget struct {
	ratio, burst int64 // in thousandths of a token
	tokens       atomic.Int64
}

const token = 1000

// NewBudget makes a full bucket that holds burst tokens.
func NewBudget(ratio float64, burst int) *Budget {
	b := &Budget{ratio: int64(ratio * token), burst: int64(burst) * token}
	b.tokens.Store(b.burst)
	return b
}

func (b *Budget) deposit() {
	for {
		n := b.tokens.Load()
		if n >= b.burst || b.ratio <= 0 {
			return
		}
		if b.tokens.CompareAndSwap(n, min(b.burst, n+b.ratio)) {
			return
		}
	}
}

func (b *Budget) withdraw() bool {
	for {
		n := b.tokens.Load()
		if n < token {
			return false
		}
		if b.tokens.CompareAndSwap(n, n-token) {
			return true
		}
	}
}

// Left tells how many retries the budget pays for now.
func (b *Budget) Left() int { return int(b.tokens.Load() / token) }
