package alert

import (
	"context"
	"fmt"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// FiringOfService is how many alerts of a service fire with a severity.
type FiringOfService struct {
	Service  string `json:"service" doc:"empty: of no service"`
	Severity string `json:"severity"`
	Count    int    `json:"count"`
}

// FiringByService counts all alerts that fire, however many there are, by service and severity.
func (a *Alerts) FiringByService(ctx context.Context) ([]FiringOfService, error) {
	list := []FiringOfService{}
	err := a.cfg.DB.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT service, severity, COUNT(*) FROM alerts WHERE state = ? GROUP BY service, severity ORDER BY service, severity`, string(Firing))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f FiringOfService
			if err := rows.Scan(&f.Service, &f.Severity, &f.Count); err != nil {
				return err
			}
			list = append(list, f)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("count alerts: %w", err)
	}
	return list, nil
}

func (a *Alerts) firingRoute(s *web.Server) {
	web.Get(s, "/api/firing-alerts", web.Op{ID: "count-firing-alerts", Summary: "Count all alerts that fire by service and severity", Tag: "alerts"},
		func(ctx context.Context, _ *struct{}) (*web.List[FiringOfService], error) {
			list, err := a.FiringByService(ctx)
			return &web.List[FiringOfService]{Items: list}, err
		})
}
