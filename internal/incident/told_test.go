package incident

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/notify"
)

// A retry to somebody who was told already makes nothing wait longer.
func TestARetryDoesNotPushOnWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w wire
		for attempts := 1; attempts <= 3; attempts++ {
			a := attempt{Page: Page{Person: "ada", Channel: notify.Email, Attempts: attempts}, to: "ada@example.com"}
			w.enter(a)
			w.leave(a, true)
			time.Sleep(bundleWithin / 3) // virtual
		}
		if r := w.room(); len(r.told) > 0 {
			t.Errorf("half a minute after the first message: %+v", r.told)
		}
	})
}
