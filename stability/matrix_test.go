package stability

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// everyPolicy makes one of each that lets a plain call pass.
func everyPolicy() map[string]Policy {
	backends, err := NewBackends("x", []string{"http://a", "http://b"})
	if err != nil {
		panic(err)
	}
	return map[string]Policy{
		"breaker": NewBreaker("x"), "bulkhead": NewBulkhead("x", 100), "timeout": NewTimeout("x", time.Minute),
		"retry": NewRetry("x", Backoff(1, 1)), "rate limit": NewRateLimit("x", 1e9, 1000), "adaptive": NewAdaptive("x"),
		"shed": NewShed("x", func() float64 { return 0 }), "throttle": NewThrottle("x"),
		"hedge": NewHedge("x", AfterAtLeast(time.Minute)), "fallback": NewFallback("x", func(_ context.Context, err error) error { return err }),
		"fail fast": NewFailFast("x", 0), "handshake": NewHandshake("x"), "backends": backends,
	}
}

// TestCompositionMatrix puts every policy around every other: a value comes
// back, an error comes back, a caller that gives up is no failure, a panic
// goes on (or is told), and nothing is left held.
func TestCompositionMatrix(t *testing.T) {
	for outer := range everyPolicy() {
		for inner := range everyPolicy() {
			t.Run(outer+" around "+inner, func(t *testing.T) {
				a, b := everyPolicy()[outer], everyPolicy()[inner]
				p := Compose(a, b)
				if v, err := Call(t.Context(), p, func(context.Context) (int, error) { return 42, nil }); v != 42 || err != nil {
					t.Errorf("value: %d, %v", v, err)
				}
				if _, err := Call(t.Context(), p, func(context.Context) (int, error) { return 0, errDown }); !errors.Is(err, errDown) {
					t.Errorf("error: %v", err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := p.Do(ctx, func(ctx context.Context) error { return ctx.Err() }); !errors.Is(err, context.Canceled) {
					t.Errorf("caller gave up: %v", err)
				}
				func() {
					defer func() { _ = recover() }()
					err := p.Do(t.Context(), func(context.Context) error { panic("boom") })
					if !errors.As(err, new(*PanicError)) {
						t.Errorf("a panic became %v", err)
					}
				}()
				if v, err := Call(t.Context(), p, func(context.Context) (int, error) { return 43, nil }); v != 43 || err != nil {
					t.Errorf("afterwards: %d, %v", v, err)
				}
				for _, x := range []Policy{a, b} {
					for _, level := range []string{"in_flight", "waiting"} {
						if n := x.(Observed).Snapshot().Levels[level]; n != 0 {
							t.Errorf("%s is left with %v %s", x.(Observed).Snapshot().Policy, n, level)
						}
					}
				}
			})
		}
	}
}

// TestMatrixIsComplete: every type of this package that goes around a call is in
// the matrix.
func TestMatrixIsComplete(t *testing.T) {
	in := map[string]bool{"chain": true, "foreign": true} // what Compose makes
	for _, p := range everyPolicy() {
		in[reflect.TypeOf(p).Elem().Name()] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "around" {
				continue
			}
			found++
			receiver := f.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if policy := fmt.Sprint(receiver); !in[policy] {
				t.Errorf("%s is not in everyPolicy", policy)
			}
		}
	}
	if found != len(in) {
		t.Errorf("%d policies in the source, %d in the matrix", found, len(in))
	}
}

// tracing is a policy of somebody else.
type tracing struct{ log *[]string }

func (p tracing) Do(ctx context.Context, call func(context.Context) error) error {
	*p.log = append(*p.log, "in")
	defer func() { *p.log = append(*p.log, "out") }()
	return call(ctx)
}

func TestComposeTakesPoliciesOfOthers(t *testing.T) {
	var log []string
	p := Compose(NewRetry("x", Attempts(2), Backoff(1, 1)), Compose(tracing{&log}, NewBreaker("x")))
	_ = p.Do(t.Context(), fail)
	if fmt.Sprint(log) != "[in out in out]" || len(Policies(p)) != 3 {
		t.Fatal(log, Policies(p))
	}
}

func TestBulkheadServesTheImportantFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBulkhead("x", 1, MaxWait(time.Minute), MaxQueue(2))
		var mu sync.Mutex
		var order []string
		call := func(name string, p Priority) {
			err := b.Do(WithPriority(t.Context(), p), func(context.Context) error {
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				time.Sleep(time.Second)
				return nil
			})
			if err != nil {
				mu.Lock()
				order = append(order, name+" refused")
				mu.Unlock()
			}
		}
		for _, c := range []struct {
			name string
			p    Priority
		}{{"first", Normal}, {"crawler", Sheddable}, {"user", Normal}, {"login", Critical}, {"another user", Normal}} {
			go call(c.name, c.p)
			synctest.Wait()
		}
		elapse(time.Minute)
		if got := strings.Join(order, ", "); got != "first, crawler refused, another user refused, login, user" {
			t.Fatal(got)
		}
	})
}

// TestBulkheadNeverExceedsItsPlaces under stress, with waiting, giving up and
// changing limits.
func TestBulkheadNeverExceedsItsPlaces(t *testing.T) {
	b := NewBulkhead("x", 3, MaxWait(time.Millisecond), MaxQueue(4))
	var in, most atomic.Int64
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			for range 300 {
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Microsecond)
				_ = b.Do(ctx, func(context.Context) error {
					n := in.Add(1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					}
					runtime.Gosched()
					in.Add(-1)
					return nil
				})
				cancel()
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 || b.InFlight() != 0 || b.gate.waiting.Load() != 0 {
		t.Fatalf("%d at once; left: %d in flight, %d waiting", most.Load(), b.InFlight(), b.gate.waiting.Load())
	}
}

func TestDeadlineContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		d := newDeadline(parent, time.Second, nil)
		child, stop := context.WithCancel(d)
		defer stop()
		if d.Err() != nil || child.Err() != nil {
			t.Fatal("ended too soon")
		}
		elapse(time.Second)
		if d.Err() != context.DeadlineExceeded || child.Err() != context.DeadlineExceeded || context.Cause(child) != context.DeadlineExceeded {
			t.Fatal(d.Err(), child.Err(), context.Cause(child))
		}
		d = newDeadline(parent, time.Second, nil)
		done := d.Done()
		cancel()
		<-done
		if d.Err() != context.Canceled || d.passed() {
			t.Fatal(d.Err())
		}
		unasked := newDeadline(t.Context(), time.Second, nil)
		elapse(time.Second)
		select {
		case <-unasked.Done():
		default:
			synctest.Wait()
			<-unasked.Done()
		}
		if unasked.Err() != context.DeadlineExceeded {
			t.Fatal(unasked.Err())
		}
	})
}

// TestRateLimitAgainstModel: in any second at most rate + burst calls begin,
// and a patient caller gets the whole rate.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRateLimit("x", 10, 5)
		n := 0
		for range 100 {
			if r.Do(t.Context(), succeed) == nil {
				n++
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n != 14 && n != 15 { // the burst and ten a second
			t.Fatalf("%d calls in a second", n)
		}
		err := r.Do(t.Context(), succeed)
		if rejected := (*RejectedError)(nil); err != nil && (!errors.As(err, &rejected) || rejected.RetryAfter <= 0) {
			t.Fatal(err)
		}
		governor := NewRateLimit("y", 2, 1, Pace(time.Minute))
		began := time.Now()
		for range 5 {
			if err := governor.Do(t.Context(), succeed); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Fatalf("five calls at two a second took %v", took)
		}
	})
}

// server is a simulated dependency: places work at once, the rest queues.
type server struct {
	places chan struct{}
	takes  time.Duration
}

func (s *server) call(ctx context.Context) error {
	s.places <- struct{}{}
	defer func() { <-s.places }()
	time.Sleep(s.takes)
	return nil
}

func TestAdaptiveFindsTheLimit(t *testing.T) {
	for name, learner := range map[string]LimitLearner{"gradient2": NewGradient2(20, 1, 1000), "vegas": NewVegas(20, 1000)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{make(chan struct{}, 10), 10 * time.Millisecond}
				a := NewAdaptive("x", LearnWith(learner))
				for range 150 { // alone: how long it takes unloaded
					_ = a.Do(t.Context(), s.call)
				}
				var wg sync.WaitGroup
				for range 60 {
					wg.Go(func() {
						for range 100 {
							if a.Do(t.Context(), s.call) != nil {
								time.Sleep(10 * time.Millisecond)
							}
						}
					})
				}
				wg.Wait()
				if limit := a.Limit(); limit < 8 || limit > 45 {
					t.Errorf("ten places, but the limit became %d", limit)
				}
			})
		})
	}
}

func TestAdaptiveShedsByPriority(t *testing.T) {
	a := NewAdaptive("x", LearnWith(NewGradient2(10, 10, 10)))
	in := 0
	var nest func(p Priority)
	nest = func(p Priority) {
		_ = a.Do(WithPriority(t.Context(), p), func(context.Context) error { in++; nest(p); return nil })
	}
	for p, want := range map[Priority]int{Sheddable: 8, Normal: 10, Critical: 12} {
		in = 0
		if nest(p); in != want {
			t.Errorf("%v: %d of 10 places, want %d", p, in, want)
		}
	}
}

func TestShedRefusesAGrowingShare(t *testing.T) {
	load := 0.0
	s := NewShed("x", func() float64 { return load })
	for _, c := range []struct {
		load float64
		p    Priority
		want int // of 1000
	}{{0.5, Sheddable, 0}, {0.83, Sheddable, 300}, {0.83, Normal, 0}, {1, Sheddable, 1000}, {1, Normal, 500}, {1.1, Critical, 0}, {2, Critical, 1000}} {
		load = c.load
		n := 0
		times(1000, func() {
			if errors.Is(s.Do(WithPriority(t.Context(), c.p), succeed), ErrShed) {
				n++
			}
		})
		if n < c.want-2 || n > c.want+2 {
			t.Errorf("load %v, %v: %d of 1000 refused, want %d", c.load, c.p, n, c.want)
		}
	}
}

func TestThrottleFollowsTheFormula(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := NewThrottle("x")
		draw := 0.999
		th.chance = func() float64 { return draw }
		refuse := func(context.Context) error { return &StatusError{Code: 503} }
		times(10, func() { _ = th.Do(t.Context(), succeed) })
		times(30, func() { _ = th.Do(t.Context(), refuse) })
		// 40 calls, 10 accepted: (40 - 2·10) / 41
		if p := th.Snapshot().Levels["rejection_probability"]; p != 20.0/41 {
			t.Fatal(p)
		}
		draw = 0.1
		if err := th.Do(t.Context(), succeed); !errors.Is(err, ErrThrottled) {
			t.Fatal(err)
		}
		elapse(2 * time.Minute)
		if p := th.Snapshot().Levels["rejection_probability"]; p != 0 {
			t.Fatal("it does not forget:", p)
		}
	})
}

func TestHedgeReturnsTheFaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHedge("x", AfterAtLeast(10*time.Millisecond), HedgeBudget(NewBudget(0, 1)))
		var n atomic.Int32
		canceled := make(chan struct{})
		v, err := Call(t.Context(), h, func(ctx context.Context) (int32, error) {
			me := n.Add(1)
			if me == 1 {
				<-ctx.Done()
				close(canceled)
				return 0, ctx.Err()
			}
			return me, nil
		})
		<-canceled
		if v != 2 || err != nil || h.Snapshot().Counts["won"] != 1 {
			t.Fatal(v, err, h.Snapshot())
		}
		began := time.Now()
		err = h.Do(t.Context(), func(context.Context) error { time.Sleep(time.Second); return nil })
		if err != nil || time.Since(began) != time.Second || h.Snapshot().Counts["unfunded"] != 1 {
			t.Fatal("without budget there is one attempt:", err, h.Snapshot())
		}
	})
}

func TestLatenciesQuantile(t *testing.T) {
	var l latencies
	for i := range 1000 {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.95: 950 * time.Millisecond, 0.99: 990 * time.Millisecond} {
		if got := l.quantile(q); got < want || got > want*110/100 {
			t.Errorf("quantile %v: %v, want about %v", q, got, want)
		}
	}
}

func TestFallbackAndCallOr(t *testing.T) {
	f := NewFallback("x", func(_ context.Context, err error) error { return nil })
	if err := f.Do(t.Context(), fail); err != nil || f.Snapshot().Counts["fallback"] != 1 {
		t.Fatal(err, f.Snapshot())
	}
	v, err := CallOr(t.Context(), NewBreaker("x"), func(context.Context) (string, error) { return "", errDown },
		func(_ context.Context, err error) (string, error) { return "cached, for " + err.Error(), nil })
	if v != "cached, for down" || err != nil {
		t.Fatal(v, err)
	}
}

func TestFailFast(t *testing.T) {
	ready := errors.New("cache is cold")
	f := NewFailFast("x", time.Second, func() error { return ready })
	if err := f.Do(t.Context(), succeed); !errors.Is(err, ErrNotReady) {
		t.Fatal(err)
	}
	ready = nil
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := f.Do(short, succeed); !errors.Is(err, ErrNoTime) {
		t.Fatal(err)
	}
	if err := f.Do(t.Context(), succeed); err != nil {
		t.Fatal(err)
	}
}

func TestFlightFetchesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := false
		var fetches atomic.Int32
		f := NewFlight("prices", time.Second, time.Minute, 10, func(_ context.Context, k string) (string, error) {
			time.Sleep(100 * time.Millisecond)
			n := fetches.Add(1)
			if down {
				return "", errDown
			}
			return fmt.Sprint(k, n), nil
		})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if v, err := f.Get(t.Context(), "a"); v != "a1" || err != nil {
					t.Error(v, err)
				}
			})
		}
		wg.Wait()
		down = true
		elapse(2 * time.Second)
		if v, err := f.Get(t.Context(), "a"); v != "a1" || err != nil {
			t.Error("a stale answer is better than none:", v, err)
		}
		elapse(2 * time.Minute)
		if _, err := f.Get(t.Context(), "a"); err != errDown {
			t.Error(err)
		}
		if n, _ := f.Sweep(t.Context()); n != 1 || f.Snapshot().Levels["entries"] != 0 {
			t.Error(n, f.Snapshot())
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Get(gone, "b"); err != context.Canceled {
			t.Error(err)
		}
		elapse(time.Second)
		if e := f.Snapshot().Levels["entries"]; e != 0 {
			t.Error("an abandoned fetch is left:", e)
		}
	})
}

func TestBatchCollapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBatch("users", 10*time.Millisecond, 3, func(_ context.Context, keys []int) (map[int]string, error) {
			out := map[int]string{}
			for _, k := range keys {
				if k != 13 {
					out[k] = fmt.Sprint("user ", k)
				}
			}
			return out, nil
		})
		var wg sync.WaitGroup
		for _, k := range []int{1, 2, 1, 3, 4, 13} {
			wg.Go(func() {
				v, err := b.Get(t.Context(), k)
				if k == 13 != (err != nil) || k != 13 && v != fmt.Sprint("user ", k) {
					t.Error(k, v, err)
				}
			})
		}
		wg.Wait()
		if c := b.Snapshot().Counts; c["batches"] != 2 || c["calls"] != 6 {
			t.Error(c)
		}
	})
}

func TestBackendsEjectOutliers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBackends("x", []string{"http://a", "http://b", "http://c", "http://d"}, EjectAfter(3), EjectFor(30*time.Second, time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		var hits map[string]int
		calls := func(n int, bad string) {
			hits = map[string]int{}
			times(n, func() {
				_ = b.Do(t.Context(), func(ctx context.Context) error {
					host := BackendOf(ctx).Host
					hits[host]++
					if strings.Contains(bad, host) {
						return errDown
					}
					return nil
				})
			})
		}
		calls(200, "b")
		if hits["b"] != 3 || b.Snapshot().Levels["out"] != 1 {
			t.Fatal(hits, b.Snapshot())
		}
		calls(200, "abcd")
		if out := b.Snapshot().Levels["out"]; out != 2 {
			t.Fatal("half of them at most:", out)
		}
		elapse(31 * time.Second)
		if calls(100, ""); hits["b"] == 0 {
			t.Fatal("it does not come back:", hits)
		}
		calls(400, "") // now the rates: one in two of c fails, never three in a row
		elapse(11 * time.Second)
		n := 0
		times(400, func() {
			_ = b.Do(t.Context(), func(ctx context.Context) error {
				if n++; BackendOf(ctx).Host == "c" && n%2 == 0 {
					return errDown
				}
				return nil
			})
		})
		if err := b.Set([]string{"http://a", "no url"}); err == nil {
			t.Fatal("a relative URL is no backend")
		}
	})
}

func TestTransportSpreadsOverBackends(t *testing.T) {
	good, goodCalls := failing(t, 200)
	bad, _ := failing(t, 500)
	b, err := NewBackends("x", []string{good, bad}, EjectAfter(2))
	if err != nil {
		t.Fatal(err)
	}
	rt := Transport(nil, NewRetry("x", Attempts(6), Backoff(1, 1), WithBudget(NewBudget(1, 100))), b)
	for range 10 {
		if code, _, err := send(t, rt, "GET", "http://payments.example/charges", "hi"); code != 200 || err != nil {
			t.Fatal(code, err)
		}
	}
	if goodCalls.Load() != 10 || b.Snapshot().Levels["out"] != 1 {
		t.Fatal(goodCalls.Load(), b.Snapshot())
	}
}

func TestTransportHedges(t *testing.T) {
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees its client leave
		if n.Add(1) == 1 {
			<-r.Context().Done()
			return
		}
		fmt.Fprint(w, "quick")
	}))
	defer s.Close()
	h := NewHedge("x", AfterAtLeast(5*time.Millisecond))
	if code, body, err := send(t, Transport(nil, h), "GET", s.URL, "hi"); code != 200 || body != "quick" || err != nil {
		t.Fatal(code, body, err)
	}
}

func TestHandlerSpeaksToTransport(t *testing.T) {
	var load, notReady atomic.Value
	load.Store(0.0)
	var seen http.Header
	var left time.Duration
	var priority Priority
	h := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, priority = r.Header, PriorityOf(r.Context())
		at, _ := r.Context().Deadline()
		left = time.Until(at)
	}), NewBulkhead("x", 1))
	s := httptest.NewServer(Announce(h, func() error { err, _ := notReady.Load().(error); return err }, func() float64 { return load.Load().(float64) }))
	defer s.Close()
	hand := NewHandshake("x")
	rt := Transport(nil, hand, NewTimeout("x", time.Minute))
	get := func(p Priority) (int, error) {
		req, _ := http.NewRequestWithContext(WithPriority(t.Context(), p), "GET", s.URL, http.NoBody)
		resp, err := rt.RoundTrip(req)
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
		return resp.StatusCode, nil
	}
	if code, err := get(Critical); code != 200 || err != nil || priority != Critical || left <= 0 || left > time.Minute {
		t.Fatal(code, err, priority, left, seen)
	}
	load.Store(2.0)
	if code, err := get(Normal); code != 200 || err != nil {
		t.Fatal(code, err)
	}
	if _, err := get(Normal); !errors.Is(err, ErrShed) {
		t.Fatal("the server said it is full:", err)
	}
	hand.Told(0, 0)
	notReady.Store(errors.New("warming up"))
	if code, err := get(Normal); code != 503 || err != nil {
		t.Fatal(code, err)
	}
	if _, err := get(Normal); !errors.Is(err, ErrNotReady) {
		t.Fatal("the server said it is not ready:", err)
	}
}

func TestHandlerRefuses(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		code   int
		after  string
	}{
		{NewRateLimit("x", 0.5, 1), 429, "2"},
		{NewShed("x", func() float64 { return 9 }), 503, "1"},
		{NewTimeout("x", time.Millisecond), 504, ""},
	} {
		h := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, ok := r.Context().Deadline(); ok {
				<-r.Context().Done()
			}
		}), c.policy)
		var w *httptest.ResponseRecorder
		for range 2 {
			w = httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		}
		if w.Code != c.code || w.Header().Get("Retry-After") != c.after {
			t.Errorf("%T: %d, Retry-After %q", c.policy, w.Code, w.Header().Get("Retry-After"))
		}
	}
}

func FuzzAnnouncedLoad(f *testing.F) {
	f.Add("TEXT application_utilization=0.8")
	f.Add("TEXT cpu_utilization=0.3,mem_utilization=0.8,named_metrics.foo=12")
	f.Add("TEXT cpu=NaN,=,x")
	f.Fuzz(func(t *testing.T, text string) {
		if load, ok := AnnouncedLoad(http.Header{loadHeader: {text}}); ok && !(load >= 0) {
			t.Errorf("%q is a load of %v", text, load)
		}
	})
}

func TestSupervisorRestartsAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSupervisor("x", Intensity(5, time.Minute))
		n := 0
		s.Add("shaky", func(context.Context) error {
			if n++; n < 4 {
				panic("boom")
			}
			return nil
		})
		if err := s.Run(t.Context()); err != nil || n != 4 || s.Snapshot().Counts["crashes_shaky"] != 3 {
			t.Fatal(err, n, s.Snapshot())
		}
		s = NewSupervisor("y", Intensity(5, time.Minute))
		ended := false
		s.Add("good", func(ctx context.Context) error { <-ctx.Done(); ended = true; return nil })
		s.Add("hopeless", func(context.Context) error { return errDown })
		if err := s.Run(t.Context()); !errors.Is(err, errDown) || !ended || !strings.Contains(err.Error(), "task hopeless crashed 6 times") {
			t.Fatal(err, ended)
		}
		s = NewSupervisor("z")
		s.Add("now and then", func(ctx context.Context) error { sleep(ctx, time.Minute); return errDown })
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if err := s.Run(ctx); err != nil {
			t.Fatal("crashes far apart are no reason to give up:", err)
		}
	})
}

func TestJanitorKeepsFilesBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 10 {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-time.Duration(i) * time.Hour)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	n, err := SweepFiles(dir, 7*time.Hour+time.Minute, 500)(t.Context())
	left, _ := os.ReadDir(dir)
	if n != 5 || err != nil || len(left) != 5 || left[4].Name() != "4" {
		t.Fatal(n, err, left)
	}
	synctest.Test(t, func(t *testing.T) {
		sweeps := 0
		j := NewJanitor("x", time.Minute, func(context.Context) (int, error) { sweeps++; return 2, nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := j.Run(ctx); err != nil || sweeps < 54 || sweeps > 68 || j.Snapshot().Counts["removed"] < 108 {
			t.Fatal(err, sweeps, j.Snapshot())
		}
	})
}

func TestBoardTellsEverything(t *testing.T) {
	breaker := NewBreaker(`pay"ments`, TripAt(0.5, 2), OpenFor(time.Hour))
	p := Compose(NewRetry("payments", Attempts(1)), breaker, NewTimeout("payments", time.Minute))
	board := NewBoard(p)
	board.Add(NewJanitor("files", time.Hour, nil))
	var decisions []string
	board.Watch(func(e Event) { decisions = append(decisions, e.Policy+" "+e.Decision) })
	times(3, func() { _ = p.Do(t.Context(), fail) })
	if got := fmt.Sprint(decisions); got != "[retry exhausted breaker opened retry exhausted breaker rejected]" {
		t.Error(got)
	}
	var out bytes.Buffer
	if err := board.WritePrometheus(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`stability_decisions_total{policy="breaker",name="pay\"ments",decision="failure"} 2`,
		`stability_decisions_total{policy="timeout",name="payments",decision="calls"} 2`,
		`stability_breaker_open{name="pay\"ments"} 1`,
	} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("missing %s in\n%s", want, out.String())
		}
	}
	s := httptest.NewServer(board.HystrixStream())
	defer s.Close()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL+"?delay=100", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 4096)
	n, _ := resp.Body.Read(first)
	var command map[string]any
	data, ok := strings.CutPrefix(strings.TrimSpace(string(first[:n])), "data: ")
	if err := json.Unmarshal([]byte(data), &command); err != nil || !ok || command["isCircuitBreakerOpen"] != true || command["type"] != "HystrixCommand" {
		t.Fatal(err, string(first[:n]))
	}
}
