// Command stability compares package stability with gobreaker, failsafe-go and
// hystrix-go: what one call through a circuit breaker, a refusal and four
// policies cost. (goresilience is left out: no module proxy has it.) All run in one process, in turns; the medians
// are printed with the ratio to ours. Run it in its directory:
//
//	go run . -rounds 5
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"text/tabwriter"
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
	call          func() error // safe for concurrent use
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
	all := slices.Concat(breakers(), refusals(), four())
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
					for pb.Next() {
						_ = c.call()
					}
				})
			})
			parallel[i] = append(parallel[i], ns(p))
		}
	}
	fmt.Printf("medians of %d rounds, %d cores\n\n", *rounds, runtime.GOMAXPROCS(0))
	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "task\tlibrary\tns/call\tratio\tallocs\tns/call, all cores\tspeed-up\t\n")
	ours := 0.0
	for i, c := range all {
		s, p := median(serial[i]), median(parallel[i])
		if c.library == "stability" {
			ours = s
		}
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%.1f\t%d\t%.1f\t%.2f\t\n", c.task, c.library, s, s/ours, allocs[i], p, s/p)
	}
	_ = t.Flush()
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
		{"breaker, success", "stability", func() error { return ours.Do(ctx, succeed) }},
		{"breaker, success", "gobreaker", func() error {
			_, err := gb.Execute(func() (struct{}, error) { return struct{}{}, nil })
			return err
		}},
		{"breaker, success", "failsafe-go", func() error { return fs.Run(plain) }},
		{"breaker, success", "hystrix-go", func() error { return hystrix.Do("x", plain, nil) }},
		{"permit", "stability", func() error {
			p, err := permits.Allow()
			if err == nil {
				p.Done(nil)
			}
			return err
		}},
		{"permit", "failsafe-go", func() error {
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
		{"refusal", "stability", func() error { return ours.Do(ctx, succeed) }},
		{"refusal", "gobreaker", func() error {
			_, err := gb.Execute(func() (struct{}, error) { return struct{}{}, nil })
			return err
		}},
		{"refusal", "failsafe-go", func() error { return fs.Run(plain) }},
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
	return []contender{
		{"four policies, no deadline", "stability", func() error { return ours.Do(ctx, succeed) }},
		{"four policies", "stability", func() error { return timed.Do(ctx, look) }},
		{"four policies", "failsafe-go", func() error {
			return fs.RunWithExecution(func(e failsafe.Execution[any]) error { return e.Context().Err() })
		}},
	}
}
