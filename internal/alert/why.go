package alert

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Explanation is an expression, of an alert for example, taken apart at one time.
type Explanation struct {
	At    time.Time `json:"at" doc:"of an alert: now while it fires, else when it began"`
	Parts []Part    `json:"parts" doc:"the whole expression first, each part before its own"`
	More  int       `json:"more,omitempty" doc:"parts that are left out"`
}

// Part is a part of an expression with what it evaluates to.
type Part struct {
	Expr   string       `json:"expr"`
	Depth  int          `json:"depth" doc:"how deep in the expression; 0: all of it"`
	Kind   string       `json:"kind" doc:"what it does: comparison, sum, rate, selector …"`
	Count  int          `json:"count" doc:"series it has"`
	Took   float64      `json:"took" doc:"seconds it took to evaluate, with all that it is made of"`
	Series []PartSeries `json:"series" doc:"those that fit the labels of the alert first, at most ten"`
	Error  string       `json:"error,omitempty"`
}

// PartSeries is one series of a part.
type PartSeries struct {
	Labels event.Labels `json:"labels"`
	Value  *float64     `json:"value,omitempty" doc:"absent if it is not a finite number"`
	Fits   bool         `json:"fits" doc:"no label of it contradicts the alert"`
}

// Limits of an explanation.
const (
	maxParts  = 40
	maxSeries = 10
	whyTime   = 20 * time.Second
)

// Why evaluates the expression of an alert part by part.
func (a *Alerts) Why(ctx context.Context, id string) (*Explanation, error) {
	one, err := a.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if one.Expr == "" {
		return nil, problem.New(problem.Invalid, "the alert comes from outside: its expression is not known here").
			WithMend("see its generatorUrl")
	}
	at := time.Now().UTC()
	if one.State == Resolved {
		at = one.StartsAt
	}
	return a.Explain(ctx, one.Expr, at, one.Labels)
}

// Explain evaluates an expression part by part at one time; series that fit the labels come first.
func (a *Alerts) Explain(ctx context.Context, written string, at time.Time, labels event.Labels) (*Explanation, error) {
	expr, err := a.parser.ParseExpr(written)
	if err != nil {
		return nil, problem.New(problem.Invalid, "the expression is not PromQL: %w", err).WithField("expr")
	}
	ctx, cancel := context.WithTimeout(ctx, whyTime)
	defer cancel()
	e := &Explanation{At: at, Parts: []Part{}}
	for _, part := range takeApart(expr) {
		if len(e.Parts) == maxParts {
			e.More++
			continue
		}
		began := time.Now()
		found, err := a.cfg.Engine.Query(ctx, part.Expr, e.At)
		if err != nil {
			part.Error = err.Error()
		}
		part.Took = time.Since(began).Seconds()
		part.Count, part.Series = len(found), choose(found, labels)
		e.Parts = append(e.Parts, part)
	}
	return e, ctx.Err()
}

// takeApart lists the parts of an expression that have values at one time, each before those it is made of.
func takeApart(expr parser.Expr) (parts []Part) {
	var descend func(n parser.Expr, depth int)
	add := func(n parser.Expr, depth int, kind string) {
		parts = append(parts, Part{Expr: n.String(), Depth: depth, Kind: kind})
	}
	descend = func(n parser.Expr, depth int) {
		switch n := n.(type) {
		case *parser.ParenExpr:
			descend(n.Expr, depth)
		case *parser.StepInvariantExpr:
			descend(n.Expr, depth)
		case *parser.UnaryExpr:
			add(n, depth, "negation")
			descend(n.Expr, depth+1)
		case *parser.BinaryExpr:
			kind := n.Op.String()
			if n.Op.IsComparisonOperator() {
				kind = "comparison"
			}
			add(n, depth, kind)
			descend(n.LHS, depth+1)
			descend(n.RHS, depth+1)
		case *parser.AggregateExpr:
			add(n, depth, n.Op.String())
			descend(n.Expr, depth+1)
		case *parser.Call:
			add(n, depth, n.Func.Name)
			for _, arg := range n.Args {
				descend(arg, depth+1)
			}
		case *parser.VectorSelector:
			add(n, depth, "selector")
		}
		// A number says its value itself; a range of samples has none at one time.
	}
	descend(expr, 0)
	return parts
}

// choose takes the series that matter most for an alert.
func choose(found promql.Vector, labels event.Labels) []PartSeries {
	all := []PartSeries{}
	for _, sample := range found {
		one := PartSeries{Labels: sample.Metric.Map(), Value: finite(sample.F), Fits: true}
		for name, value := range one.Labels {
			if has, ok := labels[name]; ok && has != value && name != "alertname" {
				one.Fits = false
			}
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(x, y PartSeries) int {
		switch {
		case x.Fits && !y.Fits:
			return -1
		case y.Fits && !x.Fits:
			return 1
		}
		return 0
	})
	return all[:min(len(all), maxSeries)]
}
