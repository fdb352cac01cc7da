package stability

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// model is a breaker that is slow and obvious: it keeps every call.
type model struct {
	ratio, slowRatio float64
	minCalls         int
	window, openFor  time.Duration
	lastCalls        int
	slowAfter        time.Duration
	probes, ramp     int

	state    State
	openedAt time.Duration
	calls    []modelCall
	stage    []bool // verdicts of the stage, true for failed
	number   int
	out      map[int]bool // calls of the stage on their way
	began    time.Duration
}

type modelCall struct {
	at           time.Duration
	failed, slow bool
}

func (m *model) halfOpen(number int, t time.Duration) {
	m.state, m.number, m.stage, m.out, m.began = HalfOpen, number, nil, map[int]bool{}, t
}

func (m *model) places() int { return m.probes << m.number }

// cool lets time pass.
func (m *model) cool(t time.Duration) {
	if m.state == Open && t >= m.openedAt+m.openFor {
		m.halfOpen(0, m.openedAt+m.openFor)
	}
}

func (m *model) allow(id int, t time.Duration) bool {
	m.cool(t)
	if m.state == HalfOpen {
		if len(m.out)+len(m.stage) >= m.places() && t >= m.began+m.openFor {
			m.halfOpen(m.number, t)
		}
		if len(m.out)+len(m.stage) >= m.places() {
			return false
		}
		m.out[id] = true
	}
	return m.state != Open
}

func (m *model) trip(t time.Duration) { m.state, m.openedAt, m.calls, m.out = Open, t, nil, nil }

// done judges a call that was allowed in the state and stage it ends in.
func (m *model) done(id int, t time.Duration, verdict string, slow bool) {
	m.cool(t)
	failed := verdict == "fail"
	slow = slow && m.slowAfter > 0
	if m.state == HalfOpen {
		delete(m.out, id)
		if verdict == "ignore" {
			return
		}
		m.stage = append(m.stage, failed || slow)
		bad := 0
		for _, f := range m.stage {
			if f {
				bad++
			}
		}
		switch {
		case (failed || slow) && (m.number == 0 || float64(bad) >= m.ratio*float64(m.places())):
			m.trip(t)
		case len(m.stage) == m.places() && m.number < m.ramp:
			m.halfOpen(m.number+1, t)
		case len(m.stage) == m.places():
			m.state, m.calls = Closed, nil
		}
		return
	}
	if verdict == "ignore" {
		return
	}
	m.calls = append(m.calls, modelCall{t, failed, slow})
	n, bad, slows := 0, 0, 0
	for i, c := range m.calls {
		width := m.window / windowBuckets
		inside := int64(c.at/width) > int64(t/width)-windowBuckets
		if m.lastCalls > 0 {
			inside = i >= len(m.calls)-m.lastCalls
		}
		if !inside {
			continue
		}
		n++
		if c.failed {
			bad++
		}
		if c.slow {
			slows++
		}
	}
	if n >= m.minCalls && (failed && float64(bad) >= m.ratio*float64(n) || slow && float64(slows) >= m.slowRatio*float64(n)) {
		m.trip(t)
	}
}

// TestBreakerAgainstModel compares the breaker with the model over random
// configurations and histories of overlapping calls.
func TestBreakerAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &model{
			ratio: rapid.SampledFrom([]float64{0.1, 0.5, 0.8, 1}).Draw(r, "ratio"), slowRatio: 0.5,
			minCalls: rapid.IntRange(1, 6).Draw(r, "minCalls"), window: 10 * time.Second, openFor: 3 * time.Second,
			probes: rapid.IntRange(1, 3).Draw(r, "probes"), ramp: rapid.IntRange(0, 2).Draw(r, "ramp"),
			lastCalls: rapid.SampledFrom([]int{0, 0, 5}).Draw(r, "lastCalls"),
			slowAfter: rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(r, "slowAfter"),
		}
		type step struct {
			do    string
			wait  time.Duration
			which int
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				rapid.SampledFrom([]string{"allow", "allow", "success", "success", "fail", "fail", "ignore"}).Draw(r, "do"),
				time.Duration(rapid.SampledFrom([]int{0, 0, 1, 333, 700, 1500, 3000}).Draw(r, "wait")) * time.Millisecond,
				rapid.IntRange(0, 3).Draw(r, "which"),
			}
		}), 1, 120).Draw(r, "steps")
		wrong := ""
		synctest.Test(t, func(t *testing.T) {
			opts := []BreakerOption{TripAt(m.ratio, m.minCalls), Window(m.window), OpenFor(m.openFor), Probes(m.probes), Ramp(m.ramp), TripWhenSlow(m.slowAfter, m.slowRatio)}
			if m.lastCalls > 0 {
				opts = append(opts, LastCalls(m.lastCalls))
			}
			b := NewBreaker("x", opts...)
			type out struct {
				p     Permit
				id    int
				began time.Duration
			}
			var on []out
			for id, s := range steps {
				elapse(s.wait)
				if s.do == "allow" || len(on) == 0 {
					p, err := b.Allow()
					if allowed := m.allow(id, now()); allowed != (err == nil) {
						wrong = fmt.Sprintf("step %d: breaker %v (%v), model %v allows %v", id, b.State(), err, m.state, allowed)
						return
					}
					if err == nil {
						on = append(on, out{p, id, now()})
					}
				} else {
					i := s.which % len(on)
					o := on[i]
					on = append(on[:i], on[i+1:]...)
					current := o.p.word == b.word.Load()
					p := o.p
					p.Done(map[string]error{"success": nil, "fail": errDown, "ignore": context.Canceled}[s.do])
					if current {
						m.done(o.id, now(), s.do, now()-o.began > m.slowAfter)
					}
				}
				m.cool(now())
				if b.State() != m.state {
					wrong = fmt.Sprintf("step %d %+v: breaker %v, model %v", id, s, b.State(), m.state)
					return
				}
			}
		})
		if wrong != "" {
			r.Fatalf("%s\n%+v\n%+v", wrong, m, steps)
		}
	})
}

// TestBreakerIsNeverStuck tries every history of up to six steps, hung and
// canceled probes among them, and asks each time: if the dependency is well
// from now on, does the breaker close?
func TestBreakerIsNeverStuck(t *testing.T) {
	const depth = 6
	actions := []string{"allow", "success", "fail", "ignore", "wait", "hang"}
	histories := 1
	for range depth {
		histories *= len(actions)
	}
	synctest.Test(t, func(t *testing.T) {
		for h := range histories {
			b := NewBreaker("x", TripAt(0.5, 1), OpenFor(time.Second), Probes(1), Ramp(1))
			var on []Permit
			history := ""
			for n := h; len(history) < depth; n /= len(actions) {
				a := actions[n%len(actions)]
				history += a[:1]
				switch {
				case a == "wait":
					elapse(time.Second)
				case a == "allow" || len(on) == 0:
					if p, err := b.Allow(); err == nil {
						on = append(on, p)
					}
				case a == "hang":
					on = on[1:]
				default:
					on[0].Done(map[string]error{"fail": errDown, "ignore": context.Canceled}[a])
					on = on[1:]
				}
			}
			closes := false
			for range 12 {
				elapse(time.Second)
				_ = b.Do(context.Background(), succeed)
				if b.State() == Closed {
					closes = true
					break
				}
			}
			if !closes {
				t.Fatalf("after %s the breaker stays %v", history, b.State())
			}
		}
	})
}

func TestBreakerLiveConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker("x", TripAt(0.5, 100))
		times(10, func() { b.Do(t.Context(), fail) })
		b.Configure(TripAt(0.5, 5), OpenFor(time.Minute))
		b.Do(t.Context(), fail)
		if b.State() != Open {
			t.Fatal("the window was lost, or the new minimum is not heeded")
		}
		elapse(time.Minute)
		b.Reset("mended by hand")
		if b.State() != Closed {
			t.Fatal(b.State())
		}
		b.Trip("maintenance")
		if err := b.Do(t.Context(), succeed); err == nil || b.State() != Open {
			t.Fatal("a breaker that was tripped by hand lets calls pass")
		}
	})
}

func TestBreakerAsksForSlowCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker("x", TripAt(0.5, 4), TripWhenSlow(time.Second, 0.5))
		var why string
		b.Watch(func(e Event) { why += e.Reason })
		for i := range 4 {
			b.Do(t.Context(), func(context.Context) error { time.Sleep(time.Duration(i%2) * 1100 * time.Millisecond); return nil })
		}
		if b.State() != Open || why != "2 of 4 calls took longer than 1s" {
			t.Fatal(b.State(), why)
		}
	})
}

func TestBreakerCountsContextErrorsIfAsked(t *testing.T) {
	b := NewBreaker("x", TripAt(0.1, 1), CountContextErrors())
	b.Do(t.Context(), func(context.Context) error { return context.DeadlineExceeded })
	if b.State() != Open {
		t.Fatal(b.State())
	}
}

// TestBreakerCountsSurviveTheWindow: totals never go down, whatever leaves the
// window.
func TestBreakerCountsSurviveTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker("x", Window(time.Second))
		for n := range uint64(50) {
			b.Do(t.Context(), succeed)
			elapse(time.Duration(n*17) * time.Millisecond)
			if got := b.Snapshot().Counts["success"]; got != n+1 {
				t.Fatal(fmt.Sprint(got, " successes of ", n+1))
			}
		}
		elapse(time.Hour)
		if b.window.current.Load() != asleep || b.Snapshot().Levels["window_calls"] != 0 {
			t.Fatal("a window without calls must sleep")
		}
	})
}
