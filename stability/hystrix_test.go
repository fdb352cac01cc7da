package stability

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// hystrixCommand is what of a command the tests look at.
type hystrixCommand struct {
	Name           string
	LatencyExecute map[string]int64
	Mean           int64 `json:"latencyExecute_mean"`
	LatencyTotal   map[string]int64
	Volume         int `json:"propertyValue_circuitBreakerRequestVolumeThreshold"`
	Percentage     int `json:"propertyValue_circuitBreakerErrorThresholdPercentage"`
	Sleep          int `json:"propertyValue_circuitBreakerSleepWindowInMilliseconds"`
}

// The stream tells how long calls take; the breaker looks at no clock before it
// and after it.
func TestHystrixStreamTellsLatencies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker("payments", TripAt(0.4, 30), OpenFor(7*time.Second))
		board := NewBoard(b, NewBreaker("orders"))
		lasting := func(d time.Duration, err error) {
			_ = b.Do(t.Context(), func(context.Context) error { time.Sleep(d); return err })
		}
		lasting(time.Hour, nil)
		if b.clock.Load() {
			t.Fatal("the clock is looked at although nobody reads")
		}
		ctx, cancel := context.WithCancel(t.Context())
		answer := httptest.NewRecorder()
		ended := make(chan struct{})
		go func() {
			board.HystrixStream().ServeHTTP(answer, httptest.NewRequestWithContext(ctx, "GET", "/hystrix.stream?delay=1000", nil))
			close(ended)
		}()
		synctest.Wait()
		for range 9 {
			lasting(100*time.Millisecond, nil)
		}
		lasting(2*time.Second, errDown)
		lasting(time.Minute, context.Canceled) // says nothing of the dependency
		lasting(10*time.Millisecond, nil)
		elapse(time.Second)
		cancel()
		<-ended
		var told []hystrixCommand
		for line := range strings.SplitSeq(strings.TrimSpace(answer.Body.String()), "\n\n") {
			var c hystrixCommand
			if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &c); err != nil {
				t.Fatal(err)
			}
			if c.Name == "payments" {
				told = append(told, c)
			}
		}
		slow := told[slices.IndexFunc(told, func(c hystrixCommand) bool { return c.LatencyExecute["100"] == 2000 })]
		if p := slow.LatencyExecute; p["0"] != 100 || p["50"] < 100 || p["50"] > 109 || p["90"] > 109 || p["95"] != 2000 || slow.Mean != 290 || fmt.Sprint(slow.LatencyTotal) != fmt.Sprint(p) {
			t.Errorf("%+v", slow)
		}
		// By the end those are more than a minute old.
		if c := told[len(told)-1]; c.LatencyExecute["0"] != 10 || c.LatencyExecute["100"] != 10 || c.Mean != 10 || c.Volume != 30 || c.Percentage != 40 || c.Sleep != 7000 {
			t.Errorf("%+v", c)
		}
		if b.clock.Load() || b.timings != nil {
			t.Error("the clock is looked at although nobody reads any more")
		}
	})
}

// Mean and percentiles are those of a list of the calls of the last six slices of
// ten seconds.
func TestTimingsAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type call struct{ at, took time.Duration }
		var calls []call
		var timings timings
		at := time.Duration(1 << 61)
		for range rapid.IntRange(1, 100).Draw(r, "calls") {
			at += rapid.SampledFrom([]time.Duration{0, time.Second, 11 * time.Second, 70 * time.Second}).Draw(r, "pause")
			took := time.Duration(rapid.IntRange(0, 1e9).Draw(r, "took"))
			timings.add(at, took)
			calls = append(calls, call{at, took})
		}
		at += rapid.SampledFrom([]time.Duration{0, 30 * time.Second, time.Hour}).Draw(r, "later")
		var recent []time.Duration
		sum := time.Duration(0)
		for _, c := range calls {
			if at/timingWidth-c.at/timingWidth < timingSlices {
				recent = append(recent, c.took)
				sum += c.took
			}
		}
		slices.Sort(recent)
		got := timings.whole(at)
		if len(recent) == 0 {
			if got.n != 0 || got.mean() != 0 || got.quantile(0.5) != 0 {
				r.Fatalf("%d calls of none", got.n)
			}
			return
		}
		if got.n != uint64(len(recent)) || got.mean() != sum/time.Duration(len(recent)) {
			r.Fatalf("%d calls of mean %v, model %d", got.n, got.mean(), len(recent))
		}
		for _, q := range []float64{0, 0.25, 0.5, 0.9, 0.995, 1} {
			exact := recent[max(0, int(math.Ceil(q*float64(len(recent))))-1)]
			if v := got.quantile(q); v < exact || float64(v) > math.Max(1091, float64(exact)*math.Exp2(1.0/8))+1 || v > recent[len(recent)-1] {
				r.Fatalf("quantile %g: %v, model %v", q, v, exact)
			}
		}
	})
}

// A time that was taken before another was counted is counted with it.
func TestTimingsOfAnEarlierSlice(t *testing.T) {
	var timings timings
	at := 100 * timingWidth
	timings.add(at, time.Second)
	timings.add(at-1, time.Second)
	if got := timings.whole(at); got.n != 2 {
		t.Errorf("%d calls, want 2", got.n)
	}
}
