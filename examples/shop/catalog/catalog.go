// Package catalog is the shop's service that knows the products.
package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
	"github.com/daytwo-dev/daytwo/examples/shop/db"
	"github.com/daytwo-dev/daytwo/service"
)

const schema = `
CREATE TABLE IF NOT EXISTS products (
	sku TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, price INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS products_category ON products (category, price);`

// Main runs the service until ctx ends.
func Main(ctx context.Context, p service.Process) error {
	return service.Run(ctx, p, "catalog", func(ctx context.Context, s *service.Service, c db.Config) error {
		d, err := db.Open(ctx, s, c, schema)
		if err != nil {
			return err
		}
		shelf := &shelf{d}
		api.Handle(s, "GET /products", shelf.list)
		api.Handle(s, "GET /products/{sku}", shelf.product)
		return shelf.stock(ctx)
	})
}

type shelf struct{ db *sql.DB }

// stock fills an empty shelf.
func (s *shelf) stock(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, p := range assortment() {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO products VALUES (?, ?, ?, ?)`, p.SKU, p.Name, p.Category, p.Price); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// assortment is what the shop sells: twenty articles in six versions each.
func assortment() []api.Product {
	articles := []api.Product{
		{Name: "Keyboard", Category: "desk", Price: 8900}, {Name: "Mouse", Category: "desk", Price: 4900},
		{Name: "Monitor arm", Category: "desk", Price: 12900}, {Name: "Desk lamp", Category: "desk", Price: 6400},
		{Name: "Laptop stand", Category: "desk", Price: 3900}, {Name: "Standing desk", Category: "furniture", Price: 54900},
		{Name: "Office chair", Category: "furniture", Price: 39900}, {Name: "Footrest", Category: "furniture", Price: 5900},
		{Name: "Bookshelf", Category: "furniture", Price: 17900}, {Name: "Whiteboard", Category: "furniture", Price: 14900},
		{Name: "Headset", Category: "audio", Price: 15900}, {Name: "Microphone", Category: "audio", Price: 12900},
		{Name: "Speaker", Category: "audio", Price: 9900}, {Name: "Notebook", Category: "paper", Price: 1450},
		{Name: "Fountain pen", Category: "paper", Price: 3200}, {Name: "Sticky notes", Category: "paper", Price: 650},
		{Name: "Travel mug", Category: "kitchen", Price: 2400}, {Name: "Coffee grinder", Category: "kitchen", Price: 8900},
		{Name: "Kettle", Category: "kitchen", Price: 5900}, {Name: "Teapot", Category: "kitchen", Price: 4400},
	}
	var all []api.Product
	for i, a := range articles {
		for j, style := range []string{"Classic", "Graphite", "Oak", "Sage", "Studio", "Pro"} {
			all = append(all, api.Product{
				SKU: fmt.Sprintf("%c%03d", 'A'+j, i+1), Name: style + " " + a.Name, Category: a.Category,
				Price: a.Price + a.Price*api.Cents(j)/10,
			})
		}
	}
	return all
}

// list answers GET /products?category=&q=&sku=&sku=: up to 50 products, or
// exactly those with the given numbers.
func (s *shelf) list(r *http.Request) (any, error) {
	q := r.URL.Query()
	where, args := `category = ? OR ? = ''`, []any{q.Get("category"), q.Get("category")}
	if text := q.Get("q"); text != "" {
		where, args = `name LIKE '%' || ? || '%'`, []any{text}
	} else if skus := q["sku"]; len(skus) > 0 {
		if len(skus) > 50 {
			return nil, api.Errorf(http.StatusBadRequest, "at most 50 products at once")
		}
		where, args = `sku IN (?`, []any{skus[0]}
		for _, sku := range skus[1:] {
			where, args = where+`, ?`, append(args, sku)
		}
		where += `)`
	}
	rows, err := s.db.QueryContext(r.Context(), `SELECT sku, name, category, price FROM products WHERE `+where+` ORDER BY category, price LIMIT 50`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	products := []api.Product{}
	for rows.Next() {
		var p api.Product
		if err := rows.Scan(&p.SKU, &p.Name, &p.Category, &p.Price); err != nil {
			return nil, err
		}
		products = append(products, p)
	}
	return products, rows.Err()
}

func (s *shelf) product(r *http.Request) (any, error) {
	p := api.Product{SKU: r.PathValue("sku")}
	err := s.db.QueryRowContext(r.Context(), `SELECT name, category, price FROM products WHERE sku = ?`, p.SKU).Scan(&p.Name, &p.Category, &p.Price)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, api.Errorf(http.StatusNotFound, "no product %s", p.SKU)
	}
	return p, err
}
