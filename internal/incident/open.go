package incident

import (
	"context"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// OpenOfService is how many incidents of a service are open.
type OpenOfService struct {
	Service      string `json:"service" doc:"empty: of no service"`
	Triggered    int    `json:"triggered"`
	Acknowledged int    `json:"acknowledged"`
	Newest       int64  `json:"newest" doc:"the number of the newest of them"`
}

// OpenByService counts all open incidents, however many there are, by service; services without any are left out.
func (s *Incidents) OpenByService(ctx context.Context) (list []OpenOfService, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, func(row scanner) (o OpenOfService, err error) {
			err = row.Scan(&o.Service, &o.Triggered, &o.Acknowledged, &o.Newest)
			return o, err
		}, `SELECT service, SUM(CASE status WHEN 'triggered' THEN 1 ELSE 0 END), SUM(CASE status WHEN 'acknowledged' THEN 1 ELSE 0 END), MAX(number)
			FROM incidents WHERE status <> 'resolved' GROUP BY service ORDER BY service`)
		return err
	})
	return list, err
}

func (s *Incidents) openRoute(w *web.Server) {
	web.Get(w, "/api/open-incidents", web.Op{ID: "count-open-incidents", Summary: "Count all open incidents by service", Tag: "incidents"},
		func(ctx context.Context, _ *struct{}) (*web.List[OpenOfService], error) {
			list, err := s.OpenByService(ctx)
			return &web.List[OpenOfService]{Items: list}, err
		})
}
