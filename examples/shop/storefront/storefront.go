// Package storefront is the shop's service that customers talk to. It keeps
// customers and carts and asks the other services for the rest.
package storefront

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"net/url"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
	"github.com/daytwo-dev/daytwo/examples/shop/db"
	"github.com/daytwo-dev/daytwo/service"
)

const schema = `
CREATE TABLE IF NOT EXISTS customers (
	id TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, region TEXT NOT NULL, cart TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS items (
	cart TEXT NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (cart, sku));`

// maxItems bounds a cart.
const maxItems = 20

type config struct {
	db.Config
	Customers   int    `env:"CUSTOMERS" default:"400" help:"how many customers there are"`
	CatalogURL  string `env:"CATALOG_URL,required" help:"where catalog answers"`
	CheckoutURL string `env:"CHECKOUT_URL,required" help:"where checkout answers"`
}

// Main runs the service until ctx ends.
func Main(ctx context.Context, p service.Process) error {
	return service.Run(ctx, p, "storefront", func(ctx context.Context, s *service.Service, c config) error {
		d, err := db.Open(ctx, s, c.Config, schema)
		if err != nil {
			return err
		}
		f := &front{
			db:       d,
			catalog:  api.NewPeer(s, "catalog", c.CatalogURL),
			checkout: api.NewPeer(s, "checkout", c.CheckoutURL),
		}
		api.Handle(s, "GET /{$}", f.home)
		api.Handle(s, "GET /products", f.browse)
		api.Handle(s, "GET /search", f.search)
		api.Handle(s, "GET /products/{sku}", f.product)
		api.Handle(s, "GET /cart", f.cart)
		api.Handle(s, "POST /cart/items", f.add)
		api.Handle(s, "POST /checkout", f.buy)
		api.Handle(s, "GET /orders", f.orders)
		return f.enroll(ctx, c.Customers)
	})
}

type front struct {
	db                *sql.DB
	catalog, checkout *api.Peer
}

// enroll makes sure that the first n customers are known.
func (f *front) enroll(ctx context.Context, n int) error {
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for i := range n {
		c := api.CustomerNumber(i)
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO customers VALUES (?, ?, ?, ?, ?)`, c.ID, c.Name, c.Plan, c.Region, rand.Text()); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// shopper is who asks, and the cart they have. A cart that was bought gets a
// new name, so its old one is the key that makes buying it happen once.
func (f *front) shopper(r *http.Request) (c api.Customer, cart string, err error) {
	id := r.Header.Get(api.CustomerHeader)
	err = f.db.QueryRowContext(r.Context(), `SELECT id, name, plan, region, cart FROM customers WHERE id = ?`, id).
		Scan(&c.ID, &c.Name, &c.Plan, &c.Region, &cart)
	if errors.Is(err, sql.ErrNoRows) {
		err = api.Errorf(http.StatusUnauthorized, "no customer %q", id)
	}
	return c, cart, err
}

func (f *front) home(r *http.Request) (any, error) {
	return f.products(r, url.Values{"category": {"desk"}})
}

func (f *front) browse(r *http.Request) (any, error) {
	return f.products(r, url.Values{"category": {r.URL.Query().Get("category")}})
}

func (f *front) search(r *http.Request) (any, error) {
	return f.products(r, url.Values{"q": {r.URL.Query().Get("q")}})
}

func (f *front) products(r *http.Request, query url.Values) (any, error) {
	return api.Call[[]api.Product](r.Context(), f.catalog, http.MethodGet, "/products?"+query.Encode(), nil, "")
}

func (f *front) product(r *http.Request) (any, error) {
	return api.Call[api.Product](r.Context(), f.catalog, http.MethodGet, "/products/"+url.PathEscape(r.PathValue("sku")), nil, "")
}

func (f *front) cart(r *http.Request) (any, error) {
	_, cart, err := f.shopper(r)
	if err != nil {
		return nil, err
	}
	return f.items(r.Context(), cart)
}

func (f *front) items(ctx context.Context, cart string) ([]api.Item, error) {
	rows, err := f.db.QueryContext(ctx, `SELECT sku, quantity FROM items WHERE cart = ? ORDER BY sku`, cart)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := []api.Item{}
	for rows.Next() {
		var i api.Item
		if err := rows.Scan(&i.SKU, &i.Quantity); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, rows.Err()
}

func (f *front) add(r *http.Request) (any, error) {
	_, cart, err := f.shopper(r)
	if err != nil {
		return nil, err
	}
	in, err := api.Body[api.Item](r)
	if err != nil {
		return nil, err
	}
	if in.Quantity < 1 || in.Quantity > 100 {
		return nil, api.Errorf(http.StatusUnprocessableEntity, "quantity must be 1 to 100")
	}
	items, err := f.items(r.Context(), cart)
	if err != nil {
		return nil, err
	}
	if len(items) >= maxItems {
		return nil, api.Errorf(http.StatusUnprocessableEntity, "the cart is full")
	}
	_, err = f.db.ExecContext(r.Context(), `INSERT INTO items VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET quantity = excluded.quantity`, cart, in.SKU, in.Quantity)
	return append(items, in), err
}

// buy turns the cart into an order. Whatever becomes of it, the cart stays as
// it is unless the order was placed.
func (f *front) buy(r *http.Request) (any, error) {
	customer, cart, err := f.shopper(r)
	if err != nil {
		return nil, err
	}
	items, err := f.items(r.Context(), cart)
	if err != nil {
		return nil, err
	}
	order, err := api.Call[api.Order](r.Context(), f.checkout, http.MethodPost, "/orders", api.NewOrder{Customer: customer, Items: items}, cart)
	if err != nil {
		return nil, err
	}
	if order.Status == "declined" {
		return nil, api.Errorf(http.StatusPaymentRequired, "the card was declined")
	}
	return order, f.empty(r.Context(), customer.ID, cart)
}

func (f *front) empty(ctx context.Context, customer, cart string) error {
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `UPDATE customers SET cart = ? WHERE id = ?`, rand.Text(), customer); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM items WHERE cart = ?`, cart); err != nil {
		return err
	}
	return tx.Commit()
}

func (f *front) orders(r *http.Request) (any, error) {
	customer, _, err := f.shopper(r)
	if err != nil {
		return nil, err
	}
	return api.Call[[]api.Order](r.Context(), f.checkout, http.MethodGet, "/orders?customer="+url.QueryEscape(customer.ID), nil, "")
}
