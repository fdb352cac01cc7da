package incident

import (
	"fmt"
	"time"
)

// Move is what becomes of an alert that fires.
type Move string

const (
	Ignore Move = "ignore" // already known
	Rejoin Move = "rejoin" // it is part of the open incident and fires again
	Join   Move = "join"   // it joins the open incident
	Open   Move = "open"   // it opens an incident
)

// Decision is a move and the reason people are shown.
type Decision struct {
	Move   Move
	Reason string
}

// seen is what is known of an alert from before.
type seen struct {
	incident Incident // the latest it belongs to
	firing   bool
}

// decideTrigger says what becomes of an alert that fires, given where it was seen before (nil: nowhere) and the open incident of
// its group (nil: none). of is what groups it, see decideGroup.
func decideTrigger(before *seen, open *Incident, of string) Decision {
	switch {
	case before != nil && before.firing:
		return Decision{Ignore, fmt.Sprintf("it already fires in #%d", before.incident.Number)}
	case open != nil && before != nil && before.incident.ID == open.ID:
		return Decision{Rejoin, "it fires again"}
	case open != nil:
		return Decision{Join, fmt.Sprintf("#%d of the same %s is open", open.Number, of)}
	case before != nil:
		return Decision{Open, fmt.Sprintf("it fires again after #%d was resolved", before.incident.Number)}
	}
	return Decision{Open, fmt.Sprintf("no incident of the same %s is open", of)}
}

// decideCleared says whether an incident ends when one of its alerts stops firing and the given number still fires.
func decideCleared(i Incident, firing int) (resolve bool, reason string) {
	switch {
	case !i.Open():
		return false, "the incident is resolved already"
	case firing > 0:
		return false, plural(firing, "alert") + " still firing"
	case i.OpenedBy != "":
		return false, "somebody opened the incident by hand, so somebody resolves it"
	}
	return true, "none of its alerts fires any more"
}

// decideRespond says what an acknowledgement (to Acknowledged) or a resolution (to Resolved) does. Late and repeated ones change
// nothing and are no error: two people tap at once.
func decideRespond(from, to Status) (change bool, reason string) {
	switch {
	case from == Resolved:
		return false, "the incident is resolved already"
	case from == to:
		return false, "the incident is acknowledged already"
	}
	return true, ""
}

const (
	maxAttempts  = 10
	firstBackoff = time.Second
	maxBackoff   = time.Minute
)

// decideFailed says what becomes of a page whose attempt failed for the given time: another after some seconds, or none.
func decideFailed(attempts int, permanent bool) (again bool, after time.Duration, reason string) {
	switch {
	case permanent:
		return false, 0, "trying again cannot help"
	case attempts >= maxAttempts:
		return false, 0, fmt.Sprintf("%d attempts failed", attempts)
	}
	after = maxBackoff
	if attempts < 7 {
		after = min(maxBackoff, firstBackoff<<max(attempts-1, 0))
	}
	return true, after, fmt.Sprintf("attempt %d of %d failed", attempts, maxAttempts)
}

// worse returns the worse of two severities. One that is not known counts as critical: better loud than lost.
func worse(a, b string) string {
	if rank(b) < rank(a) {
		return known(b)
	}
	return known(a)
}

func known(severity string) string {
	return [...]string{Critical, Warning, Info}[rank(severity)]
}

func rank(severity string) int {
	switch severity {
	case Info:
		return 2
	case Warning:
		return 1
	}
	return 0
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// decideRearm says what the end of a snooze, or of the time somebody had after acknowledging, does.
func decideRearm(i Incident, now time.Time) (again bool, reason string) {
	switch {
	case i.Status != Acknowledged:
		return false, ""
	case i.SnoozedUntil != nil && !now.Before(*i.SnoozedUntil):
		return true, "the snooze is over"
	case i.SnoozedUntil != nil:
		return false, ""
	}
	return true, "it was acknowledged and not resolved in time"
}
