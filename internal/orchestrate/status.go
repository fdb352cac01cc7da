package orchestrate

import (
	"fmt"
	"time"
)

// Status of a workload.
type Status string

const (
	Running  Status = "running"
	Starting Status = "starting"
	Crashing Status = "crashing"
	Stopped  Status = "stopped"
)

// phase is what a unit is doing.
type phase int

const (
	idle     phase = iota // nothing is to run
	starting              // up, and has not been ready yet
	up                    // has been ready
	backoff               // ended by itself; waits for the next start
	stopping
)

// observed is what is known of a workload's process.
type observed struct {
	generation int64 // of what is wanted that this is about
	revision   int
	phase      phase
	pid        int
	started    time.Time
	ready      bool
	exits      int       // how often it ended by itself or could not be started, in this generation
	hopeless   bool      // the last start failed for a reason that will not pass
	fault      string    // why it is not ready, or how it ended
	next       time.Time // of the next start, in back-off
	replaced   ending    // of the process before, if it was stopped for this generation
}

// ending is how a process ended that was asked to. The zero value: there was none,
// or it is not known.
type ending struct {
	graceful bool   // by itself, within its time and without an error
	how      string // for a person
}

// judge names the status and, where it is not simply good, the reason.
func judge(o observed, now time.Time) (Status, string) {
	switch o.phase {
	case starting:
		if o.exits > 0 {
			return Starting, reason("Restarted", fmt.Sprintf("%d times; %s", o.exits, o.fault))
		}
		return Starting, reason("NotReady", o.fault)
	case up:
		if !o.ready {
			return Running, reason("NotReady", o.fault)
		}
		return Running, ""
	case backoff:
		wait := max(0, o.next.Sub(now)).Round(100 * time.Millisecond)
		if o.pid == 0 {
			return Crashing, reason("CannotStart", fmt.Sprintf("%s; next try in %v", o.fault, wait))
		}
		return Crashing, reason("CrashLoopBackOff", fmt.Sprintf("%s; next start in %v", o.fault, wait))
	case stopping:
		return Stopped, reason("Stopping", fmt.Sprintf("waiting for process %d to end", o.pid))
	}
	return Stopped, o.fault
}

func reason(name, detail string) string {
	if detail == "" {
		return name
	}
	return name + ": " + detail
}
