package stability

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// bounded are two contexts of the same deadline and caller: ours and the one of
// the standard library, which is the model.
type bounded struct{ ours, model context.Context }

// agree tells where the two differ now.
func (b bounded) agree(askDone bool) string {
	at, ok := b.ours.Deadline()
	wantAt, wantOK := b.model.Deadline()
	if !at.Equal(wantAt) || ok != wantOK {
		return fmt.Sprintf("deadline %v, model %v", at, wantAt)
	}
	if got, want := b.ours.Err(), b.model.Err(); got != want {
		return fmt.Sprintf("ended with %v, model %v", got, want)
	}
	if !askDone {
		return ""
	}
	got := false
	select {
	case <-b.ours.Done():
		got = true
	default:
	}
	if want := b.model.Err() != nil; got != want {
		return fmt.Sprintf("done %t, model %t", got, want)
	}
	return ""
}

// The lazy deadline ends when that of package context does and with the same
// error, whether somebody asked for Done before or not; so do its children, and
// what was to happen after its end happens once.
func TestDeadlineAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		after := rapid.SampledFrom([]time.Duration{-time.Second, 0, 50 * time.Millisecond, time.Second}).Draw(r, "after")
		parentEnds := rapid.SampledFrom([]time.Duration{0, 0, 31 * time.Millisecond, 701 * time.Millisecond}).Draw(r, "parent ends")
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"wait", "wait long", "err", "done", "child", "after", "stop", "release"}), 1, 12).Draw(r, "steps")
		listed := rapid.Bool().Draw(r, "listed")
		others := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{30 * time.Millisecond, time.Second, time.Minute}), 0, 12).Draw(r, "others")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			parent, cancel := context.WithCancel(context.Background())
			defer cancel()
			if parentEnds > 0 {
				time.AfterFunc(parentEnds, cancel)
			}
			list := &expiry{} // of which it is not the only one
			if !listed {
				list = nil
			} else {
				for _, other := range others {
					o := newDeadline(context.Background(), other, list)
					_ = o.Done()
					defer o.release()
				}
			}
			d := newDeadline(parent, after, list)
			model, release := context.WithTimeout(parent, after)
			defer release()
			all := []bounded{{d, model}}
			var ran, want atomic.Int32 // functions to be called after the end
			stop, stopModel := func() bool { return false }, func() bool { return false }
			looked := false
			for i, s := range steps {
				if !looked && !strings.HasPrefix(s, "wait") && s != "stop" {
					if looked = true; parent.Err() != nil && d.left() <= 0 {
						return // nobody looked while one of the two had ended: which was first is not known
					}
				}
				switch s {
				case "wait":
					elapse(20 * time.Millisecond)
				case "wait long":
					elapse(400 * time.Millisecond)
				case "child":
					a, stopA := context.WithCancel(d)
					b, stopB := context.WithCancel(model)
					defer stopA()
					defer stopB()
					all = append(all, bounded{a, b})
				case "after":
					stop = context.AfterFunc(d, func() { ran.Add(1) })
					stopModel = context.AfterFunc(model, func() { want.Add(1) })
				case "stop":
					synctest.Wait()
					if got, want := stop(), stopModel(); got != want {
						wrong = fmt.Sprintf("step %d: stopped %t, model %t", i, got, want)
						return
					}
				case "release":
					_ = d.Err() // a deadline that nobody looks at does not see its own time pass
					d.release()
					release()
				}
				synctest.Wait()
				for n, b := range all {
					if n > 0 || s == "err" || s == "done" {
						if wrong = b.agree(s == "done"); wrong != "" {
							wrong = fmt.Sprintf("step %d %s, context %d: %s", i, s, n, wrong)
							return
						}
					}
				}
				if ran.Load() != want.Load() {
					wrong = fmt.Sprintf("step %d %s: %d functions ran, model %d", i, s, ran.Load(), want.Load())
					return
				}
			}
		})
		if wrong != "" {
			r.Fatalf("%s\n%v after %v, parent ends after %v", wrong, steps, after, parentEnds)
		}
	})
}

// Deadlines of one list, of whatever lengths, each end at their own time, and those
// that were released leave the list.
func TestExpiryAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			pause, after time.Duration
			release      int // which of those there are ends before its time; -1: none
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 90 * time.Millisecond}).Draw(r, "pause"),
				rapid.SampledFrom([]time.Duration{50 * time.Millisecond, 50 * time.Millisecond, 51 * time.Millisecond, 3 * time.Millisecond, time.Second}).Draw(r, "after"),
				rapid.IntRange(-1, 40).Draw(r, "release"),
			}
		}), 1, 40).Draw(r, "steps")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			list := &expiry{}
			var all []*deadline
			ends := map[*deadline]error{} // those released before their time
			for i, s := range steps {
				elapse(s.pause)
				d := newDeadline(context.Background(), s.after, list)
				_ = d.Done()
				all = append(all, d)
				if s.release >= 0 && s.release < len(all) {
					if other := all[s.release]; now() < other.at && ends[other] == nil {
						other.release()
						ends[other] = context.Canceled
					}
				}
				waiting := 0
				for n, d := range all {
					want := ends[d]
					if want == nil && now() >= d.at {
						want = context.DeadlineExceeded
					}
					done := false
					select {
					case <-d.done:
						done = true
					default:
					}
					if done != (want != nil) || done && d.Err() != want {
						wrong = fmt.Sprintf("step %d, deadline %d: done %t, model %v", i, n, done, want)
						return
					}
					if want == nil && d.kept.Load() == nil {
						waiting++
					}
				}
				listed := 0
				list.mu.Lock()
				for d := list.first; d != nil; d = d.later {
					if listed++; d.later != nil && d.at > d.later.at || d.later == nil && list.last != d {
						wrong = fmt.Sprintf("step %d: the list is out of order", i)
					}
				}
				list.mu.Unlock()
				if listed != waiting {
					wrong = fmt.Sprintf("step %d: %d in the list, model %d", i, listed, waiting)
				}
				if wrong != "" {
					return
				}
			}
			elapse(time.Minute)
			list.mu.Lock()
			defer list.mu.Unlock()
			if list.first != nil || list.last != nil || list.armed {
				wrong = "the list is not empty in the end, or a timer runs"
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// A deadline is used from many goroutines at once: one channel for all, an error as
// soon as it is closed and not before, every function run or stopped, and nothing
// stays in the list.
func TestDeadlineSharedByGoroutines(t *testing.T) {
	list := &expiry{}
	for round := range 600 {
		top, cancel := context.WithCancel(context.Background())
		parent := context.Context(top)
		above := newDeadline(top, time.Duration(round%7)*50*time.Microsecond, list)
		if round%2 == 0 {
			parent = above
		}
		own := list // or a timer of its own
		if round%3 == 0 {
			own = nil
		}
		d := newDeadline(parent, time.Duration(round%5)*70*time.Microsecond, own)
		channels := make([]<-chan struct{}, 6)
		var ran sync.WaitGroup
		var all sync.WaitGroup
		for i := range channels {
			all.Go(func() {
				switch {
				case i == 0:
					child, stop := context.WithCancel(d)
					<-child.Done()
					stop()
				case i == 1:
					ran.Add(1)
					if stop := context.AfterFunc(d, ran.Done); round%4 == 0 && stop() {
						ran.Done()
					}
				case i == 2 && round%5 == 0:
					cancel()
				case i == 3 && round%3 == 1:
					d.release()
				case i == 4 && d.Err() != nil:
					select {
					case <-d.Done():
					default:
						t.Error("it has an error and is not done")
					}
				}
				channels[i] = d.Done()
				<-channels[i]
				if d.Err() == nil {
					t.Error("it is done and has no error")
				}
			})
		}
		all.Wait()
		ran.Wait()
		for _, c := range channels {
			if c != d.Done() {
				t.Fatal("two channels of one context")
			}
		}
		cancel()
		above.release()
	}
	list.mu.Lock()
	defer list.mu.Unlock()
	if list.first != nil {
		t.Error("some stayed in the list")
	}
}

// A call becomes a time-out if it failed, and only if the policy's deadline came
// before the end of the call while its caller still waited.
func TestTimeoutAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		after := rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond, time.Second}).Draw(r, "after")
		patience := rapid.SampledFrom([]time.Duration{0, 41 * time.Millisecond, 501 * time.Millisecond, time.Minute}).Draw(r, "patience")
		leaves := rapid.SampledFrom([]time.Duration{0, 0, 33 * time.Millisecond, 603 * time.Millisecond}).Draw(r, "leaves")
		takes := rapid.SampledFrom([]time.Duration{0, 37 * time.Millisecond, 307 * time.Millisecond, 2 * time.Second}).Draw(r, "takes")
		heeds := rapid.Bool().Draw(r, "heeds its context")
		answer := rapid.SampledFrom([]error{nil, errDown}).Draw(r, "answer")
		synctest.Test(t, func(*testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			gone := never
			if leaves > 0 {
				gone = leaves
				time.AfterFunc(leaves, cancel)
			}
			deadline := after
			if patience > 0 {
				ctx, cancel = context.WithTimeout(ctx, patience)
				defer cancel()
				gone = min(gone, patience)
				deadline = min(after, patience)
			}
			p := NewTimeout("x", after)
			begin := now()
			var told time.Duration
			err := p.Do(ctx, func(ctx context.Context) error {
				at, _ := ctx.Deadline()
				told = time.Until(at)
				if !heeds {
					elapse(takes)
					return answer
				}
				if sleep(ctx, takes) {
					return answer
				}
				return ctx.Err()
			})
			took := now() - begin

			wantTook, want := takes, answer
			if cut := min(after, gone); heeds && cut < takes {
				wantTook, want = cut, context.DeadlineExceeded
				if cut == leaves {
					want = context.Canceled
				}
			}
			// At after = takes = 0 either may come first.
			either := after == 0 && takes == 0
			if want != nil && after <= wantTook && gone > wantTook && (patience <= 0 || patience > after) {
				want = ErrTimeout
			}
			timeouts := uint64(0)
			if want == ErrTimeout {
				timeouts = 1
			}
			if took != wantTook || told != deadline || !either && (!errors.Is(err, want) || p.Snapshot().Counts["timeout"] != timeouts || p.Snapshot().Counts["calls"] != 1) {
				r.Fatalf("%v after %v with deadline %v, model %v after %v with %v; counts %v", err, took, told, want, wantTook, deadline, p.Snapshot().Counts)
			}
		})
	})
}

// A deadline ends in time although a later one, for which the timer was set, has
// left the list before.
func TestExpiryAfterALaterOneLeft(t *testing.T) {
	for name, later := range map[string]func(*Timeout) context.Context{
		"began later": func(p *Timeout) context.Context {
			elapse(800 * time.Millisecond)
			return newDeadline(context.Background(), time.Second, &p.lists[0])
		},
		"was longer": func(p *Timeout) context.Context {
			return newDeadline(context.Background(), 30*time.Second, &p.lists[0])
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := NewTimeout("x", time.Second)
			begin := now()
			a := newDeadline(context.Background(), time.Second, &p.lists[0])
			b := later(p).(*deadline)
			_ = b.Done()
			elapse(50 * time.Millisecond)
			b.release()
			elapse(50 * time.Millisecond)
			<-a.Done()
			if took := now() - begin; took != time.Second {
				t.Errorf("%s: ended after %v", name, took)
			}
		})
	}
}

// A shorter time is in force at once, also beside what was begun under a longer one.
func TestTimeoutMadeShorter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewTimeout("x", 30*time.Second)
		until := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		canceled, cancel := context.WithCancel(context.Background())
		for range 64 { // in every list
			go func() { _ = p.Do(canceled, until) }()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		p.Configure(time.Second)
		begin := now()
		if err := p.Do(context.Background(), until); !errors.Is(err, ErrTimeout) || now()-begin != time.Second {
			t.Errorf("%v after %v", err, now()-begin)
		}
	})
}

// What must not be made again stays so when it times out.
func TestTimeoutKeepsPermanent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, permanent := range []bool{false, true} {
			made := 0
			err := Compose(quickRetry(), NewTimeout("x", time.Second)).Do(context.Background(), func(ctx context.Context) error {
				made++
				<-ctx.Done()
				if permanent {
					return Permanent(ctx.Err())
				}
				return ctx.Err()
			})
			if want := map[bool]int{false: 3, true: 1}[permanent]; made != want || !errors.Is(err, ErrTimeout) || !errors.As(err, new(*TimeoutError)) {
				t.Errorf("permanent %t: made %d times, want %d; %v", permanent, made, want, err)
			}
		}
	})
}
