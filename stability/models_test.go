package stability

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// The tests here compare each policy that keeps state with a slow model that is
// obviously right, over random histories under a clock of their own. The breaker
// has its own file.

// waits are pauses between two steps; many are 0, so that steps pile up.
var waits = rapid.SampledFrom([]time.Duration{0, 0, 0, time.Millisecond, 40 * time.Millisecond, 99 * time.Millisecond, 100 * time.Millisecond, time.Second, 7 * time.Second})

// A call may begin if no stretch of time that ends with it then holds more calls
// than the burst and what the rate adds in that stretch; and only then.
func TestRateLimitAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		burst := rapid.IntRange(1, 5).Draw(r, "burst")
		perSecond := rapid.SampledFrom([]float64{0.5, 1, 10, 1000}).Draw(r, "rate")
		pauses := rapid.SliceOfN(waits, 1, 80).Draw(r, "pauses")
		every := time.Duration(float64(time.Second) / perSecond)
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			limit := NewRateLimit("x", perSecond, burst)
			var began []time.Duration
			for i, pause := range pauses {
				elapse(pause)
				at := now()
				may := true
				for j := range began {
					calls := len(began) - j + 1 // from began[j] to this one
					if at-began[j] < time.Duration(calls-burst)*every {
						may = false
					}
				}
				err := limit.Do(context.Background(), func(context.Context) error { return nil })
				if may != (err == nil) {
					wrong = fmt.Sprintf("call %d at %s: %v, model %t; began at %v", i, at, err, may, began)
					return
				}
				if err == nil {
					began = append(began, at)
				} else if rejected := new(RejectedError); !errors.As(err, &rejected) || rejected.RetryAfter <= 0 {
					wrong = fmt.Sprintf("call %d: no time to come back: %v", i, err)
					return
				}
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// Retries never exceed the burst and the share of calls, and are refused only
// when a bucket counted with fractions has no whole token.
func TestBudgetAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ratio := float64(rapid.IntRange(0, 1000).Draw(r, "thousandths")) / 1000
		burst := rapid.IntRange(0, 10).Draw(r, "burst")
		b := NewBudget(ratio, burst)
		tokens, calls, retries := float64(burst), 0, 0
		for range rapid.IntRange(1, 200).Draw(r, "steps") {
			if rapid.Bool().Draw(r, "call") {
				calls++
				tokens = min(float64(burst), tokens+ratio)
				b.deposit()
				continue
			}
			may := tokens >= 1-1e-9
			if got := b.withdraw(); got != may {
				r.Fatalf("retry %t, model %t with %f tokens", got, may, tokens)
			}
			if may {
				tokens--
				retries++
			}
			if float64(retries) > float64(burst)+ratio*float64(calls)+1e-6 {
				r.Fatalf("%d retries of %d calls", retries, calls)
			}
		}
	})
}

// caller is one call of a bulkhead in the model.
type caller struct {
	id       int
	priority Priority
	until    time.Duration // waits no longer
}

// Who is inside and who waits is who a list says: the more important first, among
// equals the first; a full queue sends the last of the least important away.
func TestBulkheadAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		places, queue := rapid.IntRange(1, 3).Draw(r, "places"), rapid.IntRange(0, 3).Draw(r, "queue")
		patience := rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond, time.Minute}).Draw(r, "patience")
		type step struct {
			enter    bool
			priority Priority
			pause    time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{rapid.IntRange(0, 2).Draw(r, "enter") > 0, rapid.SampledFrom([]Priority{Sheddable, Normal, Critical}).Draw(r, "priority"),
				rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 30 * time.Millisecond}).Draw(r, "pause")}
		}), 1, 40).Draw(r, "steps")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			b := NewBulkhead("x", places, MaxQueue(queue), MaxWait(patience))
			inside, refused, leave := map[int]bool{}, map[int]bool{}, map[int]chan struct{}{}
			events := make(chan func(), 1000)
			var in []int
			var waiting []caller
			gone := map[int]bool{}
			let := func() {
				for len(in) < places && len(waiting) > 0 {
					best := 0
					for i, c := range waiting {
						if c.priority > waiting[best].priority {
							best = i
						}
					}
					in = append(in, waiting[best].id)
					waiting = slices.Delete(waiting, best, best+1)
				}
			}
			arrive := func(c caller) {
				switch {
				case len(waiting) == 0 && len(in) < places:
					in = append(in, c.id)
				case patience == 0 || queue == 0:
					gone[c.id] = true
				case len(waiting) < queue:
					waiting = append(waiting, c)
				default:
					least := -1
					for i, w := range waiting {
						if w.priority < c.priority && (least < 0 || w.priority <= waiting[least].priority) {
							least = i
						}
					}
					if least < 0 {
						gone[c.id] = true
						return
					}
					gone[waiting[least].id] = true
					waiting = append(slices.Delete(waiting, least, least+1), c)
				}
			}
			settle := func() {
				synctest.Wait()
				for len(events) > 0 {
					(<-events)()
				}
			}
			for id, s := range steps {
				elapse(s.pause)
				for i := 0; i < len(waiting); { // patience ends
					if now() >= waiting[i].until {
						gone[waiting[i].id] = true
						waiting = slices.Delete(waiting, i, i+1)
					} else {
						i++
					}
				}
				if s.enter || len(in) == 0 {
					done := make(chan struct{})
					leave[id] = done
					arrive(caller{id, s.priority, now() + patience})
					go func() {
						err := b.Do(WithPriority(context.Background(), s.priority), func(context.Context) error {
							events <- func() { inside[id] = true }
							<-done
							return nil
						})
						events <- func() {
							delete(inside, id)
							if err != nil {
								refused[id] = true
							}
						}
					}()
				} else {
					out := in[0]
					in = in[1:]
					close(leave[out])
					delete(leave, out)
					let()
				}
				settle()
				for _, c := range in {
					if !inside[c] {
						wrong = fmt.Sprintf("step %d: %d is not inside; inside %v, model %v, waiting %v", id, c, inside, in, waiting)
					}
				}
				if len(inside) != len(in) || len(refused) != len(gone) || b.InFlight() != len(in) {
					wrong = fmt.Sprintf("step %d: inside %v, model %v; refused %v, model %v", id, inside, in, refused, gone)
				}
				if wrong != "" {
					break
				}
			}
			for _, done := range leave {
				close(done)
			}
			elapse(2 * time.Minute)
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// The share that is refused is that of the last twelve stretches of ten seconds,
// counted from a list of all calls.
func TestThrottleAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			pause  time.Duration
			refuse bool
			luck   float64
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, 11 * time.Second, time.Minute, 5 * time.Minute}).Draw(r, "pause"),
				rapid.Bool().Draw(r, "refuse"), rapid.Float64Range(0, 0.999).Draw(r, "luck")}
		}), 1, 100).Draw(r, "steps")
		k := rapid.SampledFrom([]float64{1, 1.5, 2}).Draw(r, "k")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			th := NewThrottle("x", K(k))
			type call struct {
				stretch  int64
				accepted bool
			}
			var calls []call
			for i, s := range steps {
				elapse(s.pause)
				stretch := int64(now() / (10 * time.Second))
				var requests, accepted float64
				for _, c := range calls {
					if stretch-c.stretch < 12 {
						requests++
						if c.accepted {
							accepted++
						}
					}
				}
				p := math.Max(0, (requests-k*accepted)/(requests+1))
				th.chance = func() float64 { return s.luck }
				sent := false
				_ = th.Do(context.Background(), func(context.Context) error {
					sent = true
					if s.refuse {
						return &StatusError{Code: 503}
					}
					return nil
				})
				if may := p <= 0 || s.luck >= p; may != sent {
					wrong = fmt.Sprintf("call %d: sent %t, model %t with %f against %f", i, sent, may, s.luck, p)
					return
				}
				calls = append(calls, call{stretch, sent && !s.refuse})
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// A backend gets no call while it is out, unless all are; no more than the share
// is out at once; failures in a row put one out, for as long as was said.
func TestBackendsAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(r, "backends")
		share := rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(r, "share")
		type step struct {
			pause time.Duration
			fail  bool
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, 10 * time.Second, 40 * time.Second}).Draw(r, "pause"), rapid.IntRange(0, 3).Draw(r, "fail") > 0}
		}), 1, 150).Draw(r, "steps")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			var urls []string
			for i := range n {
				urls = append(urls, fmt.Sprintf("http://b%d", i))
			}
			// No comparison of rates here: what is random there has tests of its own.
			b, err := NewBackends("x", urls, EjectAfter(3), EjectFor(10*time.Second, 25*time.Second), EjectAtMost(share), CompareEvery(time.Hour))
			if err != nil {
				wrong = err.Error()
				return
			}
			elapse(time.Second)
			until, row, times := map[string]time.Duration{}, map[string]int{}, map[string]int{}
			most := max(1, int(share*float64(n)))
			for i, s := range steps {
				elapse(s.pause)
				out := 0
				for _, u := range until {
					if now() < u {
						out++
					}
				}
				host := ""
				_ = b.Do(context.Background(), func(ctx context.Context) error {
					host = BackendOf(ctx).Host
					if s.fail {
						return errors.New("no")
					}
					return nil
				})
				if now() < until[host] && out < n {
					wrong = fmt.Sprintf("step %d: %s was called while it is out", i, host)
				}
				if row[host]++; !s.fail {
					row[host] = 0
				}
				if row[host] >= 3 && now() >= until[host] && out < most && n > 1 {
					times[host]++
					until[host] = now() + min(25*time.Second, 10*time.Second*time.Duration(times[host]))
					row[host] = 0
					out++
				}
				if got := int(b.Snapshot().Levels["out"]); got != out || got > most {
					wrong = fmt.Sprintf("step %d: %d are out, model %d, at most %d", i, got, out, most)
				}
				if wrong != "" {
					return
				}
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// At most one fetch of a key is under way; a fresh answer is not fetched again; a
// stale one is served only when the fetch failed; and there is room for all.
func TestFlightAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			pause time.Duration
			key   int
			fail  bool
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{rapid.SampledFrom([]time.Duration{0, time.Second, 4 * time.Second, 9 * time.Second, 40 * time.Second}).Draw(r, "pause"),
				rapid.IntRange(0, 3).Draw(r, "key"), rapid.Bool().Draw(r, "fail")}
		}), 1, 60).Draw(r, "steps")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			type answer struct {
				n  int
				at time.Duration
			}
			fetches, fail := 0, false
			f := NewFlight("x", 10*time.Second, 30*time.Second, 10, func(context.Context, int) (int, error) {
				fetches++
				if fail {
					return 0, errors.New("no")
				}
				return fetches, nil
			})
			last := map[int]answer{}
			for i, s := range steps {
				elapse(s.pause)
				fail = s.fail
				before := fetches
				got, err := f.Get(context.Background(), s.key)
				have, known := last[s.key]
				age := now() - have.at
				switch {
				case known && age < 10*time.Second:
					if err != nil || got != have.n || fetches != before {
						wrong = fmt.Sprintf("step %d: fresh, got %d, %v after %d fetches", i, got, err, fetches-before)
					}
				case fetches != before+1:
					wrong = fmt.Sprintf("step %d: %d fetches", i, fetches-before)
				case !s.fail:
					last[s.key] = answer{fetches, now()}
					if err != nil || got != fetches {
						wrong = fmt.Sprintf("step %d: got %d, %v", i, got, err)
					}
				case known && age < 40*time.Second:
					if err != nil || got != have.n {
						wrong = fmt.Sprintf("step %d: stale, got %d, %v", i, got, err)
					}
				case err == nil:
					wrong = fmt.Sprintf("step %d: %d although it failed and is too old", i, got)
				}
				if wrong != "" {
					return
				}
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// What is configured on a living policy is in force with its next call.
func TestConfigureLivingPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, ok, no := context.Background(), func(context.Context) error { return nil }, func(context.Context) error { return &StatusError{Code: 503} }

		a := NewAdaptive("x", LearnWith(NewVegas(10, 10)))
		a.Configure(LearnWith(NewVegas(1, 1)))
		if a.Limit() != 1 {
			t.Errorf("adaptive: limit %d", a.Limit())
		}

		th := NewThrottle("x", K(1000))
		th.chance = func() float64 { return 0 }
		for range 10 {
			_ = th.Do(ctx, no)
		}
		th.Configure(K(1))
		if err := th.Do(ctx, ok); !errors.Is(err, ErrThrottled) {
			t.Errorf("throttle: %v", err)
		}

		b, err := NewBackends("x", []string{"http://a", "http://b"})
		if err != nil {
			t.Fatal(err)
		}
		b.Configure(EjectAfter(1))
		_ = b.Do(ctx, no)
		if b.Snapshot().Levels["out"] != 1 {
			t.Error("backends: none is out")
		}

		s := NewShed("x", func() float64 { return 0.9 })
		s.Configure(ShedFrom(0.1, 0.2, 0.3))
		if err := s.Do(ctx, ok); !errors.Is(err, ErrShed) {
			t.Errorf("shed: %v", err)
		}

		ff := NewFailFast("x", 0)
		ff.Configure(0, func() error { return errDown })
		if err := ff.Do(ctx, ok); !errors.Is(err, ErrNotReady) {
			t.Errorf("fail fast: %v", err)
		}

		f := NewFlight("x", time.Hour, 0, 10, func(_ context.Context, k int) (int, error) { return k, nil })
		for k := range 10 {
			_, _ = f.Get(ctx, k)
		}
		f.Configure(0, 0, 3)
		if _, _ = f.Get(ctx, 0); f.Snapshot().Levels["entries"] > 3 || f.Snapshot().Counts["hits"] != 0 {
			t.Errorf("flight: %v", f.Snapshot())
		}

		batch := NewBatch("x", time.Hour, 10, func(_ context.Context, k []int) (map[int]int, error) { return map[int]int{k[0]: k[0]}, nil })
		batch.Configure(time.Hour, 1)
		if _, err := batch.Get(ctx, 1); err != nil { // would wait for an hour and for others
			t.Errorf("batch: %v", err)
		}

		sweeps, ends := 0, make(chan struct{})
		ctxJanitor, cancel := context.WithCancel(ctx)
		j := NewJanitor("x", time.Hour, func(context.Context) (int, error) { sweeps++; return 0, nil })
		j.Configure(time.Minute)
		go func() { _ = j.Run(ctxJanitor); close(ends) }()
		elapse(10 * time.Minute)
		cancel()
		<-ends
		if sweeps < 9 {
			t.Errorf("janitor: %d sweeps", sweeps)
		}

		h := NewHedge("x")
		h.Configure(AfterAtLeast(time.Second))
		if got := h.Snapshot().Levels["delay_seconds"]; got != 1 {
			t.Errorf("hedge: waits %g s", got)
		}
	})
}

// More keys than there is room for are fetched at once, but not kept.
func TestFlightKeepsToItsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		land := make(chan struct{})
		defer close(land)
		f := NewFlight("x", time.Hour, 0, 10, func(_ context.Context, k int) (int, error) { <-land; return k, nil })
		level := func() int { return int(f.Snapshot().Levels["entries"]) }
		for k := range 1000 {
			go func() {
				if got, err := f.Get(context.Background(), k); got != k || err != nil {
					t.Errorf("%d: %d, %v", k, got, err)
				}
			}()
		}
		synctest.Wait()
		if level() != 1000 {
			t.Fatalf("%d in flight", level())
		}
		for left := 999; left >= 0; left-- {
			land <- struct{}{}
			synctest.Wait()
			if got := level(); got != max(left, 10) {
				t.Fatalf("%d entries while %d are in flight", got, left)
			}
		}
		if f.Snapshot().Counts["evicted"] != 990 || f.flying != 0 {
			t.Errorf("%v, %d in flight", f.Snapshot(), f.flying)
		}

		ctx, cancel := context.WithCancel(context.Background())
		for k := range 100 { // nobody waits for their end
			go func() { _, _ = f.Get(ctx, 1000+k) }()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		go func() { _, _ = f.Get(context.Background(), 2000) }()
		synctest.Wait()
		if level() > 10 || f.flying != 1 {
			t.Errorf("%d entries, %d in flight", level(), f.flying)
		}
	})
}
