package orchestrate

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// Workload is what can be told about a workload now.
type Workload struct {
	Name      string `json:"name"`
	Service   string `json:"service"`
	Version   string `json:"version,omitempty"`
	Revision  int    `json:"revision" doc:"the one that should run; 0 if none could be deployed yet"`
	Deploying bool   `json:"deploying" doc:"that revision has not been ready yet"`
	Status    Status `json:"status" enum:"running,starting,crashing,stopped"`
	Reason    string `json:"reason,omitempty" doc:"why it is not simply running; begins with a name such as CrashLoopBackOff"`
	Ready     bool   `json:"ready"`
	PID       int    `json:"pid,omitempty"`
	Restarts  int    `json:"restarts" doc:"of this revision, since daytwo started or it was deployed"`
	StartedAt string `json:"startedAt,omitempty" format:"date-time"`
	Address   string `json:"address,omitempty" doc:"host:port"`
	Run       string `json:"run,omitempty" doc:"id of the run that brought the revision"`
}

// Workloads tells about all.
func (o *Orchestrator) Workloads(ctx context.Context) ([]Workload, error) { return o.describe(ctx, "") }

// describe tells about the workloads that a condition selects.
func (o *Orchestrator) describe(ctx context.Context, where string, args ...any) ([]Workload, error) {
	all := []Workload{}
	err := o.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := readRows(ctx, tx, where, args...)
		if err != nil {
			return err
		}
		ports, err := readPorts(ctx, tx)
		if err != nil {
			return err
		}
		for _, w := range rows {
			v := Workload{Name: w.name, Service: w.service, Revision: w.desired, Deploying: w.desired != w.current}
			shown := w.desired
			if shown == 0 {
				shown = w.latest
			}
			r, err := readRevision(ctx, tx, w.name, shown)
			if err != nil {
				return err
			}
			v.Version, v.Run = r.Version, r.Run
			v.show(o.observe(w.name), r)
			if port := ports[w.name]; port != 0 {
				v.Address = net.JoinHostPort(loopback, strconv.Itoa(port))
			}
			all = append(all, v)
		}
		return nil
	})
	return all, err
}

func (v *Workload) show(seen observed, r Revision) {
	v.Status, v.Reason = judge(seen, time.Now())
	v.Ready, v.Restarts = seen.ready, seen.exits
	if seen.phase == starting || seen.phase == up || seen.phase == stopping {
		v.PID, v.StartedAt = seen.pid, seen.started.Format(time.RFC3339Nano)
	}
	switch {
	case v.Status != Stopped || v.Reason != "":
	case r.State == failed:
		v.Reason = reason("DeployFailed", r.Fault)
	case r.State == pending && v.Revision == 0:
		v.Reason = reason("Queued", fmt.Sprintf("%s is about to be deployed", r.title()))
	}
}
