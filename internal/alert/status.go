package alert

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Status is how an objective does now.
type Status struct {
	Service         string           `json:"service"`
	Name            string           `json:"name"`
	Objective       float64          `json:"objective" doc:"percent that shall be good"`
	Window          catalog.Duration `json:"window"`
	SLI             *float64         `json:"sli,omitempty" doc:"part that was good over the window, 0 to 1; absent without traffic"`
	BudgetRemaining *float64         `json:"budgetRemaining,omitempty" doc:"part of the error budget that is left over the window; below 0 when overspent"`
	Burn            []Burn           `json:"burn"`
	Error           string           `json:"error,omitempty" doc:"why something here could not be computed"`
}

// Burn is one burn-rate alert of an objective and the rates it looks at.
type Burn struct {
	Long      catalog.Duration `json:"long"`
	Short     catalog.Duration `json:"short"`
	Factor    float64          `json:"factor"`
	Severity  string           `json:"severity"`
	LongBurn  *float64         `json:"longBurn,omitempty" doc:"times as fast as the budget allows, over the long window; absent without traffic"`
	ShortBurn *float64         `json:"shortBurn,omitempty"`
	Firing    bool             `json:"firing" doc:"both rates are above the factor"`
}

// Status computes the objectives of a service, or of all when service is empty. Values are a little old at times: each is
// computed again after a hundredth of its window, but at least every 5 minutes and at most every 2 seconds.
func (a *Alerts) Status(ctx context.Context, service string) ([]Status, error) {
	select {
	case <-a.cfg.Engine.Opened():
	default:
		return nil, problem.New(problem.Unavailable, "metrics are still starting").WithMend("try again in a moment")
	}
	all := []Status{}
	for _, s := range a.cfg.Catalog.Current().Services {
		if service != "" && s.Name != service {
			continue
		}
		for _, slo := range s.SLOs {
			all = append(all, a.status.of(ctx, s.Name, slo))
		}
	}
	return all, ctx.Err()
}

func (m *memo) of(ctx context.Context, service string, slo catalog.SLO) Status {
	s := Status{Service: service, Name: slo.Name, Objective: slo.Objective, Window: slo.Window, Burn: []Burn{}}
	read := func(expr string, window catalog.Duration) *float64 {
		v, err := m.value(ctx, expr, time.Duration(window))
		if err != nil {
			s.Error = err.Error()
		}
		return v
	}
	if s.SLI = read(goodRatio(summed(slo), slo.Window), slo.Window); s.SLI != nil {
		remaining := 1 - (1-*s.SLI)/slo.Budget()
		s.BudgetRemaining = &remaining
	}
	for _, b := range slo.BurnAlerts {
		burn := Burn{Long: b.Long, Short: b.Short, Factor: b.Factor, Severity: b.Severity}
		burn.LongBurn = read(fmt.Sprintf("max(%s)", burnRate(slo, b.Long)), b.Long)
		burn.ShortBurn = read(fmt.Sprintf("max(%s)", burnRate(slo, b.Short)), b.Short)
		burn.Firing = above(burn.LongBurn, b.Factor) && above(burn.ShortBurn, b.Factor)
		s.Burn = append(s.Burn, burn)
	}
	return s
}

// summed reads an objective whose queries answer several series as one.
func summed(slo catalog.SLO) catalog.SLO {
	slo.Good, slo.Total = "sum("+slo.Good+")", "sum("+slo.Total+")"
	return slo
}

func above(v *float64, limit float64) bool { return v != nil && *v > limit }

// memo remembers the values of expressions for a while.
type memo struct {
	query func(ctx context.Context, expr string, at time.Time) (promql.Vector, error)

	mu    sync.Mutex // held while querying: whoever asks for the same waits for the answer instead of asking again
	known map[string]memory
}

type memory struct {
	value *float64
	until time.Time
}

// Limits of a memo.
const (
	maxKnown  = 10_000
	queryTime = 15 * time.Second
)

func newMemo(query func(context.Context, string, time.Time) (promql.Vector, error)) *memo {
	return &memo{query: query, known: map[string]memory{}}
}

// value is nil without an error when there is no sample, or none that is a number.
func (m *memo) value(ctx context.Context, expr string, window time.Duration) (*float64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if k, ok := m.known[expr]; ok && now.Before(k.until) {
		return k.value, nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	samples, err := m.query(ctx, expr, now)
	if err != nil {
		return nil, err
	}
	var value *float64
	if len(samples) > 0 {
		value = finite(samples[0].F)
	}
	if len(m.known) >= maxKnown { // the objectives changed a lot: forget the old ones with the rest
		clear(m.known)
	}
	m.known[expr] = memory{value, now.Add(min(max(window/100, 2*time.Second), 5*time.Minute))}
	return value, nil
}
