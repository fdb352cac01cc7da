package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Rule says what becomes of the events that When selects. Rules are asked in their order; each that matches adds its say, later
// ones see what earlier ones set, and a drop, or stop, ends it.
//
// When is an expression of the language of github.com/expr-lang/expr over the fields of Env.
type Rule struct {
	ID       string           `json:"id,omitempty"`
	Position int64            `json:"position,omitempty" doc:"rules are asked in this order; absent: after all others"`
	Name     string           `json:"name" minLength:"1" maxLength:"200"`
	When     string           `json:"when" minLength:"1" maxLength:"4000" doc:"an expression such as severity == \"warning\" && labels[\"env\"] != \"prod\""`
	Severity string           `json:"severity,omitempty" enum:"critical,error,warning,info"`
	Priority string           `json:"priority,omitempty" maxLength:"50"`
	Service  string           `json:"service,omitempty" doc:"route it to this service"`
	DedupKey string           `json:"dedupKey,omitempty" doc:"an expression that gives the deduplication key"`
	Suppress string           `json:"suppress,omitempty" maxLength:"300" doc:"it pages nobody, for this reason"`
	For      catalog.Duration `json:"for,omitempty" doc:"how long a suppression lasts before it pages after all; absent: until a day passed without another trigger"`
	Drop     string           `json:"drop,omitempty" maxLength:"300" doc:"it is thrown away and counted, for this reason"`
	Note     string           `json:"note,omitempty" maxLength:"300" doc:"written to the alert"`
	Stop     bool             `json:"stop,omitempty" doc:"later rules are not asked"`
	Disabled bool             `json:"disabled,omitempty"`
	Saved    *catalog.Saved   `json:"saved,omitempty" doc:"how it was saved last; what is given here counts for nothing"`
}

// Env is what the expressions of a rule see.
type Env struct {
	Source    string         `expr:"source"` // events-v2, alertmanager, webhook, rule …
	Service   string         `expr:"service"`
	Severity  string         `expr:"severity"`
	Summary   string         `expr:"summary"`
	Origin    string         `expr:"origin"`
	Class     string         `expr:"class"`
	Component string         `expr:"component"`
	Group     string         `expr:"group"`
	Client    string         `expr:"client"`
	DedupKey  string         `expr:"dedup_key"`
	Labels    event.Labels   `expr:"labels"`
	Details   map[string]any `expr:"details"`
	Time      time.Time      `expr:"time"`
}

// Verdict is what the rules say of one event.
type Verdict struct {
	Drop     string   `json:"drop,omitempty"`
	Suppress string   `json:"suppress,omitempty"`
	Severity string   `json:"severity,omitempty"`
	Priority string   `json:"priority,omitempty"`
	Service  string   `json:"service,omitempty"`
	DedupKey string   `json:"dedupKey,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Rules    []string `json:"rules,omitempty" doc:"those that matched"`
	Errors   []string `json:"errors,omitempty" doc:"rules that failed on this event and were passed over"`

	lasts time.Duration
}

// Limits of rules.
const (
	maxRules        = 500
	forgottenAfter  = 24 * time.Hour // a suppressed alert that nothing was heard of
	maxRuleFailures = 3              // shown of one event
)

// compiled is a rule ready to be asked.
type compiled struct {
	Rule
	when, dedup *vm.Program
}

// ruleBook holds the rules in force. The zero value has none.
type ruleBook struct{ current atomic.Pointer[[]compiled] }

// Compile checks a rule.
func (r Rule) Compile() (err error) {
	_, err = r.compile()
	return err
}

func (r Rule) compile() (c compiled, err error) {
	c.Rule = r
	if c.when, err = CompileExpression(r.When, expr.Env(Env{}), expr.AsBool()); err != nil {
		return c, ruleProblem("when", err, `write a condition such as severity == "warning" && labels["env"] != "prod"`)
	}
	if r.DedupKey != "" {
		if c.dedup, err = CompileExpression(r.DedupKey, expr.Env(Env{}), expr.AsKind(reflect.String)); err != nil {
			return c, ruleProblem("dedupKey", err, `write an expression that gives a text, such as service + "/" + class`)
		}
	}
	if r.Severity != "" && !slices.Contains(severities, r.Severity) {
		return c, problem.New(problem.Invalid, "%q is not a severity", r.Severity).WithField("severity").WithMend("use critical, error, warning or info")
	}
	if r.Severity+r.Priority+r.Service+r.DedupKey+r.Suppress+r.Drop+r.Note == "" && !r.Stop {
		return c, problem.New(problem.Invalid, "the rule does nothing").WithField("name").WithMend("give it a severity, priority, service, suppress, drop, note or stop")
	}
	return c, nil
}

func ruleProblem(field string, err error, mend string) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return problem.New(problem.Invalid, "the expression cannot be read: %s", first).WithField(field).WithMend("%s", mend)
}

// severities are those of events, worst first.
var severities = []string{Critical, "error", Warning, Info}

// judge asks the rules in their order.
func judge(rules []compiled, env Env) (v Verdict) {
	for _, r := range rules {
		matched, err := r.matches(env)
		if err != nil {
			if len(v.Errors) < maxRuleFailures {
				first, _, _ := strings.Cut(err.Error(), "\n")
				v.Errors = append(v.Errors, r.Name+": "+first)
			}
			continue
		}
		if !matched {
			continue
		}
		v.Rules = append(v.Rules, r.Name)
		r.apply(&v, &env)
		if v.Drop != "" || r.Stop {
			break
		}
	}
	return v
}

func (r compiled) matches(env Env) (bool, error) {
	if r.Disabled {
		return false, nil
	}
	out, err := expr.Run(r.when, env)
	if err != nil {
		return false, err
	}
	yes, _ := out.(bool)
	return yes, nil
}

func (r compiled) apply(v *Verdict, env *Env) {
	set := func(to *string, see *string, value string) {
		if value != "" {
			*to = value
			if see != nil {
				*see = value
			}
		}
	}
	set(&v.Severity, &env.Severity, r.Severity)
	set(&v.Service, &env.Service, r.Service)
	set(&v.Priority, nil, r.Priority)
	set(&v.Drop, nil, r.Drop)
	if r.Suppress != "" {
		v.Suppress, v.lasts = r.Suppress, time.Duration(r.For)
	}
	if r.Note != "" {
		v.Notes = append(v.Notes, r.Note)
	}
	if r.dedup != nil {
		if out, err := expr.Run(r.dedup, *env); err == nil {
			key, _ := out.(string)
			set(&v.DedupKey, &env.DedupKey, key)
		}
	}
}

// env is what rules see of a trigger.
func (t Trigger) env(now time.Time) Env {
	e := Env{Source: t.Source, Service: t.Service, Severity: t.Severity, Summary: t.Title, Origin: t.Fields.Origin, Class: t.Fields.Class,
		Component: t.Fields.Component, Group: t.Fields.Group, Client: t.Fields.Client, DedupKey: t.DedupKey, Labels: t.Labels,
		Details: t.Fields.Details, Time: now}
	if e.Labels == nil {
		e.Labels = t.Fields.Labels
	}
	if e.Labels == nil {
		e.Labels = event.Labels{}
	}
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	return e
}

// loadRules brings the rules of the store into force.
func (s *Incidents) loadRules(ctx context.Context) error {
	return s.db.Read(ctx, func(tx *store.Tx) error {
		book, err := s.compileRules(ctx, tx)
		if err == nil {
			s.rules.current.Store(&book)
		}
		return err
	})
}

func (s *Incidents) compileRules(ctx context.Context, tx *store.Tx) (book []compiled, err error) {
	list, err := readRules(ctx, tx)
	for _, r := range list {
		c, err := r.compile()
		if err != nil {
			s.log.ErrorContext(ctx, "an event rule cannot be used and is passed over", "rule", r.Name, "err", err)
			continue
		}
		book = append(book, c)
	}
	return book, err
}

func readRules(ctx context.Context, tx *store.Tx) ([]Rule, error) {
	return query(ctx, tx, func(row scanner) (r Rule, err error) {
		var id, raw, by string
		var position, updated int64
		if err := row.Scan(&id, &position, &raw, &updated, &by); err != nil {
			return r, err
		}
		err = json.Unmarshal([]byte(raw), &r)
		r.ID, r.Position = id, position
		r.Saved = &catalog.Saved{Version: catalog.VersionOf([]byte(raw)), At: store.FromMicros(updated), By: by}
		return r, err
	}, `SELECT id, position, rule, updated_at, updated_by FROM event_rules ORDER BY position, id`)
}

func (s *Incidents) rulesInForce() []compiled {
	if book := s.rules.current.Load(); book != nil {
		return *book
	}
	return nil
}

// Rules lists the event rules in their order.
func (s *Incidents) Rules(ctx context.Context) (list []Rule, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = readRules(ctx, tx)
		return err
	})
	return list, err
}

// SaveRule adds a rule, or replaces the one with its ID: if seen is given, just that version of it.
func (s *Incidents) SaveRule(ctx context.Context, r Rule, seen *catalog.Saved, by string) (saved Rule, err error) {
	if err := r.Compile(); err != nil {
		return r, err
	}
	if _, ok := s.catalog.Current().Service(r.Service); r.Service != "" && !ok {
		return r, problem.New(problem.Invalid, "there is no service %q in the catalog", r.Service).WithField("service").WithMend("name one of GET /api/services")
	}
	given := r
	err = s.write(ctx, func(tx *store.Tx) error {
		r := given
		fresh := r.ID == ""
		if fresh {
			r.ID = event.NewID()
		}
		var count, last int64
		if err := tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(MAX(position), 0) FROM event_rules`).Scan(&count, &last); err != nil {
			return fmt.Errorf("save rule: %w", err)
		}
		if fresh && count >= maxRules {
			return problem.New(problem.Exhausted, "there are %d event rules already", count).WithMend("remove some, or join conditions with ||")
		}
		if r.Position == 0 {
			r.Position = last + 10
		}
		r.Saved = nil
		raw, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("save rule: %w", err)
		}
		now := s.clock()
		if fresh {
			_, err = tx.Exec(ctx, `INSERT INTO event_rules (id, position, name, rule, created_at, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				r.ID, r.Position, r.Name, string(raw), now, now, by)
		} else {
			if err := checkSeen(ctx, tx, r.ID, seen); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE event_rules SET position = ?, name = ?, rule = ?, updated_at = ?, updated_by = ? WHERE id = ?`,
				r.Position, r.Name, string(raw), now, by, r.ID)
		}
		if err != nil {
			return fmt.Errorf("save rule: %w", err)
		}
		saved = r
		saved.Saved = &catalog.Saved{Version: catalog.VersionOf(raw), At: now, By: by}
		return s.reloadRules(ctx, tx)
	})
	return saved, err
}

// checkSeen refuses to replace a rule that is not there, or of which another version was seen.
func checkSeen(ctx context.Context, tx *store.Tx, id string, seen *catalog.Saved) error {
	list, err := readRules(ctx, tx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(r Rule) bool { return r.ID == id })
	if at < 0 {
		return noRule(id)
	}
	return list[at].Saved.Check(seen, fmt.Sprintf("event rule %q", list[at].Name))
}

// RemoveRule ends a rule.
func (s *Incidents) RemoveRule(ctx context.Context, id string) error {
	return s.write(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(ctx, `DELETE FROM event_rules WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("remove rule: %w", err)
		}
		if n, _ := done.RowsAffected(); n == 0 {
			return noRule(id)
		}
		return s.reloadRules(ctx, tx)
	})
}

func noRule(id string) error {
	return problem.New(problem.NotFound, "there is no event rule %q", clip(id, 100)).WithMend("see GET /api/event-rules")
}

func (s *Incidents) reloadRules(ctx context.Context, tx *store.Tx) error {
	book, err := s.compileRules(ctx, tx)
	tx.OnCommit(func() { s.rules.current.Store(&book) })
	return err
}
