// Package checkout is the shop's service that turns carts into orders. Its
// variable VERSION chooses the release: v1 is good; v2 has a bug that fails
// the orders of enterprise customers in eu-west; v3 mends it.
package checkout

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
	"github.com/daytwo-dev/daytwo/examples/shop/db"
	"github.com/daytwo-dev/daytwo/service"
)

const schema = `
CREATE TABLE IF NOT EXISTS orders (
	id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, customer TEXT NOT NULL, document TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer, at);
CREATE TABLE IF NOT EXISTS pending (id TEXT PRIMARY KEY);`

type config struct {
	db.Config
	Version     string `env:"VERSION,required" help:"release: v1, v2 or v3"`
	CatalogURL  string `env:"CATALOG_URL,required" help:"where catalog answers"`
	PaymentsURL string `env:"PAYMENTS_URL,required" help:"where payments answers"`
}

func (c *config) Validate() error {
	_, err := taxerOf(c.Version)
	return err
}

// Main runs the service until ctx ends.
func Main(ctx context.Context, p service.Process) error {
	return service.Run(ctx, p, "checkout", func(ctx context.Context, s *service.Service, c config) error {
		d, err := db.Open(ctx, s, c.Config, schema)
		if err != nil {
			return err
		}
		tax, err := taxerOf(c.Version)
		if err != nil {
			return err
		}
		desk := &desk{
			db: d, log: s.Log(), tax: tax,
			catalog: api.NewPeer(s, "catalog", c.CatalogURL), payments: api.NewQuickPeer(s, "payments", c.PaymentsURL),
			orders: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "orders_total", Help: "Orders by how they ended: placed, pending, declined, refused or failed.",
			}, []string{"plan", "region", "result"}),
			revenue: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "orders_cents_total", Help: "Value of placed orders with tax, in US cents.",
			}, []string{"plan", "region"}),
		}
		s.Metrics().MustRegister(desk.orders, desk.revenue)
		s.Go("collect", desk.collect)
		api.Handle(s, "POST /orders", desk.order)
		api.Handle(s, "GET /orders", desk.list)
		return nil
	})
}

type desk struct {
	db                *sql.DB
	log               *slog.Logger
	tax               taxer
	catalog, payments *api.Peer
	orders, revenue   *prometheus.CounterVec
}

// order answers POST /orders. With an Idempotency-Key the same cart becomes an
// order once.
func (d *desk) order(r *http.Request) (any, error) {
	in, err := api.Body[api.NewOrder](r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		key = rand.Text()
	}
	if o, err := d.byKey(ctx, key); err == nil || !errors.Is(err, sql.ErrNoRows) {
		return o, err
	}
	o := &api.Order{ID: "o_" + rand.Text()[:12], Customer: in.Customer, Status: "refused"}
	err = d.place(ctx, o, in.Items, key)
	result := o.Status
	log := d.log.With("order", o.ID, "plan", o.Customer.Plan, "region", o.Customer.Region, "total", o.Total)
	refused := (*api.Error)(nil)
	switch {
	case err == nil:
		log.InfoContext(ctx, "order taken", "result", result)
	case errors.As(err, &refused) && refused.Code < 500:
		log.WarnContext(ctx, "order refused", "error", err)
	default:
		result = "failed"
		log.ErrorContext(ctx, "order failed", "error", err)
	}
	d.orders.WithLabelValues(string(o.Customer.Plan), string(o.Customer.Region), result).Inc()
	return o, err
}

// place prices, taxes, charges and stores the order.
func (d *desk) place(ctx context.Context, o *api.Order, items []api.Item, key string) error {
	var err error
	if o.Lines, err = d.price(ctx, items); err != nil {
		return err
	}
	o.Net = net(o.Lines)
	if o.Tax, err = d.tax(o.Customer, o.Lines); err != nil {
		return err
	}
	o.Total = o.Net + o.Tax
	switch o.Status, err = d.charge(ctx, o); {
	case err != nil:
		return err
	case o.Status == "declined":
		return nil
	}
	return d.store(ctx, o, key)
}

// charge asks payments for the money. If payments does not answer, the
// customer need not wait: the order is pending, and charged later.
func (d *desk) charge(ctx context.Context, o *api.Order) (status string, err error) {
	charge, err := api.Call[api.Charge](ctx, d.payments, http.MethodPost, "/charges",
		api.NewCharge{Order: o.ID, Customer: o.Customer.ID, Amount: o.Total}, o.ID)
	no := (*api.Error)(nil)
	switch {
	case errors.As(err, &no) && no.Code >= 500 && ctx.Err() == nil:
		d.log.WarnContext(ctx, "to be charged later", "order", o.ID, "error", err)
		return "pending", nil
	case err != nil:
		return "", err
	case charge.Status == "declined":
		return "declined", nil
	}
	return "placed", nil
}

func (d *desk) store(ctx context.Context, o *api.Order, key string) error {
	document, err := json.Marshal(o)
	if err != nil {
		return err
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `INSERT INTO orders VALUES (?, ?, ?, ?, ?)`, o.ID, key, o.Customer.ID, document, time.Now().Unix()); err != nil {
		return err
	}
	if o.Status == "pending" {
		if _, err := tx.ExecContext(ctx, `INSERT INTO pending VALUES (?)`, o.ID); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if o.Status == "placed" {
		d.revenue.WithLabelValues(string(o.Customer.Plan), string(o.Customer.Region)).Add(float64(o.Total))
	}
	return nil
}

// price looks the items up in the catalog.
func (d *desk) price(ctx context.Context, items []api.Item) ([]api.Line, error) {
	if len(items) == 0 {
		return nil, api.Errorf(http.StatusBadRequest, "the cart is empty")
	}
	skus := url.Values{}
	for _, i := range items {
		skus.Add("sku", i.SKU)
	}
	products, err := api.Call[[]api.Product](ctx, d.catalog, http.MethodGet, "/products?"+skus.Encode(), nil, "")
	if err != nil {
		return nil, err
	}
	known := map[string]api.Product{}
	for _, p := range products {
		known[p.SKU] = p
	}
	lines := make([]api.Line, 0, len(items))
	for _, i := range items {
		p, ok := known[i.SKU]
		if !ok || i.Quantity < 1 {
			return nil, api.Errorf(http.StatusUnprocessableEntity, "%d of product %s cannot be ordered", i.Quantity, i.SKU)
		}
		lines = append(lines, api.Line{Item: i, Name: p.Name, Price: p.Price})
	}
	return lines, nil
}

func (d *desk) byKey(ctx context.Context, key string) (*api.Order, error) {
	var document string
	err := d.db.QueryRowContext(ctx, `SELECT document FROM orders WHERE key = ?`, key).Scan(&document)
	if err != nil {
		return nil, err
	}
	return parse(document)
}

func parse(document string) (*api.Order, error) {
	o := &api.Order{}
	return o, json.Unmarshal([]byte(document), o)
}

// list answers GET /orders?customer= with the customer's latest ten.
func (d *desk) list(r *http.Request) (any, error) {
	rows, err := d.db.QueryContext(r.Context(), `SELECT document FROM orders WHERE customer = ? ORDER BY at DESC LIMIT 10`, r.URL.Query().Get("customer"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	orders := []*api.Order{}
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
