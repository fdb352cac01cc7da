package checkout

import (
	"context"
	"encoding/json"
	"time"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
)

// collect charges pending orders until ctx ends. While payments does not
// answer the breaker makes an attempt cheap, and it is these attempts that
// find out when payments is back.
func (d *desk) collect(ctx context.Context) error {
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return nil
		case <-tick.C:
		}
		orders, err := d.pending(ctx)
		if err != nil {
			return err
		}
		for _, o := range orders {
			settled, err := d.settle(ctx, o)
			if err != nil {
				return err
			}
			if !settled {
				break // payments is still away
			}
		}
	}
}

// pending lists the oldest orders that wait for their charge.
func (d *desk) pending(ctx context.Context) ([]*api.Order, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT document FROM pending JOIN orders USING (id) ORDER BY at LIMIT 50`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var orders []*api.Order
	for rows.Next() {
		var document string
		if err := rows.Scan(&document); err != nil {
			return nil, err
		}
		o, err := parse(document)
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, rows.Err()
}

// settle charges one order; payments charges an order once, however often it
// is asked to.
func (d *desk) settle(ctx context.Context, o *api.Order) (bool, error) {
	status, err := d.charge(ctx, o)
	if err != nil || status == "pending" {
		return false, err
	}
	o.Status = status
	document, err := json.Marshal(o)
	if err != nil {
		return false, err
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `UPDATE orders SET document = ? WHERE id = ?`, document, o.ID); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM pending WHERE id = ?`, o.ID); err != nil {
		return false, err
	}
	if err := tx.Commit(); err != nil {
		return false, err
	}
	if status == "placed" {
		d.revenue.WithLabelValues(string(o.Customer.Plan), string(o.Customer.Region)).Add(float64(o.Total))
	}
	d.log.InfoContext(ctx, "charged at last", "order", o.ID, "result", status)
	return true, nil
}
