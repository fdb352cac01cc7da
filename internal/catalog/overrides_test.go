package catalog_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// Of all who swap the same two shifts at once, one does.
func TestTheSameShiftsAreSwappedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := &clock{moment(t, "2026-03-04T12:00:00Z")}
		l := openLive(t, db, c, "ada, grace")
		calendar, _ := l.Current().Calendar("primary")
		now := calendar.Now(c.now)
		errs := make([]error, 6)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				_, errs[i] = l.Swap(t.Context(), "primary", schedule.Span{Start: c.now, End: now.On.End}, now.Next.Span, fmt.Sprint(i))
			})
		}
		all.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if code(err) != problem.Conflict {
				t.Error(err)
			}
		}
		s, _ := l.Current().Schedule("primary")
		if done != 1 || len(s.Overrides) != 2 {
			t.Errorf("%d swapped, %d overrides", done, len(s.Overrides))
		}
	})
}

// Imports under many names have one limit together, and what goes makes room for what comes.
func TestImportsLeaveRoomForAnOverride(t *testing.T) {
	c := &clock{moment(t, "2026-03-04T12:00:00Z")}
	l := openLive(t, storetest.New(t), c, "ada, grace")
	many := func(n int) (list []schedule.Override) {
		for i := range n {
			start := c.now.Add(time.Duration(i) * time.Hour)
			list = append(list, schedule.Override{Person: "ada", Start: start, End: start.Add(time.Hour)})
		}
		return list
	}
	ctx := t.Context()
	for range 2 {
		if made, err := l.Import(ctx, "primary", "a", many(6_000)); err != nil || len(made) != 6_000 {
			t.Fatalf("%d, %v", len(made), err)
		}
	}
	if _, err := l.Import(ctx, "primary", "b", many(4_001)); code(err) != problem.TooLarge {
		t.Errorf("more than a schedule may have: %v", err)
	}
	if _, err := l.Import(ctx, "primary", "b", many(3_999)); err != nil {
		t.Error(err)
	}
	if _, err := l.Override(ctx, "primary", many(1)...); err != nil {
		t.Errorf("what was left: %v", err)
	}
	if _, err := l.Override(ctx, "primary", many(1)...); code(err) != problem.TooLarge {
		t.Errorf("one too many: %v", err)
	}
}
