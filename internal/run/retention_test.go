package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// The logs of old runs go; the runs and the logs of newer ones stay.
func TestOldLogsGo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		talks := simple(func(_ context.Context, t *run.Task) error {
			t.Logf("one\ntwo\nthree")
			return nil
		})
		e, _ := engine(t, db, talks)
		stop := running(t, e)
		old := make([]run.Run, 25) // more than one transaction takes
		for i := range old {
			old[i] = wait(t, e, start(t, e, run.Spec{}).ID)
		}
		stop()

		again, _ := engine(t, db, talks, func(c *run.Config) { c.LogAge = time.Nanosecond })
		running(t, again)
		deadline := time.Now().Add(time.Minute)
		for _, r := range old {
			for len(texts(t, again, r.ID, "")) > 1 {
				if time.Now().After(deadline) {
					t.Fatalf("the log of %s is still there", r.ID)
				}
				time.Sleep(5 * time.Millisecond) // another goroutine drops them, and tells nobody
			}
			if log := texts(t, again, r.ID, run.Sys); len(log) != 1 || !strings.Contains(log[0], "the log was dropped") {
				t.Errorf("left of the log: %q", log)
			}
			if kept, err := again.Get(t.Context(), r.ID); err != nil || kept.Status != run.Succeeded {
				t.Errorf("the run is %+v, %v", kept, err)
			}
		}
		fresh := wait(t, again, start(t, again, run.Spec{}).ID)
		expect(t, "the log of a new run", len(texts(t, again, fresh.ID, run.Out)), 3)
	})
}
