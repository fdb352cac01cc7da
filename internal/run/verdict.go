package run

import (
	"errors"
	"fmt"
	"time"
)

// verdict is how a run or a step ended, and why.
type verdict struct {
	status Status
	reason string
}

// canceled is the cause of a context that somebody cancelled.
type canceled struct{ by string }

func (c canceled) Error() string { return "canceled by " + c.by }

// timedOut is the cause of a context whose time was up.
type timedOut struct{ after time.Duration }

func (t timedOut) Error() string { return fmt.Sprintf("timed out after %s", t.after) }

// errStopping is the cause of a context when daytwo stops.
var errStopping = errors.New("daytwo stopped while this ran")

// judge decides how something ended that returned err, when cause is why its
// context ended, nil if it has not. What returned nil has succeeded: it got
// through in time.
func judge(err, cause error) verdict {
	var byUser canceled
	var late timedOut
	switch {
	case err == nil:
		return verdict{Succeeded, ""}
	case errors.As(cause, &byUser):
		return verdict{Canceled, byUser.Error()}
	case errors.As(cause, &late):
		return verdict{Failed, late.Error()}
	case errors.Is(cause, errStopping):
		return verdict{Interrupted, errStopping.Error()}
	default:
		return verdict{Failed, err.Error()}
	}
}

// maxCrashes is how often a run is taken up again without a step succeeding in
// between: it may be what brings daytwo down.
const maxCrashes = 10

// afterCrash decides what becomes of a run that was running when the last
// process ended without a word.
func afterCrash(known, resumable bool, canceledBy string, crashes int) verdict {
	switch {
	case canceledBy != "":
		return verdict{Canceled, canceled{canceledBy}.Error()}
	case !known:
		return verdict{Interrupted, "daytwo stopped while this ran, and the one that started does not know its kind"}
	case !resumable:
		return verdict{Interrupted, errStopping.Error()}
	case crashes >= maxCrashes:
		return verdict{Failed, fmt.Sprintf("daytwo stopped %d times while this ran, without a step succeeding", crashes+1)}
	default:
		return verdict{Queued, "daytwo stopped while this ran; it goes on"}
	}
}
