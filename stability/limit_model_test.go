package stability

import (
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// observations are what a service of changing speed and load shows.
func observations(r *rapid.T) []Observation {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) Observation {
		rtt := rapid.SampledFrom([]time.Duration{0, 1, 900 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond, time.Second}).Draw(r, "rtt")
		return Observation{
			RTT: rtt, MinRTT: rtt * time.Duration(rapid.IntRange(5, 10).Draw(r, "least")) / 10,
			InFlight: rapid.SampledFrom([]int{0, 1, 5, 20, 100, 2000}).Draw(r, "in flight"), Dropped: rapid.IntRange(0, 9).Draw(r, "dropped") == 0,
		}
	}), 1, 200).Draw(r, "observations")
}

// gradient2From computes the limit anew from all that was ever observed: first
// how long calls took on average before each observation, then the limit.
func gradient2From(initial, low, high float64, all []Observation) float64 {
	limit, average := min(max(initial, low), high), 0.0
	for i, o := range all {
		short := math.Max(1e-9, o.RTT.Seconds())
		if i < 10 {
			average = (average*float64(i) + short) / float64(i+1)
		} else {
			average = average*(599.0/601) + short*(2.0/601)
		}
		if average/short > 2 {
			average *= 0.95
		}
		busy := 2*float64(o.InFlight) >= limit
		switch {
		case o.Dropped:
			limit = 0.9 * limit
		case busy && short > 3*average:
			limit = 0.8*limit + 0.2*(limit/2+4)
		case busy && short > 1.5*average:
			limit = 0.8*limit + 0.2*(limit*1.5*average/short+4)
		case busy:
			limit += 0.8
		}
		limit = min(max(limit, low), high)
	}
	return limit
}

func TestGradient2AgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		low := rapid.SampledFrom([]int{1, 5}).Draw(r, "low")
		high := rapid.SampledFrom([]int{5, 30, 1000}).Draw(r, "high")
		initial := rapid.SampledFrom([]int{1, 20, 5000}).Draw(r, "initial")
		g := NewGradient2(initial, low, high)
		all := observations(r)
		for i, o := range all {
			before := g.limit
			got := g.Learn(o)
			want := gradient2From(float64(initial), float64(low), float64(high), all[:i+1])
			if math.IsNaN(g.limit) || math.Abs(g.limit-want) > 1e-6*want || got != int(g.limit) || got != g.Limit() {
				r.Fatalf("observation %d %+v: limit %v, model %v", i, o, g.limit, want)
			}
			if got < low || got > high || g.limit < 0.9*before-1e-9 || g.limit > before+0.8+1e-9 && before >= float64(low) {
				r.Fatalf("observation %d %+v: from %v to %v within %d to %d", i, o, before, g.limit, low, high)
			}
		}
	})
}

// vegasFrom computes the limit anew from all that was ever observed.
func vegasFrom(initial, high float64, all []Observation) float64 {
	limit := max(1, min(initial, high))
	least, untilProbe := math.Inf(1), 30*limit
	for _, o := range all {
		rtt := o.MinRTT.Seconds()
		untilProbe--
		if untilProbe <= 0 { // measures the least time anew
			untilProbe, least = 30*limit, rtt
			continue
		}
		if least == 0 || rtt < least {
			least = rtt
			continue
		}
		unit := max(1, math.Log10(limit))
		queued := limit * (1 - least/rtt)
		if o.Dropped {
			limit -= unit
		} else if 2*float64(o.InFlight) >= limit {
			switch {
			case queued > 6*unit:
				limit -= unit
			case queued >= 3*unit:
			case queued > unit:
				limit += unit
			default:
				limit += 6 * unit
			}
		}
		limit = max(1, min(limit, high))
	}
	return limit
}

func TestVegasAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		high := rapid.SampledFrom([]int{5, 30, 1000}).Draw(r, "high")
		initial := rapid.SampledFrom([]int{1, 4, 20, 5000}).Draw(r, "initial")
		v := NewVegas(initial, high)
		all := observations(r)
		for i, o := range all {
			got := v.Learn(o)
			want := vegasFrom(float64(initial), float64(high), all[:i+1])
			if math.Abs(v.limit-want) > 1e-6*want || got != int(v.limit) || got < 1 || got > high {
				r.Fatalf("observation %d %+v: limit %v, model %v", i, o, v.limit, want)
			}
		}
	})
}

// scripted answers with limits that were drawn, and keeps what it was told.
type scripted struct {
	limit int
	next  []int
	told  []Observation
}

func (s *scripted) Limit() int { return s.limit }

func (s *scripted) Learn(o Observation) int {
	s.told = append(s.told, o)
	s.limit = s.next[len(s.told)%len(s.next)]
	return s.limit
}

// adaptiveCall is a call that runs, in the model.
type adaptiveCall struct {
	began    time.Duration
	inFlight int
	end      chan error
}

// Each priority gets its share of the limit, and the learner is told what a list
// of the calls shows, when there are ten of them and the time is over.
func TestAdaptiveAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			begin    bool
			priority Priority
			pause    time.Duration
			err      error
			which    int
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				rapid.Bool().Draw(r, "begin"), rapid.SampledFrom([]Priority{Sheddable, Normal, Critical}).Draw(r, "priority"),
				rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 30 * time.Millisecond}).Draw(r, "pause"),
				rapid.SampledFrom([]error{nil, nil, nil, errDown, &StatusError{Code: 503}, context.Canceled}).Draw(r, "end"),
				rapid.IntRange(0, 9).Draw(r, "which"),
			}
		}), 1, 150).Draw(r, "steps")
		limits := rapid.SliceOfN(rapid.IntRange(0, 12), 1, 10).Draw(r, "limits")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			learner := &scripted{limit: limits[0], next: limits}
			a := NewAdaptive("x", LearnWith(learner), Shares(0.5, 1, 1.5), LearnEvery(100*time.Millisecond))
			share := map[Priority]float64{Sheddable: 0.5, Normal: 1, Critical: 1.5}
			limit := max(1, limits[0])
			var on []adaptiveCall
			var want []Observation
			var sample []time.Duration // times of the calls that count
			since, most, dropped := time.Duration(0), 0, false
			defer func() {
				for _, c := range on {
					c.end <- nil
				}
			}()
			for i, s := range steps {
				elapse(s.pause)
				if s.begin || len(on) == 0 {
					may := len(on) < max(1, int(share[s.priority]*float64(limit)))
					c := adaptiveCall{now(), len(on) + 1, make(chan error)}
					in, out := false, false
					go func() {
						_ = a.Do(WithPriority(context.Background(), s.priority), func(context.Context) error { in = true; return <-c.end })
						out = true
					}()
					synctest.Wait()
					if in != may || in == out {
						wrong = fmt.Sprintf("step %d: let in %t, model %t with %d of %d, priority %v", i, in, may, len(on), limit, s.priority)
						return
					}
					if in {
						on = append(on, c)
					}
					continue
				}
				which := s.which % len(on)
				c := on[which]
				on = append(on[:which], on[which+1:]...)
				c.end <- s.err
				synctest.Wait()
				if s.err != context.Canceled {
					if since == 0 {
						since = c.began
					}
					overload := s.err != nil && s.err != errDown
					if s.err == nil || overload {
						sample = append(sample, now()-c.began)
					}
					most, dropped = max(most, c.inFlight), dropped || overload
					if len(sample) >= 10 && now()-since >= 100*time.Millisecond {
						o := Observation{MinRTT: never, InFlight: most, Dropped: dropped}
						for _, d := range sample {
							o.RTT, o.MinRTT = o.RTT+d, min(o.MinRTT, d)
						}
						o.RTT /= time.Duration(len(sample))
						want = append(want, o)
						limit = max(1, limits[len(want)%len(limits)])
						sample, since, most, dropped = nil, 0, 0, false
					}
				}
				if fmt.Sprint(learner.told) != fmt.Sprint(want) || a.Limit() != limit || int(a.Snapshot().Levels["in_flight"]) != len(on) {
					wrong = fmt.Sprintf("step %d: told %v, model %v; limit %d, model %d; %v in flight, model %d", i, learner.told, want, a.Limit(), limit, a.Snapshot().Levels["in_flight"], len(on))
					return
				}
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// refusedShare is the share of calls that a load makes one refuse.
func refusedShare(load float64, p Priority) float64 {
	from := map[Priority]float64{Sheddable: 0.8, Normal: 0.95, Critical: 1.2}[p]
	return min(1, max(0, (load-from)/0.1))
}

// Of any calls in a row as many are refused as their shares add up to, whatever
// the load does meanwhile.
func TestShedAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		loads := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.79, 0.81, 0.83, 0.85, 0.89, 0.93, 1, 1.04, 1.21, 1.29, 3}), 1, 4).Draw(r, "loads")
		priorities := rapid.SliceOfN(rapid.SampledFrom([]Priority{Sheddable, Normal, Critical}), 1, 3).Draw(r, "priorities")
		load := 0.0
		s := NewShed("x", func() float64 { return load })
		want, refused := 0.0, 0
		for i := range rapid.IntRange(1, 300).Draw(r, "calls") {
			load = loads[i%len(loads)]
			p := priorities[i%len(priorities)]
			share := refusedShare(load, p)
			err := s.Do(WithPriority(context.Background(), p), succeed)
			if share == 0 && err != nil || share == 1 && err == nil {
				r.Fatalf("call %d: %v at load %v, priority %v", i, err, load, p)
			}
			if want += share; err != nil {
				refused++
			}
			if math.Abs(float64(refused)-want) > 1+1e-6 {
				r.Fatalf("%d of %d calls refused, model %.2f", refused, i+1, want)
			}
		}
	})
}
