package stability

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// What a server said counts for a second, that it is not ready for as long as it
// said and ten seconds at most; the share refused is that of Shed.
func TestHandshakeAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			pause    time.Duration
			tells    bool
			load     float64
			away     time.Duration
			priority Priority
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				rapid.SampledFrom([]time.Duration{0, 0, 0, 300 * time.Millisecond, time.Second, 9 * time.Second}).Draw(r, "pause"),
				rapid.IntRange(0, 4).Draw(r, "tells") == 0, rapid.SampledFrom([]float64{0, 0.5, 0.83, 0.97, 1.25, 5}).Draw(r, "load"),
				rapid.SampledFrom([]time.Duration{0, 0, 0, 2 * time.Second, time.Hour}).Draw(r, "away"), rapid.SampledFrom([]Priority{Sheddable, Normal, Critical}).Draw(r, "priority"),
			}
		}), 1, 120).Draw(r, "steps")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			h := NewHandshake("x")
			var told step // the last one
			at := -never  // when
			want, shed := 0.0, 0
			for i, s := range steps {
				elapse(s.pause)
				if s.tells {
					h.Told(s.load, s.away)
					told, at = s, now()
					continue
				}
				load := 0.0
				if now()-at < time.Second {
					load = told.load
				}
				away := min(told.away, 10*time.Second) - (now() - at)
				sent := false
				err := h.Do(WithPriority(context.Background(), s.priority), func(context.Context) error { sent = true; return nil })
				rejected := new(RejectedError)
				switch share := refusedShare(load, s.priority); {
				case sent != (err == nil) || h.Load() != load:
					wrong = fmt.Sprintf("%v, sent %t, load %v, model %v", err, sent, h.Load(), load)
				case errors.As(err, &rejected) && rejected.RetryAfter <= 0:
					wrong = "no time to come back"
				case away > 0:
					if !errors.Is(err, ErrNotReady) || rejected.RetryAfter != away {
						wrong = fmt.Sprintf("%v, model away for %v", err, away)
					}
				case err != nil && !errors.Is(err, ErrShed), share == 0 && err != nil, share == 1 && err == nil:
					wrong = fmt.Sprintf("%v, model refuses %v", err, share)
				default:
					if want += share; err != nil {
						shed++
					}
					if math.Abs(float64(shed)-want) > 1+1e-6 {
						wrong = fmt.Sprintf("%d refused, model %v", shed, want)
					}
				}
				if wrong != "" {
					wrong = fmt.Sprintf("step %d: %s", i, wrong)
					return
				}
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// Work begins only if the deadline leaves the time it needs and every check is
// content.
func TestFailFastAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		least := rapid.SampledFrom([]time.Duration{0, 100 * time.Millisecond}).Draw(r, "least")
		left := rapid.SampledFrom([]time.Duration{0, time.Nanosecond, 99 * time.Millisecond, 100 * time.Millisecond, time.Second}).Draw(r, "left")
		gone := rapid.Bool().Draw(r, "gone")
		ready := rapid.SliceOfN(rapid.Bool(), 0, 3).Draw(r, "ready")
		synctest.Test(t, func(*testing.T) {
			var checks []func() error
			allReady := true
			for _, ok := range ready {
				allReady = allReady && ok
				checks = append(checks, func() error {
					if ok {
						return nil
					}
					return errDown
				})
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if left > 0 {
				ctx, cancel = context.WithTimeout(ctx, left)
				defer cancel()
			}
			var want error
			switch {
			case gone:
				cancel()
				want = context.Canceled
			case left > 0 && left < least:
				want = ErrNoTime
			case !allReady:
				want = ErrNotReady
			}
			began := false
			err := NewFailFast("x", least, checks...).Do(ctx, func(context.Context) error { began = true; return nil })
			if !errors.Is(err, want) || began != (want == nil) {
				r.Fatalf("%v, began %t, model %v", err, began, want)
			}
		})
	})
}

// Whatever is told of the load comes out as it went in.
func TestAnnouncedLoadIsWhatWasAnnounced(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		load := math.Round(rapid.Float64Range(0, 9).Draw(r, "load")*100) / 100
		h := http.Header{}
		Announce(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil, func() float64 { return load }).ServeHTTP(header(h), nil)
		if got, ok := AnnouncedLoad(h); !ok || got != load {
			r.Fatalf("%v, %t, announced %v", got, ok, load)
		}
	})
}

// header is an answer of which only the header counts.
type header http.Header

func (h header) Header() http.Header         { return http.Header(h) }
func (h header) Write(b []byte) (int, error) { return len(b), nil }
func (h header) WriteHeader(int)             {}
