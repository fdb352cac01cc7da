package stability

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// asked is one Get in the model.
type asked struct {
	key    int
	leaves time.Duration // when the caller gives up
	batch  *asking       // which it belongs to
}

// asking is a batch in the model.
type asking struct {
	keys   []int
	opened time.Duration
	sent   time.Duration // never: given up before
}

// Calls are collapsed as a list of them says: a batch is what came until the time
// was over or it was full; each caller gets the answer to its own key when it is
// there, and a batch that everybody left is not fetched.
func TestBatchAgainstModel(t *testing.T) {
	const wait, fetchTakes = 100 * time.Millisecond, 30 * time.Millisecond
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			pause  time.Duration
			key    int
			leaves time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 40 * time.Millisecond, 300 * time.Millisecond}).Draw(r, "pause"), rapid.IntRange(0, 5).Draw(r, "key"),
				rapid.SampledFrom([]time.Duration{time.Hour, time.Hour, time.Hour, 20*time.Millisecond + 7, 120*time.Millisecond + 7}).Draw(r, "leaves"),
			}
		}), 1, 40).Draw(r, "steps")
		most := rapid.IntRange(1, 4).Draw(r, "most")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			begin := now()
			var mu sync.Mutex
			var fetched []string
			b := NewBatch("x", wait, most, func(_ context.Context, keys []int) (map[int]string, error) {
				mu.Lock()
				fetched = append(fetched, fmt.Sprint(now()-begin, keys))
				mu.Unlock()
				time.Sleep(fetchTakes) // not elapse: several may be under way
				switch {
				case slices.Contains(keys, 0):
					return nil, errDown
				case slices.Contains(keys, 1):
					panic("boom")
				}
				answers := map[int]string{}
				for _, k := range keys {
					if k != 2 {
						answers[k] = fmt.Sprint("answer ", k)
					}
				}
				return answers, nil
			})

			// The model: who belongs to which batch, from the times alone.
			var all []*asked
			var batches []*asking
			var open *asking
			at := time.Duration(0)
			seal := func(until time.Duration) { // the open batch's time is over, or everybody left
				if open == nil {
					return
				}
				left := time.Duration(0)
				for _, a := range all {
					if a.batch == open {
						left = max(left, a.leaves)
					}
				}
				switch sends := open.opened + wait; {
				case left < min(sends, until):
					open.sent, open = never, nil
				case sends <= until:
					open.sent, open = sends, nil
				}
			}
			for _, s := range steps {
				at += s.pause
				seal(at)
				if open == nil {
					open = &asking{opened: at}
					batches = append(batches, open)
				}
				all = append(all, &asked{s.key, at + s.leaves, open})
				if !slices.Contains(open.keys, s.key) {
					open.keys = append(open.keys, s.key)
				}
				if len(open.keys) == most {
					open.sent, open = at, nil
				}
			}
			seal(never)
			var want []string
			for _, x := range batches {
				if x.sent < never {
					want = append(want, fmt.Sprint(x.sent, x.keys))
				}
			}
			got := make([]string, len(all))
			for i, s := range steps {
				elapse(s.pause)
				ctx, cancel := context.WithTimeout(context.Background(), s.leaves)
				go func() {
					defer cancel()
					v, err := b.Get(ctx, s.key)
					said := v
					switch panicked := (*PanicError)(nil); {
					case errors.As(err, &panicked):
						said = "panicked"
					case err == errDown, errors.Is(err, context.DeadlineExceeded):
						said = err.Error()
					case err != nil:
						said = "no answer"
					}
					got[i] = fmt.Sprint(said, " at ", now()-begin)
				}()
				synctest.Wait()
			}
			elapse(2 * time.Second)
			if !slices.Equal(fetched, want) {
				wrong = fmt.Sprintf("fetched %q, model %q", fetched, want)
				return
			}
			for i, a := range all {
				said, when := fmt.Sprint("answer ", a.key), a.batch.sent+fetchTakes
				switch {
				case a.leaves < when:
					said, when = context.DeadlineExceeded.Error(), a.leaves
				case slices.Contains(a.batch.keys, 0):
					said = errDown.Error()
				case slices.Contains(a.batch.keys, 1):
					said = "panicked"
				case a.key == 2:
					said = "no answer"
				}
				if model := fmt.Sprint(said, " at ", when); got[i] != model {
					wrong = fmt.Sprintf("call %d: %s, model %s", i, got[i], model)
					return
				}
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}
