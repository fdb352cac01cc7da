package stability

import (
	"context"
	"testing"
	"time"
)

func BenchmarkBreaker(b *testing.B) {
	ctx := context.Background()
	b.Run("success", func(b *testing.B) {
		br := NewBreaker("x")
		b.ReportAllocs()
		for b.Loop() {
			_ = br.Do(ctx, succeed)
		}
	})
	b.Run("permit", func(b *testing.B) {
		br := NewBreaker("x")
		b.ReportAllocs()
		for b.Loop() {
			p, _ := br.Allow()
			p.Done(nil)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		br := NewBreaker("x")
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_ = br.Do(ctx, succeed)
			}
		})
	})
	b.Run("failure", func(b *testing.B) {
		br := NewBreaker("x", TripAt(1, 1<<40))
		for b.Loop() {
			_ = br.Do(ctx, fail)
		}
	})
	b.Run("rejected", func(b *testing.B) {
		br := NewBreaker("x", OpenFor(time.Hour))
		br.Trip("for the benchmark")
		b.ReportAllocs()
		for b.Loop() {
			_ = br.Do(ctx, succeed)
		}
	})
}

func BenchmarkFour(b *testing.B) {
	four := Compose(NewRetry("x"), NewBreaker("x"), NewBulkhead("x", 10), NewFallback("x", func(_ context.Context, err error) error { return err }))
	b.Run("policies", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = four.Do(context.Background(), succeed)
		}
	})
	timed := Compose(NewRetry("x"), NewBreaker("x"), NewBulkhead("x", 10), NewTimeout("x", time.Minute))
	b.Run("deadline", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = timed.Do(context.Background(), func(ctx context.Context) error { return ctx.Err() })
		}
	})
	b.Run("deadline-waited-for", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = timed.Do(context.Background(), func(ctx context.Context) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				default:
					return nil
				}
			})
		}
	})
}

func BenchmarkBulkhead(b *testing.B) {
	p := NewBulkhead("x", 10)
	for b.Loop() {
		_ = p.Do(context.Background(), succeed)
	}
}

func BenchmarkRateLimit(b *testing.B) {
	p := NewRateLimit("x", 1e12, 1000)
	for b.Loop() {
		_ = p.Do(context.Background(), succeed)
	}
}

func BenchmarkAdaptive(b *testing.B) {
	p := NewAdaptive("x")
	for b.Loop() {
		_ = p.Do(context.Background(), succeed)
	}
}
