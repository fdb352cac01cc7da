package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestLineKeepsOrderAndBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l line
		if mine, err := l.wait(t.Context()); !mine || err != nil {
			t.Fatal(mine, err)
		}
		var order []int
		for i := range maxWaiting {
			go func() {
				if mine, err := l.wait(t.Context()); !mine || err != nil {
					t.Error(mine, err)
				}
				order = append(order, i)
				l.end()
			}()
			synctest.Wait() // each is in line before the next comes
		}
		if mine, err := l.wait(t.Context()); mine || problem.CodeOf(err) != problem.Exhausted {
			t.Errorf("beyond the bound: %v %v", mine, err)
		}
		l.end()
		synctest.Wait()
		if len(order) != maxWaiting || !slices.IsSorted(order) || l.taken {
			t.Errorf("%d had their turn, in order: %v", len(order), slices.IsSorted(order))
		}
	})
}

func TestLineGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l line
		if mine, err := l.wait(t.Context()); !mine || err != nil {
			t.Fatal(mine, err)
		}
		start := time.Now()
		if mine, err := l.wait(t.Context()); mine || problem.CodeOf(err) != problem.Unavailable || time.Since(start) != maxWait {
			t.Errorf("after %s: %v %v", time.Since(start), mine, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if mine, err := l.wait(ctx); mine || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a deadline: %v %v", mine, err)
		}
		if l.length() != 0 {
			t.Errorf("%d still wait", l.length())
		}
	})
}

// Whatever comes together, nobody shares a turn and none is lost.
func TestLineUnderCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l line
		holders, turns := 0, 0
		for range 500 {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(100))*time.Millisecond)
				defer cancel()
				mine, err := l.wait(ctx)
				if !mine {
					return
				}
				if holders++; holders != 1 {
					t.Errorf("%d have the turn", holders)
				}
				if err == nil {
					turns++
					time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
				}
				holders--
				if !l.callNext() {
					l.end()
				}
			}()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if l.taken || l.length() != 0 || turns == 0 {
			t.Errorf("in the end it is taken: %v, %d wait, %d had a turn", l.taken, l.length(), turns)
		}
		<-l.close()
		if mine, err := l.wait(t.Context()); mine || problem.CodeOf(err) != problem.Unavailable {
			t.Errorf("after the close: %v %v", mine, err)
		}
	})
}
