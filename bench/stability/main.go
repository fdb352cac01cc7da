// Command stability compares package stability with gobreaker, failsafe-go and
// hystrix-go: what one call through a circuit breaker, a refusal and four
// policies cost. goresilience is left out: its module cannot be fetched by the
// module proxy. All run in one process, in turns; the medians are printed as the
// table of README.md, with the ratio to ours.
//
// The speed-up is what all cores do of the same in a time, to what one does. What
// the machine itself reaches is in the first rows: arithmetic that shares nothing,
// and atomic additions that share nothing.
//
//	go run . -rounds 5
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/afex/hystrix-go/hystrix"
	"github.com/failsafe-go/failsafe-go"
	fsbulkhead "github.com/failsafe-go/failsafe-go/bulkhead"
	fsbreaker "github.com/failsafe-go/failsafe-go/circuitbreaker"
	fsretry "github.com/failsafe-go/failsafe-go/retrypolicy"
	fstimeout "github.com/failsafe-go/failsafe-go/timeout"
	"github.com/sony/gobreaker/v2"

	"github.com/daytwo-dev/daytwo/stability"
)

// contender is one library at one task; the first of a task is ours.
type contender struct {
	task, library string
	call          func() error        // safe for concurrent use
	own           func() func() error // a call of each goroutine's own; nil: the one above
}

// machine is what there is to share: how much more two cores do than one.
func machine() []contender {
	arithmetic := func() func() error {
		x := uint64(1)
		return func() error {
			for range 40 {
				x = x*6364136223846793005 + 1442695040888963407
			}
			if x == 0 {
				return errDown
			}
			return nil
		}
	}
	additions := func() func() error {
		var line struct {
			_ [128]byte
			n atomic.Uint64
			_ [128]byte
		}
		return func() error {
			line.n.Add(1)
			return nil
		}
	}
	return []contender{
		{"the machine: arithmetic", "", arithmetic(), arithmetic},
		{"the machine: an atomic addition each", "", additions(), additions},
	}
}

var (
	ctx     = context.Background()
	errDown = errors.New("down")
)

func succeed(context.Context) error { return nil }
func plain() error                  { return nil }

func main() {
	rounds := flag.Int("rounds", 5, "how often each runs")
	phase := flag.String("phase", "200ms", "length of each timed phase")
	testing.Init()
	flag.Parse()
	if err := flag.Set("test.benchtime", *phase); err != nil {
		panic(err)
	}
	all := slices.Concat(machine(), breakers(), refusals(), four())
	serial, parallel := map[int][]float64{}, map[int][]float64{}
	allocs := map[int]int64{}
	for range *rounds {
		for i, c := range all {
			r := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_ = c.call()
				}
			})
			serial[i], allocs[i] = append(serial[i], ns(r)), r.AllocsPerOp()
			p := testing.Benchmark(func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					call := c.call
					if c.own != nil {
						call = c.own()
					}
					for pb.Next() {
						_ = call()
					}
				})
			})
			parallel[i] = append(parallel[i], ns(p))
		}
	}
	fmt.Printf("%s, %s, %d cores; medians of %d rounds of %s.\n\n", runtime.Version(), runtime.GOARCH, runtime.GOMAXPROCS(0), *rounds, *phase)
	fmt.Println("| task | library | ns a call | times ours | allocations | ns a call, all cores | speed-up |")
	fmt.Println("|---|---|--:|--:|--:|--:|--:|")
	ours := 0.0
	for i, c := range all {
		s, p := median(serial[i]), median(parallel[i])
		times := ""
		switch c.library {
		case "stability":
			ours = s
			times = "1"
		case "":
		default:
			times = fmt.Sprintf("%.1f", s/ours)
		}
		fmt.Printf("| %s | %s | %.1f | %s | %d | %.1f | %.2f |\n", c.task, c.library, s, times, allocs[i], p, s/p)
	}
}

func ns(r testing.BenchmarkResult) float64 { return float64(r.T.Nanoseconds()) / float64(r.N) }

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

func breakers() []contender {
	ours := stability.NewBreaker("x")
	permits := stability.NewBreaker("x")
	gb := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{Name: "x"})
	fs := failsafe.With(fsbreaker.NewWithDefaults[any]())
	fsPermits := fsbreaker.NewWithDefaults[any]()
	hystrix.ConfigureCommand("x", hystrix.CommandConfig{Timeout: 10_000, MaxConcurrentRequests: 1000})
	return []contender{
		{task: "breaker, success", library: "stability", call: func() error { return ours.Do(ctx, succeed) }},
		{task: "breaker, success", library: "gobreaker", call: func() error {
			_, err := gb.Execute(func() (struct{}, error) { return struct{}{}, nil })
			return err
		}},
		{task: "breaker, success", library: "failsafe-go", call: func() error { return fs.Run(plain) }},
		{task: "breaker, success", library: "hystrix-go", call: func() error { return hystrix.Do("x", plain, nil) }},
		{task: "permit", library: "stability", call: func() error {
			p, err := permits.Allow()
			if err == nil {
				p.Done(nil)
			}
			return err
		}},
		{task: "permit", library: "failsafe-go", call: func() error {
			if fsPermits.TryAcquirePermit() {
				fsPermits.RecordSuccess()
			}
			return nil
		}},
	}
}

func refusals() []contender {
	ours := stability.NewBreaker("x", stability.OpenFor(time.Hour))
	ours.Trip("for the benchmark")
	gb := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{Name: "x", Timeout: time.Hour})
	for range 10 {
		_, _ = gb.Execute(func() (struct{}, error) { return struct{}{}, errDown })
	}
	open := fsbreaker.NewBuilder[any]().WithDelay(time.Hour).Build()
	open.Open()
	fs := failsafe.With(open)
	return []contender{
		{task: "refusal", library: "stability", call: func() error { return ours.Do(ctx, succeed) }},
		{task: "refusal", library: "gobreaker", call: func() error {
			_, err := gb.Execute(func() (struct{}, error) { return struct{}{}, nil })
			return err
		}},
		{task: "refusal", library: "failsafe-go", call: func() error { return fs.Run(plain) }},
	}
}

// four are retry, breaker, bulkhead and timeout around a call.
func four() []contender {
	ours := stability.Compose(stability.NewRetry("x"), stability.NewBreaker("x"), stability.NewBulkhead("x", 100),
		stability.NewFallback("x", func(_ context.Context, err error) error { return err }))
	timed := stability.Compose(stability.NewRetry("x"), stability.NewBreaker("x"), stability.NewBulkhead("x", 100), stability.NewTimeout("x", time.Minute))
	fs := failsafe.With(fsretry.NewWithDefaults[any](), failsafe.Policy[any](fsbreaker.NewWithDefaults[any]()),
		fsbulkhead.New[any](100), fstimeout.New[any](time.Minute))
	look := func(ctx context.Context) error { return ctx.Err() }
	wait := func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		default:
			return nil
		}
	}
	return []contender{
		{task: "four policies, no deadline", library: "stability", call: func() error { return ours.Do(ctx, succeed) }},
		{task: "four policies, deadline looked at", library: "stability", call: func() error { return timed.Do(ctx, look) }},
		{task: "four policies, deadline looked at", library: "failsafe-go", call: func() error {
			return fs.RunWithExecution(func(e failsafe.Execution[any]) error { return e.Context().Err() })
		}},
		{task: "four policies, deadline waited for", library: "stability", call: func() error { return timed.Do(ctx, wait) }},
		{task: "four policies, deadline waited for", library: "failsafe-go", call: func() error {
			return fs.RunWithExecution(func(e failsafe.Execution[any]) error { return wait(e.Context()) })
		}},
	}
}
