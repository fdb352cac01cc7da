package metrics

import (
	"context"

	"github.com/daytwo-dev/daytwo/internal/web"
)

// SeriesLimits is how many series there are and may be.
type SeriesLimits struct {
	Series             int64           `json:"series" doc:"in memory"`
	MaxSeries          int             `json:"maxSeries" doc:"most in memory; 0: any number"`
	MaxSeriesPerMetric int             `json:"maxSeriesPerMetric" doc:"most in memory of one metric; 0: any number"`
	Refused            []RefusedMetric `json:"refused" doc:"metrics of which no new series was taken, the latest first, at most 100"`
}

// SeriesLimits tells how near the limits are and what they kept out.
func (m *Metrics) SeriesLimits() SeriesLimits {
	g := m.db.guard
	return SeriesLimits{Series: g.series.Load(), MaxSeries: g.total, MaxSeriesPerMetric: g.metric, Refused: g.list()}
}

func (m *Metrics) guardRoutes(s *web.Server) {
	web.Get(s, "/api/series-limits", web.Op{ID: "get-series-limits", Summary: "Get the limits of metric series and what they kept out", Tag: "metrics"},
		func(context.Context, *struct{}) (*SeriesLimits, error) {
			limits := m.SeriesLimits()
			return &limits, nil
		})
}
