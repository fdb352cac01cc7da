package stability

import (
	"errors"
	"math"
	"net/http"
)

// Gradient2 compares how long calls take now with how long they took over the
// last while, and lets the limit shrink by the ratio or grow by a small queue.
// It finds the limit of services whose time varies. The algorithm is that of
// Netflix's concurrency-limits.
type Gradient2 struct {
	limit, low, high float64
	long             float64 // seconds, an average over about 600 observations
	seen             int
}

// NewGradient2 begins with a limit and keeps it within bounds.
func NewGradient2(initial, low, high int) *Gradient2 {
	g := &Gradient2{low: float64(low), high: float64(high)}
	g.limit = g.within(float64(initial))
	return g
}

const (
	gradientTolerance = 1.5 // how much slower counts as no slower
	gradientSmoothing = 0.2
	gradientQueue     = 4 // how many may queue
	gradientMemory    = 600
	gradientWarmup    = 10
)

// Learn moves the limit by one observation.
func (g *Gradient2) Learn(o Observation) int {
	short := max(o.RTT, 1).Seconds() // a coarse clock may have seen no time pass
	g.seen++
	if g.seen <= gradientWarmup {
		g.long += (short - g.long) / float64(g.seen)
	} else {
		g.long += (short - g.long) * 2 / (gradientMemory + 1)
	}
	if g.long/short > 2 {
		g.long *= 0.95 // the load is gone: forget how slow it was
	}
	if o.Dropped {
		g.limit = g.within(g.limit * 0.9)
		return g.Limit()
	}
	if float64(o.InFlight) < g.limit/2 {
		return g.Limit() // nobody needs more, so nothing can be learned
	}
	gradient := max(0.5, min(1, gradientTolerance*g.long/short))
	g.limit = g.within(g.limit*(1-gradientSmoothing) + (g.limit*gradient+gradientQueue)*gradientSmoothing)
	return g.Limit()
}

func (g *Gradient2) within(limit float64) float64 { return max(g.low, min(g.high, limit)) }

// Limit is the limit now.
func (g *Gradient2) Limit() int { return int(g.limit) }

// Vegas estimates how many calls queue from the least time a call ever took,
// as TCP Vegas does, and keeps that number small. It suits services whose time
// is steady. Now and then it measures the least time anew.
type Vegas struct {
	limit, high float64
	least       float64 // seconds
	untilProbe  float64
}

// NewVegas begins with a limit and never goes beyond high.
func NewVegas(initial, high int) *Vegas {
	limit := float64(max(1, min(initial, high)))
	return &Vegas{limit: limit, high: float64(high), untilProbe: vegasProbe * limit}
}

const vegasProbe = 30 // observations a place between two measurements of the least time

// Learn moves the limit by one observation.
func (v *Vegas) Learn(o Observation) int {
	rtt := o.MinRTT.Seconds()
	if v.untilProbe--; v.untilProbe <= 0 || v.least == 0 || rtt < v.least {
		if v.untilProbe <= 0 {
			v.untilProbe = vegasProbe * v.limit
		}
		v.least = rtt
		return v.Limit()
	}
	step := math.Log10(max(v.limit, 10))
	queue := v.limit * (1 - v.least/rtt)
	switch {
	case o.Dropped:
		v.limit -= step
	case float64(o.InFlight)*2 < v.limit:
		return v.Limit()
	case queue <= step:
		v.limit += 6 * step
	case queue < 3*step:
		v.limit += step
	case queue > 6*step:
		v.limit -= step
	}
	v.limit = max(1, min(v.high, v.limit))
	return v.Limit()
}

// Limit is the limit now.
func (v *Vegas) Limit() int { return int(v.limit) }

func overloaded(err error) bool {
	if status := (*StatusError)(nil); errors.As(err, &status) {
		return status.Code == http.StatusTooManyRequests || status.Code == http.StatusServiceUnavailable
	}
	for _, reason := range []error{ErrTimeout, ErrFull, ErrRate, ErrShed} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}
