package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// objectivesFile is the file that rules made from objectives are said to come from.
const objectivesFile = catalog.FileName

// loader gives the rule manager the rules of a file, or those made from objectives. It is used by one Reload at a time.
type loader struct {
	parser     parser.Parser
	logger     *slog.Logger
	objectives rulefmt.RuleGroups
	failed     []error // why the last Load that failed did
}

// Load implements rules.GroupLoader.
func (l *loader) Load(file string, ignoreUnknown bool, scheme model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	if file == objectivesFile {
		return &l.objectives, nil
	}
	content, err := configfile.Read(file)
	if err != nil {
		l.failed = []error{err}
		return nil, l.failed
	}
	groups, errs := rulefmt.Parse(content, ignoreUnknown, scheme, l.parser, l.logger)
	if len(errs) > 0 {
		l.failed = []error{fmt.Errorf("%s: %w", file, errors.Join(errs...))}
		return nil, l.failed
	}
	return groups, nil
}

// Parse implements rules.GroupLoader.
func (l *loader) Parse(expr string) (parser.Expr, error) {
	parsed, err := l.parser.ParseExpr(expr)
	if err != nil {
		l.failed = []error{fmt.Errorf("%s: %w", expr, err)}
	}
	return parsed, err
}

func ruleFiles(c *config.Config) (files []string, err error) {
	for _, pattern := range c.RuleFiles {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return nil, problem.New(problem.Invalid, "rule files %q: %w", pattern, err)
		}
		files = append(files, matches...)
	}
	return files, nil
}

// ruleKeys names each alerting rule of a group so that the name outlives restarts, edits of the expression and moves of the
// whole configuration: by file, group, alert and labels, and by number among rules that are alike in all of these.
func (a *Alerts) ruleKeys(g *rules.Group) (alerting []*rules.AlertingRule, keys []string) {
	file, err := filepath.Rel(a.cfg.Dir, g.File())
	if err != nil {
		file = g.File()
	}
	alike := map[string]int{}
	for _, rule := range g.Rules() {
		r, ok := rule.(*rules.AlertingRule)
		if !ok {
			continue
		}
		key := strings.Join([]string{file, g.Name(), r.Name(), r.Labels().String()}, ";")
		alike[key]++
		if n := alike[key]; n > 1 {
			key = fmt.Sprintf("%s;%d", key, n)
		}
		alerting, keys = append(alerting, r), append(keys, key)
	}
	return alerting, keys
}

// evaluation follows one round through the rules of a group, which are evaluated in order, one at a time.
type evaluation struct {
	group *rules.Group
	at    time.Time
	rules []*rules.AlertingRule
	keys  []string
	next  int // the first rule that may be evaluated next
}

type evaluationKey struct{}

// evaluate is one round of a group.
func (a *Alerts) evaluate(ctx context.Context, g *rules.Group, at time.Time) {
	e := &evaluation{group: g, at: at.UTC()}
	e.rules, e.keys = a.ruleKeys(g)
	rules.DefaultEvalIterationFunc(context.WithValue(ctx, evaluationKey{}, e), g, at)
}

// evaluated is called by the rule manager right after an alerting rule was evaluated, only if that succeeded, and whether
// or not there are alerts: so what the rule does not hold now is not there.
func (a *Alerts) evaluated(ctx context.Context, expr string, due ...*rules.Alert) {
	if a.send != nil {
		a.send(ctx, expr, due...)
	}
	e, ok := ctx.Value(evaluationKey{}).(*evaluation)
	if !ok {
		return // not from evaluate; the manager has no other way to call
	}
	for ; e.next < len(e.rules); e.next++ {
		r := e.rules[e.next]
		if r.Health() != rules.HealthGood || r.Query().String() != expr {
			continue // it failed in this round
		}
		a.reconcile(ctx, ruleRound{
			rule: r, key: e.keys[e.next], at: e.at, source: sourceOf(e.group),
			seen: a.observe(r),
		})
		e.next++
		return
	}
}

func sourceOf(g *rules.Group) string {
	if g.File() == objectivesFile {
		return FromSLO
	}
	return FromRule
}

// observation is what a rule holds for one set of labels.
type observation struct {
	state       rules.AlertState
	labels      event.Labels
	annotations event.Labels
	value       float64
	firedAt     time.Time
}

func (a *Alerts) observe(r *rules.AlertingRule) map[string]observation {
	seen := map[string]observation{}
	r.ForEachActiveAlert(func(one *rules.Alert) {
		labels := event.Labels(one.Labels.Map())
		who := labels.Fingerprint() // before anything is cut
		seen[who] = observation{
			state: one.State, labels: a.shorten(labels), annotations: a.shorten(one.Annotations.Map()), value: one.Value,
			firedAt: one.FiredAt.UTC().Truncate(time.Microsecond),
		}
	})
	return seen
}

// maxText is how much of a label or an annotation is kept, in bytes.
const maxText = 4 << 10

// shorten cuts values that nobody can read; who an alert is was decided on the whole.
func (a *Alerts) shorten(texts map[string]string) event.Labels {
	for name, text := range texts {
		if len(text) > maxText {
			texts[name] = cut(text, maxText)
			a.counters.shortened.Inc()
		}
	}
	return texts
}
