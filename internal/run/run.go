// Package run is the one engine for every execution: deploys, pipelines,
// playbooks, experiments. A run has a tree of steps, a live log, a result, and
// can be cancelled. It is durable from the moment Start's transaction commits:
// after a crash it goes on where it was (Kind.Resumable) or says honestly that
// it was interrupted.
package run

import "time"

// Status is where a run or a step is in its life.
type Status string

const (
	Queued      Status = "queued"
	Running     Status = "running"
	Succeeded   Status = "succeeded"
	Failed      Status = "failed"
	Canceled    Status = "canceled"
	Interrupted Status = "interrupted" // daytwo stopped in the middle; how far it came is in the log
)

// Final tells whether s is an end.
func (s Status) Final() bool { return s != Queued && s != Running }

// Run is one execution.
type Run struct {
	ID         string            `json:"id"`
	Kind       string            `json:"kind" doc:"what executes: deploy, pipeline, playbook …"`
	Title      string            `json:"title"`
	Service    string            `json:"service,omitempty"`
	Actor      string            `json:"actor,omitempty" doc:"who started it"`
	Exclusive  string            `json:"exclusive,omitempty" doc:"runs with the same key never overlap"`
	Status     Status            `json:"status" enum:"queued,running,succeeded,failed,canceled,interrupted"`
	Error      string            `json:"error,omitempty" doc:"why it did not succeed"`
	CanceledBy string            `json:"canceledBy,omitempty" doc:"who asked for its end, which a running one reaches a little later"`
	QueuedAt   time.Time         `json:"queuedAt"`
	StartedAt  time.Time         `json:"startedAt,omitzero"`
	FinishedAt time.Time         `json:"finishedAt,omitzero"`
	Steps      []Step            `json:"steps" doc:"in tree order, parents before children; empty in lists of runs"`
	Output     map[string]string `json:"output,omitempty"`
}

// Step is one node of the tree of a run.
type Step struct {
	Path       string    `json:"path" doc:"names from the root, joined by /; unique in the run"`
	Name       string    `json:"name"`
	Depth      int       `json:"depth" doc:"0 for the steps of the run itself"`
	Status     Status    `json:"status" enum:"running,succeeded,failed,canceled,interrupted"`
	Attempt    int       `json:"attempt" doc:"from 1"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	Error      string    `json:"error,omitempty"`
}

// Streams a line of the log may come from.
const (
	Out = "out" // what the run says
	Err = "err" // standard error of its commands
	Sys = "sys" // what the engine says about the run
)

// Line is one line of the log of a run.
type Line struct {
	Seq    int64     `json:"seq" doc:"ascending from 1; a gap is a loss that a later line tells of"`
	Time   time.Time `json:"time"`
	Step   string    `json:"step,omitempty" doc:"path of the step it belongs to"`
	Stream string    `json:"stream" enum:"out,err,sys"`
	Text   string    `json:"text"`
}
