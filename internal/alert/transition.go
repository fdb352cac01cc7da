package alert

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/rules"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// ruleRound is one successful evaluation of a rule.
type ruleRound struct {
	rule   *rules.AlertingRule
	key    string
	source string
	at     time.Time
	seen   map[string]observation // by fingerprint
}

// Reasons of verdicts.
const (
	whyHolds     = "its condition holds"
	whyGone      = "its condition no longer holds"
	whySame      = "its condition still holds"
	whyPending   = "its condition holds, but not yet for long enough since daytwo started"
	whySettling  = "daytwo started a moment ago: its targets are not scraped enough to tell"
	whyRuleGone  = "its rule was removed"
	whyUnnoticed = "its condition does not hold for long enough"
)

// verdict is what an evaluation means for one set of labels.
type verdict struct {
	fingerprint string
	was, is     bool // firing
	why         string
}

// judge compares the fingerprints on record as firing with what an evaluation saw. Until mayResolve nothing is resolved.
func judge(firing map[string]*Alert, seen map[string]observation, at, mayResolve time.Time) []verdict {
	prints := slices.AppendSeq(slices.Collect(maps.Keys(firing)), maps.Keys(seen))
	slices.Sort(prints)
	var verdicts []verdict
	for _, print := range slices.Compact(prints) {
		v := verdict{fingerprint: print, was: firing[print] != nil}
		switch state := seen[print].state; {
		case state == rules.StateFiring && v.was:
			v.is, v.why = true, whySame
		case state == rules.StateFiring:
			v.is, v.why = true, whyHolds
		case state == rules.StatePending && v.was:
			v.is, v.why = true, whyPending
		case !v.was:
			v.why = whyUnnoticed
		case at.Before(mayResolve):
			v.is, v.why = true, whySettling
		default:
			v.why = whyGone
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// reconcile brings the record in line with a round. If that fails nothing is lost: the next round finds the same difference.
func (a *Alerts) reconcile(ctx context.Context, r ruleRound) {
	a.mu.Lock()
	onRecord := maps.Clone(a.firing[r.key])
	a.mu.Unlock()
	// After a restart the rule has forgotten since when an alert of keep_firing_for is kept: start over.
	mayResolve := later(a.settled(), time.UnixMilli(a.started.Load()).Add(r.rule.KeepFiringFor()))

	var changed []*Alert
	for _, v := range judge(onRecord, r.seen, r.at, mayResolve) {
		switch {
		case v.is && !v.was && len(onRecord)+len(changed) >= maxFiring:
			a.counters.ignored.Inc()
		case v.is && !v.was:
			changed = append(changed, a.decideHandover(ctx, a.fire(r, v.fingerprint)))
		case v.was && !v.is:
			changed = append(changed, onRecord[v.fingerprint].resolve(r.at, v.why))
		case v.is:
			a.refresh(r, v.fingerprint)
		}
	}
	for part := range slices.Chunk(changed, maxTogether) {
		if err := a.record(ctx, part); err != nil {
			a.counters.failures.Inc()
			a.cfg.Logger.Error("record alerts; the next evaluation tries again", "rule", r.rule.Name(), "error", err)
			return
		}
	}
}

// Limits of a rule that goes mad.
const (
	maxFiring   = 5000 // alerts of one rule on record as firing; more are counted and left out until some end
	maxTogether = 200  // in one transaction: the first are paged while the last are still written
)

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// fire makes the alert of an observation that is not on record.
func (a *Alerts) fire(r ruleRound, fingerprint string) *Alert {
	seen := r.seen[fingerprint]
	start := seen.firedAt
	service := seen.labels["service"]
	known, _ := a.cfg.Catalog.Current().Service(service)
	identity := event.Labels{"rule": r.key, "labels": fingerprint, "start": start.Format(time.RFC3339Nano)}
	one := &Alert{
		ID:          identity.Fingerprint(),
		Fingerprint: fingerprint,
		Name:        r.rule.Name(),
		Service:     service,
		Severity:    cmp.Or(seen.labels["severity"], timeline.Warning),
		State:       Firing,
		Labels:      seen.labels,
		Annotations: explain(r.rule, seen.annotations, known),
		Value:       finite(seen.value),
		StartsAt:    start,
		Expr:        r.rule.Query().String(),
		Source:      r.source,
		rule:        r.key,
	}
	one.added = beyond(seen.annotations, one.Annotations)
	return one
}

// measured is a template that puts a number in which is another at the next evaluation.
var measured = regexp.MustCompile(`\{\{[^}]*(\$value\b|\.Value\b|\bquery\b)`)

// explain makes sure of a summary and, where there is one, a runbook: the rule's, else the service's. What an incident is called
// lasts longer than a number: where the summary has one, the title is the rule's name.
func explain(rule *rules.AlertingRule, given event.Labels, service catalog.Service) event.Labels {
	all := given.Clone()
	for _, key := range []string{"summary", "message", "description"} {
		if given[key] == "" {
			continue
		}
		all["summary"] = given[key]
		if written := rule.Annotations(); given["title"] == "" && measured.MatchString(written.Get(key)) {
			all["title"] = rule.Name()
		}
		break
	}
	all["summary"] = cmp.Or(all["summary"], rule.Name())
	if runbook := cmp.Or(given["runbook"], given["runbook_url"], service.Runbook); runbook != "" {
		all["runbook"] = runbook
	}
	return all
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// resolve returns the alert as ended; a itself stays as it is on record.
func (a *Alert) resolve(at time.Time, why string) *Alert {
	ended := *a
	at = later(at.UTC().Truncate(time.Microsecond), a.StartsAt)
	ended.State, ended.EndsAt, ended.Ended = Resolved, &at, why
	return &ended
}

// refresh keeps the value and the texts of a firing alert current, in memory alone: they change with every evaluation.
func (a *Alerts) refresh(r ruleRound, fingerprint string) {
	seen, ok := r.seen[fingerprint]
	if !ok || seen.state != rules.StateFiring {
		return
	}
	known, _ := a.cfg.Catalog.Current().Service(seen.labels["service"])
	a.mu.Lock()
	defer a.mu.Unlock()
	if on := a.firing[r.key][fingerprint]; on != nil {
		fresh := *on // readers may hold the old one
		fresh.Value, fresh.Annotations = finite(seen.value), explain(r.rule, seen.annotations, known)
		fresh.added = beyond(seen.annotations, fresh.Annotations)
		a.firing[r.key][fingerprint] = &fresh
	}
}

// resolveOrphans ends the alerts whose rule is no longer there.
func (a *Alerts) resolveOrphans(ctx context.Context) error {
	kept := map[string]bool{outsideRule: true} // no rule of ours
	for _, group := range a.manager.RuleGroups() {
		_, keys := a.ruleKeys(group)
		for _, key := range keys {
			kept[key] = true
		}
	}
	var orphans []*Alert
	for _, one := range a.Firing() {
		if !kept[one.rule] {
			orphans = append(orphans, one.resolve(time.Now(), whyRuleGone))
		}
	}
	if len(orphans) == 0 {
		return nil
	}
	return a.record(ctx, orphans)
}

// record writes alerts that fired or ended, each with its timeline entry, in one transaction.
func (a *Alerts) record(ctx context.Context, changed []*Alert) error {
	err := a.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		for _, one := range changed {
			if err := one.save(ctx, tx); err != nil {
				return err
			}
			if err := a.cfg.Timeline.Append(ctx, tx, one.entry()); err != nil {
				return err
			}
		}
		tx.OnCommit(func() { a.remember(changed) })
		return nil
	})
	if err != nil {
		return fmt.Errorf("record alerts: %w", err)
	}
	a.publish(ctx, changed)
	return nil
}

// remember keeps memory equal to the store.
func (a *Alerts) remember(changed []*Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range changed {
		if one.State == Resolved {
			delete(a.firing[one.rule], one.Fingerprint)
			if len(a.firing[one.rule]) == 0 {
				delete(a.firing, one.rule)
			}
			a.counters.transitions.WithLabelValues("resolved").Inc()
			continue
		}
		if a.firing[one.rule] == nil {
			a.firing[one.rule] = map[string]*Alert{}
		}
		a.firing[one.rule][one.Fingerprint] = one
		a.counters.transitions.WithLabelValues("fired").Inc()
		if one.HandedAt != nil {
			a.counters.handed.WithLabelValues("at once").Inc()
		}
	}
}

// Limits of what the timeline takes.
const (
	maxName    = 200
	maxSummary = 1000
)

// title is what the alert is called on the timeline and as an incident.
func (a *Alert) title() string {
	return cut(cmp.Or(a.Annotations["title"], a.Annotations["summary"]), maxSummary)
}

// by names who says that an alert fires, by its source.
var by = map[string]string{FromRule: "alert rules", FromSLO: "alert rules", FromOutside: "outside alerts"}

// entry is what the timeline says about the last transition of the alert.
func (a *Alert) entry() *timeline.Entry {
	e := &timeline.Entry{
		Time:    a.StartsAt,
		Kind:    timeline.Alert,
		Action:  "fired",
		Service: cut(a.Service, maxName),
		Title:   a.title(),
		Actor:   auth.System(by[a.Source]).String(),
		Ref:     "alert/" + a.ID,
		Tone:    tone(a.Severity),
		Data: map[string]string{
			"name": cut(a.Name, maxName), "severity": cut(a.Severity, maxName), "fingerprint": a.Fingerprint,
			"summary": cut(a.Annotations["summary"], maxSummary),
		},
	}
	for _, place := range []string{"cluster", "namespace", "job"} {
		if a.Labels[place] != "" {
			e.Data[place] = cut(a.Labels[place], maxName)
		}
	}
	if a.Withheld != "" {
		e.Data["withheld"] = cut(a.Withheld, maxSummary)
	}
	if a.State == Resolved {
		e.Time, e.Action, e.Title, e.Tone = *a.EndsAt, "resolved", "Resolved: "+a.title(), timeline.Good
		e.Data["reason"] = a.Ended
	}
	return e
}

func tone(severity string) string {
	switch strings.ToLower(severity) {
	case "critical", "page", "error":
		return timeline.Critical
	case "info", "none":
		return timeline.Info
	}
	return timeline.Warning
}

// cut makes a text storable and shortens it to n bytes at a rune.
func cut(s string, n int) string {
	if s = store.Text(s); len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
