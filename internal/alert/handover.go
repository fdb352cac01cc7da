package alert

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"

	"github.com/daytwo-dev/daytwo/internal/alert/alertmanager"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// An alert on record is handed over to become an incident when its route says so and nothing holds it: in the transaction in
// which it is recorded as firing, or later in one of its own, whose timeline entry is alert/released. Whichever it is happens
// once, since it is written beside the alert, and happens at last, since the alerts that fire and were not handed over are looked
// at again every second, also after a restart.

// decideHandover completes an alert that begins to fire.
func (a *Alerts) decideHandover(ctx context.Context, one *Alert) *Alert {
	now := time.Now()
	if one.Withheld = a.withheld(ctx, one, now); one.Withheld == "" {
		at := now.UTC().Truncate(time.Microsecond)
		one.HandedAt = &at
	}
	return one
}

// Reasons not to hand over that are not Alertmanager's.
const (
	whyInforms = "it only informs (severity)"
	whyDropped = "alert_relabel_configs of prometheus.yml drops it"
)

// withheld says why an alert is not handed over now; empty: it is.
func (a *Alerts) withheld(ctx context.Context, one *Alert, now time.Time) string {
	sent, kept := a.sentLabels(one)
	if !kept {
		return whyDropped
	}
	why, explicit := a.routing.Withheld(ctx, sent, one.StartsAt, now)
	if why == "" && !explicit && tone(one.Severity) == timeline.Info {
		return whyInforms
	}
	return why
}

// sentLabels are the labels under which Alertmanager knows an alert: those of a rule as Prometheus sends them, with external
// labels and relabelled; those from outside as they came. kept is false if relabelling drops the alert.
func (a *Alerts) sentLabels(one *Alert) (sent event.Labels, kept bool) {
	if one.Source == FromOutside {
		return one.Labels, true
	}
	c := a.cfg.Engine.Config()
	if c.GlobalConfig.ExternalLabels.IsEmpty() && len(c.AlertingConfig.AlertRelabelConfigs) == 0 {
		return one.Labels, true
	}
	b := labels.NewBuilder(labels.FromMap(one.Labels))
	c.GlobalConfig.ExternalLabels.Range(func(l labels.Label) {
		if one.Labels[l.Name] == "" {
			b.Set(l.Name, l.Value)
		}
	})
	kept = relabel.ProcessBuilder(b, c.AlertingConfig.AlertRelabelConfigs...)
	return b.Labels().Map(), kept
}

// publish tells Alertmanager of alerts as they are on record now.
func (a *Alerts) publish(ctx context.Context, changed []*Alert) {
	a.routing.Publish(ctx, a.told(changed))
}

// told is what Alertmanager is told of alerts. One that fires never has an end before expire would end it.
func (a *Alerts) told(changed []*Alert) (told []*alertmanager.Alert) {
	for _, one := range changed {
		sent, kept := a.sentLabels(one)
		if !kept {
			continue
		}
		// An end that is put off at each telling, as Prometheus does: if a telling of the past overtakes that of the end, it is made up for.
		ends := time.Now().Add(4 * tellAgain * lookAgain)
		if !one.expires.IsZero() {
			ends = later(one.expires, a.mayExpire())
		}
		if one.State == Resolved {
			if a.firesElsewhere(one) {
				continue
			}
			ends = *one.EndsAt
		}
		source := one.Generator
		if source == "" {
			source = a.cfg.PublicURL + "/alerts/" + one.ID
		}
		told = append(told, alertmanager.NewAlert(sent, one.given(), one.StartsAt, ends, source))
	}
	return told
}

// given are the annotations of the rule or the sender.
func (a *Alert) given() event.Labels {
	all := a.Annotations.Clone()
	for _, name := range a.added {
		delete(all, name)
	}
	return all
}

// beyond are the names of the annotations that were not given, in order.
func beyond(given, all event.Labels) (added []string) {
	for name := range all {
		if given[name] == "" {
			added = append(added, name)
		}
	}
	slices.Sort(added)
	return added
}

// firesElsewhere tells whether an alert of the same labels fires by another rule: for Alertmanager both are one.
func (a *Alerts) firesElsewhere(one *Alert) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for rule, of := range a.firing {
		if rule != one.rule && of[one.Fingerprint] != nil {
			return true
		}
	}
	return false
}

// lookAgain is how often alerts are looked at that were not handed over, or that end unless somebody says they go on.
const lookAgain = time.Second

// tellAgain is after how many looks Alertmanager is told again of what fires, as Prometheus does.
const tellAgain = 60

// tend hands over what nothing holds any more, and ends alerts from outside that nobody speaks of, until ctx ends.
func (a *Alerts) tend(ctx context.Context) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for looks := 1; ; looks++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.expire(ctx, time.Now())
			a.release(ctx, time.Now())
			if looks%tellAgain == 0 {
				a.publish(ctx, a.Firing()) // their texts may be others by now
			}
		}
	}
}

// notHanded are the alerts that fire and were not handed over.
func (a *Alerts) notHanded() []*Alert {
	return slices.DeleteFunc(a.Firing(), func(one *Alert) bool { return one.HandedAt != nil })
}

// release looks at every alert that was not handed over. What fails is tried again at the next look.
func (a *Alerts) release(ctx context.Context, now time.Time) {
	var free []*Alert
	for _, one := range a.notHanded() {
		why := a.withheld(ctx, one, now)
		if why == "" {
			free = append(free, one)
		} else if why != one.Withheld {
			a.amend(one, func(fresh *Alert) { fresh.Withheld = why })
		}
	}
	for part := range slices.Chunk(free, maxTogether) {
		if err := a.handOver(ctx, part, now); err != nil && ctx.Err() == nil {
			a.counters.failures.Inc()
			a.cfg.Logger.Error("hand over alerts; tried again in a moment", "error", err)
		}
	}
}

// amend changes a firing alert in memory, if it still fires: readers may hold the old one.
func (a *Alerts) amend(one *Alert, change func(*Alert)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if on := a.firing[one.rule][one.Fingerprint]; on != nil && on.ID == one.ID {
		fresh := *on
		change(&fresh)
		a.firing[one.rule][one.Fingerprint] = &fresh
	}
}

// handOver writes that alerts are handed over, each with its timeline entry, unless they have ended meanwhile.
func (a *Alerts) handOver(ctx context.Context, free []*Alert, now time.Time) error {
	at := now.UTC().Truncate(time.Microsecond)
	return a.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		for _, one := range free {
			done, err := tx.Exec(ctx, `UPDATE alerts SET handed_at = ?, withheld = '' WHERE id = ? AND state = ? AND handed_at = 0`,
				store.Micros(at), one.ID, string(Firing))
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			if err := a.cfg.Timeline.Append(ctx, tx, one.released(at)); err != nil {
				return err
			}
			tx.OnCommit(func() {
				a.counters.handed.WithLabelValues("later").Inc()
				a.amend(one, func(fresh *Alert) { fresh.HandedAt, fresh.Withheld = &at, "" })
			})
		}
		return nil
	})
}

// released is the entry of an alert that is handed over after it began to fire.
func (a *Alert) released(at time.Time) *timeline.Entry {
	e := a.entry()
	e.Time, e.Action = at, "released"
	e.Data = maps.Clone(e.Data)
	delete(e.Data, "withheld")
	if a.Withheld != "" {
		e.Data["was"] = cut(a.Withheld, maxSummary)
	}
	return e
}
