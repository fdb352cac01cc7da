package stability

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// hedgeCall is how the two attempts of a call end, if nothing ends them sooner.
type hedgeCall struct {
	takes  [2]time.Duration
	errs   [2]error
	leaves time.Duration // when the caller gives up; 0: never
}

const never = time.Duration(1 << 62)

// outcome is what a call has to return and when, if its second attempt began
// after that long.
func (c hedgeCall) outcome(second time.Duration) (at time.Duration, err error) {
	leaves := never
	if c.leaves > 0 {
		leaves = c.leaves
	}
	ends := [2]time.Duration{c.takes[0], never}
	if second < never {
		ends[1] = second + c.takes[1]
	}
	first, other := 0, 1
	if ends[1] < ends[0] {
		first, other = 1, 0
	}
	if c.errs[first] != nil && ends[other] < never {
		first = other
		ends[first] = max(ends[0], ends[1])
	}
	if leaves < ends[first] {
		return leaves, context.Canceled
	}
	return ends[first], c.errs[first]
}

// The second attempt comes after as long as the wanted share of calls took, as
// told from a list of them all; the first success counts, the other attempt is
// canceled then, and the budget pays.
func TestHedgeAgainstModel(t *testing.T) {
	quick := []time.Duration{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond, 5 * time.Millisecond, 8 * time.Millisecond}
	slow := []time.Duration{21 * time.Millisecond, 55 * time.Millisecond, 144 * time.Millisecond, 377 * time.Millisecond}
	rapid.Check(t, func(r *rapid.T) {
		q := rapid.SampledFrom([]float64{0.5, 0.9, 1}).Draw(r, "quantile")
		least := rapid.SampledFrom([]time.Duration{0, 10 * time.Millisecond, 60 * time.Millisecond}).Draw(r, "least")
		ratio, burst := rapid.SampledFrom([]int{0, 100, 1000}).Draw(r, "ratio"), rapid.IntRange(0, 8).Draw(r, "burst")
		calls := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) hedgeCall {
			// A few microseconds keep any two of these times apart.
			return hedgeCall{
				takes: [2]time.Duration{
					rapid.SampledFrom(append(quick, slow...)).Draw(r, "first"),
					rapid.SampledFrom(append(quick, slow...)).Draw(r, "second") + 13*time.Microsecond,
				},
				errs:   [2]error{rapid.SampledFrom([]error{nil, nil, nil, errDown}).Draw(r, "end"), rapid.SampledFrom([]error{nil, nil, errOther}).Draw(r, "second end")},
				leaves: rapid.SampledFrom([]time.Duration{0, 0, 0, 4*time.Millisecond + 7*time.Microsecond, 70*time.Millisecond + 7*time.Microsecond}).Draw(r, "leaves"),
			}
		}), rapid.SampledFrom([]int{1, 50}).Draw(r, "calls at least"), 90).Draw(r, "calls") // 20 must succeed before the delay is learned
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			budget := NewBudget(float64(ratio)/1000, burst)
			h := NewHedge("x", AfterQuantile(q), AfterAtLeast(least), HedgeBudget(budget))
			tokens := burst * 1000
			var took []time.Duration // of the calls that succeeded
			for i, c := range calls {
				tokens = min(burst*1000, tokens+ratio)
				low, high := least, least
				if n := len(took); n >= 20 {
					slices.Sort(took)
					exact := took[int(math.Ceil(q*float64(n)))-1]
					low, high = max(low, exact), max(high, time.Duration(float64(exact)*math.Exp2(1.0/8))+1)
				}
				ctx, cancel := context.WithCancel(context.Background())
				if c.leaves > 0 {
					time.AfterFunc(c.leaves, cancel)
				}
				var mu sync.Mutex
				var began []time.Duration
				canceled := [2]time.Duration{never, never}
				begin, before := now(), h.Snapshot().Counts
				err := h.Do(ctx, func(ctx context.Context) error {
					mu.Lock()
					me := len(began)
					began = append(began, now()-begin)
					mu.Unlock()
					if sleep(ctx, c.takes[me]) {
						return c.errs[me]
					}
					mu.Lock()
					canceled[me] = now() - begin
					mu.Unlock()
					return ctx.Err()
				})
				at := now() - begin
				after := h.Snapshot().Counts
				elapse(time.Second)
				cancel()
				second, alone := never, min(c.takes[0], never)
				if c.leaves > 0 {
					alone = min(alone, c.leaves)
				}
				switch {
				case len(began) == 2:
					second = began[1]
					if second < low || second > high || tokens < 1000 {
						wrong = fmt.Sprintf("second attempt after %v, model %v to %v; %d tokens", second, low, high, tokens)
					}
					tokens -= 1000
				case after["unfunded"] > before["unfunded"]:
					if tokens >= 1000 || alone < low {
						wrong = fmt.Sprintf("no second attempt with %d tokens after %v, model %v", tokens, alone, low)
					}
				case alone > high:
					wrong = fmt.Sprintf("no second attempt within %v, model %v", alone, high)
				}
				wantAt, wantErr := c.outcome(second)
				if wrong == "" && (!errors.Is(err, wantErr) || at != wantAt) {
					wrong = fmt.Sprintf("%v after %v, model %v after %v", err, at, wantErr, wantAt)
				}
				for me := range began { // whoever had not ended is canceled when the call ends
					if end := began[me] + c.takes[me]; wrong == "" && end > wantAt && canceled[me] != wantAt {
						wrong = fmt.Sprintf("attempt %d canceled at %v, model %v", me+1, canceled[me], wantAt)
					}
				}
				if wrong == "" && int(budget.tokens.Load()) != tokens {
					wrong = fmt.Sprintf("%d tokens, model %d", budget.tokens.Load(), tokens)
				}
				if wrong != "" {
					wrong = fmt.Sprintf("call %d %+v: %s", i, c, wrong)
					return
				}
				if err == nil {
					took = append(took, at)
				}
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// The histogram's quantile is that of a list in which each call weighs half as
// much for every halving since, and at most 9 % too high.
func TestLatenciesAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var l latencies
		n := rapid.IntRange(1, 6000).Draw(r, "calls")
		scale := rapid.Float64Range(1, 1e6).Draw(r, "scale")
		counts := map[int]int{} // by power of 2^(1/8) microseconds
		total := 0
		for i := range n {
			us := scale * (1 + float64(i*i%97))
			l.add(time.Duration(us * float64(time.Microsecond)))
			counts[int(math.Floor(8*math.Log2(float64(time.Duration(us*float64(time.Microsecond)))/1000)))]++
			if total++; total == 2000 {
				total = 0
				for k := range counts {
					counts[k] /= 2
					total += counts[k]
				}
			}
		}
		q := rapid.SampledFrom([]float64{0.01, 0.5, 0.95, 1}).Draw(r, "quantile")
		got := l.quantile(q)
		if total < 20 {
			if got != 0 {
				r.Fatalf("%v of %d calls", got, total)
			}
			return
		}
		var keys []int
		for k := range counts {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		seen := 0
		for _, k := range keys {
			if seen += counts[k]; float64(seen) >= q*float64(total) {
				if want := time.Duration(math.Exp2(float64(k+1)/8) * 1000); got != want {
					r.Fatalf("quantile %g of %d: %v, model %v", q, total, got, want)
				}
				return
			}
		}
	})
}
