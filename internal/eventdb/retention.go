package eventdb

import (
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Retention says how long events are kept and how much room they may take.
type Retention struct {
	Streams event.Filter  // of labels of streams; the zero Filter: all events
	Age     time.Duration // 0: any
	Bytes   int64         // on disk; 0: any. The oldest go first
}

// Validate says what is wrong with r.
func (r *Retention) Validate() error {
	if r.Age < 0 || r.Bytes < 0 {
		return problem.New(problem.Invalid, "events cannot be kept for %s or in %d bytes", r.Age, r.Bytes).
			WithField("event-retention").WithMend("give a positive duration, for example 30d, or 0 for ever")
	}
	return r.Streams.Validate()
}
