package alert

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/alert/alertmanager"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// outsideRule is the rule that all alerts from outside are said to come from: what makes one of them is its labels.
const outsideRule = "outside"

// Limits of what comes from outside.
const (
	maxOutside = 20_000           // that fire at once
	maxLabels  = 200              // of one, and annotations as well
	sparing    = 10 * time.Minute // an end that is ahead of the one on disk by less is kept in memory alone
)

// Reasons why alerts from outside end.
const (
	whySaidOver = "its sender says that it is over"
	whyTimedOut = "its sender did not repeat it within resolve_timeout"
	whyEnded    = "the end that its sender gave has come"
)

// receive records alerts from outside: each begins, goes on or ends. After an error none of them counts, and the sender tries
// again.
func (a *Alerts) receive(ctx context.Context, alerts []*alertmanager.Alert) error {
	a.outside.Lock()
	defer a.outside.Unlock()
	now := time.Now().UTC().Truncate(time.Microsecond)
	var changed, moved []*Alert
	begun := map[string]bool{} // by fingerprint, in this batch
	firing := a.firingOf(outsideRule)
	for _, sent := range alerts {
		if a.ours(sent) {
			continue
		}
		if len(sent.Labels) > maxLabels || len(sent.Annotations) > maxLabels {
			return problem.New(problem.Invalid, "an alert has more than %d labels or annotations", maxLabels).WithField("labels")
		}
		one := a.fromOutside(sent, now)
		on := firing[one.Fingerprint]
		switch {
		case sent.ResolvedAt(now) && on != nil:
			ended := on.resolve(sent.EndsAt, whySaidOver)
			changed = append(changed, ended)
			delete(firing, one.Fingerprint)
		case sent.ResolvedAt(now), begun[one.Fingerprint]:
			// Over before anybody knew of it; or said twice in one breath.
		case on != nil:
			moved = append(moved, on.goesOn(one))
		case len(firing)+len(begun) >= maxOutside:
			a.counters.ignored.Inc()
			return problem.New(problem.Exhausted, "%d alerts from outside fire already", maxOutside).WithMend("end some of them first")
		default:
			begun[one.Fingerprint] = true
			changed = append(changed, a.decideHandover(ctx, one))
		}
	}
	if len(changed) > 0 {
		if err := a.record(ctx, changed); err != nil {
			return err
		}
	}
	return a.move(ctx, moved)
}

// ours tells whether an alert that came in set out here: prometheus.yml may name this server as an Alertmanager, and
// alertmanager.yml its webhook. It is on record already. A watched search of ours comes in by this door, and only by it.
func (a *Alerts) ours(sent *alertmanager.Alert) bool {
	return strings.HasPrefix(sent.GeneratorURL, a.cfg.PublicURL+"/alerts/") || strings.HasPrefix(sent.GeneratorURL, a.cfg.PublicURL+"/prometheus/")
}

// firingOf is a copy of what fires of a rule, by fingerprint.
func (a *Alerts) firingOf(rule string) map[string]*Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[string]*Alert, len(a.firing[rule]))
	for print, one := range a.firing[rule] {
		all[print] = one
	}
	return all
}

// fromOutside makes an alert of what was sent. Its identity is made of when it came rather than of when its sender says that it
// began: one that was taken for over and comes back is another.
func (a *Alerts) fromOutside(sent *alertmanager.Alert, now time.Time) *Alert {
	labels := event.Labels{}
	for name, value := range sent.Labels {
		labels[string(name)] = string(value)
	}
	annotations := event.Labels{}
	for name, value := range sent.Annotations {
		annotations[string(name)] = string(value)
	}
	print := labels.Fingerprint() // before anything is cut
	labels, annotations = a.shorten(labels), a.shorten(annotations)
	service := labels["service"]
	known, _ := a.cfg.Catalog.Current().Service(service)
	name := cmp.Or(labels["alertname"], "alert without a name")
	starts := sent.StartsAt.UTC().Truncate(time.Microsecond)
	if starts.After(now) {
		starts = now
	}
	identity := event.Labels{"rule": outsideRule, "labels": print, "came": now.Format(time.RFC3339Nano)}
	one := &Alert{
		ID: identity.Fingerprint(), Fingerprint: print, Name: name, Service: service,
		Severity: cmp.Or(labels["severity"], timeline.Warning), State: Firing, Labels: labels,
		Annotations: describe(name, annotations, known), StartsAt: starts, Source: FromOutside,
		Generator: cut(sent.GeneratorURL, maxText), rule: outsideRule, timeout: sent.Timeout,
	}
	one.added = beyond(annotations, one.Annotations)
	if !sent.EndsAt.IsZero() {
		one.expires = sent.EndsAt.UTC().Truncate(time.Microsecond)
		one.kept = one.expires // it is written whole
	}
	return one
}

// describe makes sure of a summary and, where there is one, a runbook: the sender's, else the service's.
func describe(name string, given event.Labels, service catalog.Service) event.Labels {
	all := given.Clone()
	all["summary"] = cmp.Or(given["summary"], given["message"], given["description"], name)
	if runbook := cmp.Or(given["runbook"], given["runbook_url"], service.Runbook); runbook != "" {
		all["runbook"] = runbook
	}
	return all
}

// goesOn is the alert on record with what was said of it last. An end that somebody gave outlasts one that only was assumed, and
// the webhook of an Alertmanager, which tells of no end, takes none away.
func (a *Alert) goesOn(said *Alert) *Alert {
	fresh := *a
	fresh.Annotations, fresh.added, fresh.Generator = said.Annotations, said.added, cmp.Or(said.Generator, a.Generator)
	if said.expires.IsZero() {
		return &fresh
	}
	if !said.timeout || a.timeout || said.expires.After(a.expires) {
		fresh.expires, fresh.timeout = said.expires, said.timeout
	}
	return &fresh
}

// move keeps ends that were moved, on disk where it matters after a restart, and tells Alertmanager.
func (a *Alerts) move(ctx context.Context, moved []*Alert) error {
	var far []*Alert
	firing := a.firingOf(outsideRule)
	for _, one := range moved {
		on := firing[one.Fingerprint]
		if on == nil {
			continue
		}
		if by := one.expires.Sub(on.kept); one.expires.IsZero() != on.kept.IsZero() || by < 0 || by > sparing {
			far = append(far, one)
		}
	}
	if len(far) > 0 {
		err := a.cfg.DB.Write(ctx, func(tx *store.Tx) error {
			for _, one := range far {
				if _, err := tx.Exec(ctx, `UPDATE alerts SET expires_at = ? WHERE id = ?`, microsOrZero(one.expires), one.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, one := range far {
			a.amend(one, func(fresh *Alert) { fresh.kept = one.expires })
		}
	}
	for _, one := range moved {
		a.amend(one, func(fresh *Alert) {
			fresh.Annotations, fresh.added, fresh.Generator = one.Annotations, one.added, one.Generator
			fresh.expires, fresh.timeout = one.expires, one.timeout
		})
	}
	a.publish(ctx, moved)
	return nil
}

// mayExpire is until when no alert from outside ends by itself: before the start its sender could not be heard.
func (a *Alerts) mayExpire() time.Time {
	return time.UnixMilli(a.started.Load()).Add(a.routing.ResolveTimeout())
}

// expire ends the alerts from outside whose end has come.
func (a *Alerts) expire(ctx context.Context, now time.Time) {
	a.outside.Lock()
	defer a.outside.Unlock()
	if now.Before(a.mayExpire()) {
		return
	}
	var over []*Alert
	for _, one := range a.firingOf(outsideRule) {
		if one.expires.IsZero() || now.Before(one.expires) {
			continue
		}
		why := whyEnded
		if one.timeout {
			why = whyTimedOut
		}
		over = append(over, one.resolve(now, why))
	}
	for i := 0; i < len(over); i += maxTogether {
		if err := a.record(ctx, over[i:min(i+maxTogether, len(over))]); err != nil && ctx.Err() == nil {
			a.counters.failures.Inc()
			a.cfg.Logger.Error("end alerts from outside; tried again in a moment", "error", err)
		}
	}
}
