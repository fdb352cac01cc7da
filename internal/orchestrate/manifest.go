package orchestrate

import (
	"reflect"
	"time"
)

// Manifest is what a workload should be: the part of a Kubernetes Deployment
// that daytwo acts on for a process of this host. Parse refuses what it would
// have to ignore.
type Manifest struct {
	Name     string
	Service  string // of the catalog: annotation daytwo.dev/service, else label app.kubernetes.io/name, else Name
	Version  string // label app.kubernetes.io/version of the pod template; may be empty
	Replicas int    // 0 or 1

	Command []string
	Args    []string
	Env     []EnvVar
	Dir     string // absolute; empty: a directory of the workload's own
	Port    int    // 0: one is allocated when the workload is first seen, and kept

	Probe    *Probe  // nil: ready as soon as it listens, or runs if it declares no port
	Listens  bool    // a port is declared
	Scrape   *Scrape // nil: not scraped
	Grace    time.Duration
	Deadline time.Duration // for a new revision to become ready

	Text string // the document, normalised; comments are kept
}

// EnvVar is one variable of the process. Its value may refer to others.
type EnvVar struct{ Name, Value string }

// Probe asks the process whether it is ready, by HTTP on its port.
type Probe struct {
	Path                               string
	InitialDelay, Period, Timeout      time.Duration
	SuccessThreshold, FailureThreshold int
}

// Scrape says where the process shows its metrics, on its port or another.
type Scrape struct {
	Path string
	Port int // 0: the workload's
}

// Same tells whether two manifests ask for the same, however they are written.
func (m Manifest) Same(other Manifest) bool {
	m.Text, other.Text = "", ""
	return reflect.DeepEqual(m, other)
}

// title names a revision as people do.
func (m Manifest) title(revision int) string {
	if m.Version != "" {
		return m.Version
	}
	return revisionName(revision)
}
