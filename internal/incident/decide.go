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
	maxAttempts  = 10 // quick ones, over about four minutes
	firstBackoff = time.Second
	maxBackoff   = time.Minute

	slowAttempts = 12 // five minutes apart, after the quick ones
	slowBackoff  = 5 * time.Minute
	idleBackoff  = 15 * time.Minute // after those
	keepTrying   = 48 * time.Hour   // since the page was made
)

// failed is what becomes of a page whose attempt failed.
type failed struct {
	exhausted bool          // nothing waits for it any more: the person's next channel comes, or the next step
	after     time.Duration // until it is tried again; 0: never
	reason    string
}

// decideFailed says what becomes of a page of some age whose attempt failed for the given time. It is tried quickly, then given up,
// and still tried now and then, or as soon as its channel works again: a mail server that is out for an hour loses no page.
func decideFailed(attempts int, age time.Duration, permanent bool) failed {
	switch {
	case permanent:
		return failed{exhausted: true, reason: "trying again cannot help"}
	case age >= keepTrying:
		return failed{exhausted: true, reason: fmt.Sprintf("%d attempts over %d hours failed", attempts, int(age.Hours()))}
	case attempts >= maxAttempts+slowAttempts:
		return failed{exhausted: true, after: idleBackoff, reason: fmt.Sprintf("%d attempts failed", attempts)}
	case attempts >= maxAttempts:
		return failed{exhausted: true, after: slowBackoff, reason: fmt.Sprintf("%d attempts failed", attempts)}
	}
	after := maxBackoff
	if attempts < 7 {
		after = min(maxBackoff, firstBackoff<<max(attempts-1, 0))
	}
	return failed{after: after, reason: fmt.Sprintf("attempt %d of %d failed", attempts, maxAttempts)}
}

// decideStartOver says how long after a vain escalation the next one begins: as long again as the incident has been open, from five
// minutes to an hour; after a day every six hours, so that what nobody mends does not fill the store.
func decideStartOver(open time.Duration) time.Duration {
	if open >= 24*time.Hour {
		return 6 * time.Hour
	}
	return min(max(open, 5*time.Minute), time.Hour)
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
